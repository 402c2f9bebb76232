package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

func openStore(t *testing.T, dir, party string, sealer session.Sealer) *session.FileStore {
	t.Helper()
	s, err := session.OpenFileStore(dir, party, sealer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestFileStore(t *testing.T) {
	t.Parallel()
	dir, sealer, ctx := filepath.Join(t.TempDir(), "new", "store"), sessiontest.NewSealer(), t.Context()
	s, id, other := openStore(t, dir, "a", sealer), transcript.ID{1}, transcript.ID{2}
	if _, err := s.Get(ctx, id, "secret"); !errors.Is(err, session.ErrAbsent) {
		t.Fatalf("get of nothing: error %v, want %v", err, session.ErrAbsent)
	}
	secret := []byte("what the key follows from")
	for _, c := range []struct{ value, kept []byte }{{secret, secret}, {[]byte("another"), secret}, {secret, secret}} {
		if kept, err := s.Put(ctx, id, "secret", c.value); err != nil || !bytes.Equal(kept, c.kept) {
			t.Errorf("put %q: kept %q (error %v), want %q", c.value, kept, err, c.kept)
		}
	}
	if _, err := s.Put(ctx, other, "share-1", []byte{}); err != nil {
		t.Fatal(err)
	}
	again := openStore(t, dir, "a", sealer)
	if got, err := again.Get(ctx, id, "secret"); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("after reopening: %q (error %v)", got, err)
	}
	if got, err := again.Sessions(ctx); err != nil || !slices.Equal(got, []transcript.ID{id, other}) {
		t.Errorf("sessions %v (error %v)", got, err)
	}
	for _, name := range filesIn(t, dir) {
		content, info := must(os.ReadFile(name))(t), must(os.Stat(name))(t)
		if bytes.Contains(content, secret) || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %o, in the clear: %t", name, info.Mode().Perm(), bytes.Contains(content, secret))
		}
	}
}

func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFileStoreDestroys(t *testing.T) {
	t.Parallel()
	dir, ctx, id := t.TempDir(), t.Context(), transcript.ID{1}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	sealer := sessiontest.NewSealer()
	s := openStore(t, dir, "a", sealer)
	for _, slot := range []string{"secret", "share", "input"} {
		if _, err := s.Put(ctx, id, slot, []byte(slot)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, id.String(), ".new-ABC"), []byte("left by a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := func(gone, kept []string) {
		t.Helper()
		wantSlots(t, s, id, gone, kept)
		wantSlots(t, openStore(t, dir, "a", sealer), id, gone, kept)
	}
	for range 2 {
		if err := s.Destroy(ctx, id, "secret", "share", "never"); err != nil {
			t.Fatal(err)
		}
		want([]string{"secret", "share", "never"}, []string{"input"})
	}
	for range 2 {
		if err := s.Destroy(ctx, id); err != nil {
			t.Fatal(err)
		}
		want([]string{"secret", "share", "input", "other"}, nil)
	}
	for _, name := range filesIn(t, dir) {
		if info := must(os.Stat(name))(t); info.Size() != 0 {
			t.Errorf("%s has %d bytes left", name, info.Size())
		}
	}
	if left, err := s.Sessions(ctx); err != nil || len(left) != 0 {
		t.Errorf("sessions %v (error %v), want none", left, err)
	}
	if err := s.Destroy(ctx, transcript.ID{9}); err != nil {
		t.Errorf("destroying what never was: %v", err)
	}
}

// wantSlots fails the test unless these slots are destroyed, and those hold their names.
func wantSlots(t *testing.T, s *session.FileStore, id transcript.ID, gone, kept []string) {
	t.Helper()
	for _, slot := range gone {
		_, get := s.Get(t.Context(), id, slot)
		_, put := s.Put(t.Context(), id, slot, []byte("again"))
		if !errors.Is(get, session.ErrDestroyed) || !errors.Is(put, session.ErrDestroyed) {
			t.Errorf("%s: get %v, put %v, want %v", slot, get, put, session.ErrDestroyed)
		}
	}
	for _, slot := range kept {
		if b, err := s.Get(t.Context(), id, slot); err != nil || string(b) != slot {
			t.Errorf("%s: %q (error %v)", slot, b, err)
		}
	}
}

// TestFileStoreInterruptedDestroying finds the mark and the file: the mark counts.
func TestFileStoreInterruptedDestroying(t *testing.T) {
	t.Parallel()
	dir, ctx, id := filepath.Join(t.TempDir(), "s"), t.Context(), transcript.ID{1}
	s := openStore(t, dir, "a", sessiontest.NewSealer())
	if _, err := s.Put(ctx, id, "share", []byte("share")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, id.String(), "share.destroyed"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, id, "share"); !errors.Is(err, session.ErrDestroyed) {
		t.Errorf("get: error %v, want %v", err, session.ErrDestroyed)
	}
}

// TestFileStoreFirstWins among stores of the same folder that put at once: all are told the same.
func TestFileStoreFirstWins(t *testing.T) {
	t.Parallel()
	dir, sealer, ctx := filepath.Join(t.TempDir(), "s"), sessiontest.NewSealer(), t.Context()
	var wg sync.WaitGroup
	kept := make([]string, 8)
	for i := range kept {
		s := openStore(t, dir, "a", sealer)
		wg.Go(func() {
			b, err := s.Put(ctx, transcript.ID{1}, "secret", fmt.Appendf(nil, "of process %d", i))
			if kept[i] = string(b); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if d := cmp.Diff(slices.Repeat(kept[:1], len(kept)), kept); d != "" || kept[0] == "" {
		t.Errorf("kept %q", kept)
	}
	if files := filesIn(t, dir); len(files) != 1 {
		t.Errorf("files %q, want one", files)
	}
}

// TestTrapFilesInOtherPlaces: a sealed value opens in the place it was stored in, for its party and session, and nowhere else; and no doubt is taken for absence.
func TestTrapFilesInOtherPlaces(t *testing.T) {
	t.Parallel()
	dir, sealer, ctx, id := filepath.Join(t.TempDir(), "s"), sessiontest.NewSealer(), t.Context(), transcript.ID{1}
	s := openStore(t, dir, "a", sealer)
	if _, err := s.Put(ctx, id, "share", []byte("share")); err != nil {
		t.Fatal(err)
	}
	place := func(id transcript.ID, slot string) string { return filepath.Join(dir, id.String(), slot) }
	sealed := must(os.ReadFile(place(id, "share")))(t)
	if err := os.Mkdir(filepath.Join(dir, transcript.ID{2}.String()), 0o700); err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, content := range map[string][]byte{place(id, "secret"): sealed, place(transcript.ID{2}, "share"): sealed, place(id, "input"): nil, place(id, "keys"): flipped} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	huge := must(os.Create(place(id, "holding")))(t)
	if err := errors.Join(huge.Truncate(1<<40), huge.Close()); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := errors.Join(os.WriteFile(outside, sealed, 0o600), os.Symlink(outside, place(id, "result"))); err != nil {
		t.Fatal(err)
	}
	foreign := openStore(t, dir, "b", sealer)
	for name, get := range map[string]func() ([]byte, error){
		"another slot":     func() ([]byte, error) { return s.Get(ctx, id, "secret") },
		"another session":  func() ([]byte, error) { return s.Get(ctx, transcript.ID{2}, "share") },
		"another party":    func() ([]byte, error) { return foreign.Get(ctx, id, "share") },
		"empty":            func() ([]byte, error) { return s.Get(ctx, id, "input") },
		"altered":          func() ([]byte, error) { return s.Get(ctx, id, "keys") },
		"a terabyte":       func() ([]byte, error) { return s.Get(ctx, id, "holding") },
		"outside":          func() ([]byte, error) { return s.Get(ctx, id, "result") },
		"no slot":          func() ([]byte, error) { return s.Get(ctx, id, "../x") },
		"no name":          func() ([]byte, error) { return s.Get(ctx, id, "") },
		"put of no slot":   func() ([]byte, error) { return s.Put(ctx, id, "a/b", nil) },
		"put of too much":  func() ([]byte, error) { return s.Put(ctx, id, "much", make([]byte, 17<<20)) },
		"put over altered": func() ([]byte, error) { return s.Put(ctx, id, "keys", []byte("new")) },
	} {
		if b, err := get(); err == nil || errors.Is(err, session.ErrAbsent) || errors.Is(err, session.ErrDestroyed) {
			t.Errorf("%s: %d bytes, error %v; want another error", name, len(b), err)
		}
	}
}

func TestFileStoreForItsUserAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := session.OpenFileStore(dir, "a", sessiontest.NewSealer()); err == nil {
		t.Error("opened a folder that others can read")
	}
	if _, err := session.OpenFileStore(filepath.Join(dir, "x"), "", sessiontest.NewSealer()); err == nil {
		t.Error("opened a store of nobody")
	}
}

// TestSealerThatFails is an error to try again, and nothing that was lost.
func TestSealerThatFails(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	failing := &failingSealer{Sealer: sessiontest.NewSealer()}
	files := openStore(t, filepath.Join(t.TempDir(), "s"), "owner-01", failing)
	n.Change = func(cfg *session.Config) {
		if cfg.Self == "owner-01" {
			cfg.Store = files
		}
	}
	n.Start()
	n.Play(n.In(transcript.Ready))
	n.Kill("owner-01")
	n.Start("owner-01")
	failing.fails = true
	if state, err := n.Step("owner-01"); err == nil || state.Over() {
		t.Errorf("state %v, error %v: want an error, and a session that goes on", state, err)
	}
	failing.fails = false
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
}

type failingSealer struct {
	*sessiontest.Sealer
	fails bool
}

func (f *failingSealer) Open(ctx context.Context, id transcript.ID, slot string, sealed, associated []byte) ([]byte, error) {
	if f.fails {
		return nil, errors.New("the key service is away")
	}
	return f.Sealer.Open(ctx, id, slot, sealed, associated)
}

func (f *failingSealer) Destroy(ctx context.Context, id transcript.ID, slot string) error {
	if f.fails {
		return errors.New("the key service is away")
	}
	return f.Sealer.Destroy(ctx, id, slot)
}
