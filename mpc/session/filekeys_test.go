package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestTrapBackupOfWhatIsDestroyed restores a whole store from before something of it was destroyed: it opens from there neither.
func TestTrapBackupOfWhatIsDestroyed(t *testing.T) {
	t.Parallel()
	dir, backup, ctx := filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), "s"), t.Context()
	sealer, id, other := sessiontest.NewSealer(), transcript.ID{1}, transcript.ID{2}
	s := openStore(t, dir, "a", sealer)
	for _, of := range []transcript.ID{id, other} {
		for _, slot := range []string{"secret", "share", "input"} {
			if _, err := s.Put(ctx, of, slot, []byte(slot)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(backup, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Destroy(ctx, id, "secret", "share"); err != nil {
		t.Fatal(err)
	}
	if err := s.Destroy(ctx, other); err != nil {
		t.Fatal(err)
	}
	if n := sealer.Keys(); n != 1 {
		t.Errorf("%d keys are left, want that of one slot", n)
	}
	old := openStore(t, backup, "a", sealer)
	wantSlots(t, old, id, nil, []string{"input"})
	for _, at := range []struct {
		session transcript.ID
		slot    string
	}{{id, "secret"}, {id, "share"}, {other, "secret"}, {other, "share"}, {other, "input"}} {
		if b, err := old.Get(ctx, at.session, at.slot); err == nil || errors.Is(err, session.ErrAbsent) {
			t.Errorf("%s of %s: %d bytes, error %v; want another error", at.slot, at.session, len(b), err)
		}
	}
}

// TestDestructionInterrupted has the key service go away in the middle: nothing opens from then on, and the next listing takes it to its end.
func TestDestructionInterrupted(t *testing.T) {
	t.Parallel()
	dir, ctx, id := filepath.Join(t.TempDir(), "s"), t.Context(), transcript.ID{1}
	failing := &failingSealer{Sealer: sessiontest.NewSealer()}
	s := openStore(t, dir, "a", failing)
	if _, err := s.Put(ctx, id, "secret", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	failing.fails = true
	if err := s.Destroy(ctx, id); err == nil {
		t.Fatal("destroyed without the key service")
	}
	failing.fails = false
	again := openStore(t, dir, "a", failing)
	if _, err := again.Get(ctx, id, "secret"); !errors.Is(err, session.ErrDestroyed) {
		t.Errorf("get: error %v", err)
	}
	if left, err := again.Sessions(ctx); err != nil || len(left) != 0 || failing.Keys() != 0 {
		t.Errorf("sessions %v, %d keys (error %v)", left, failing.Keys(), err)
	}
}
