package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/gofrs/flock"
)

// What an interrupted write or destruction left is gone when the directory is opened next, or a key is destroyed.
func TestLeftovers(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	leave := func() {
		t.Helper()
		for _, name := range []string{".new-1", ".destroyed-2"} {
			if err := os.WriteFile(filepath.Join(c.Directory, name), []byte("sealed key"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// A creation that ended between the new name and the removal of the old one.
		if err := os.Link(filepath.Join(c.Directory, "key.wrap"), filepath.Join(c.Directory, ".new-3")); err != nil {
			t.Fatal(err)
		}
	}
	gone := func() {
		t.Helper()
		if left, _ := filepath.Glob(filepath.Join(c.Directory, ".*")); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
	leave()
	again := openStore(t, c)
	gone()
	for file, err := range use(t, again, wrapped) {
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	leave()
	linked, err := os.Open(filepath.Join(c.Directory, ".new-3"))
	if err != nil {
		t.Fatal(err)
	}
	defer linked.Close() //nolint:errcheck // opened for reading
	if err := s.Destroy(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	gone()
	if b, err := io.ReadAll(linked); err != nil || bytes.HasPrefix(b, []byte(header)) {
		t.Errorf("the destroyed key's file is still what it was: %v", err)
	}
}

// A share that is replaced is overwritten on the disk.
func TestReplacedShareOverwritten(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	fill(t, s)
	old, err := os.Open(filepath.Join(c.Directory, "key.share"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close() //nolint:errcheck // opened for reading
	if err := s.PutShare(t.Context(), "key", []byte("other")); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(old); err != nil || bytes.HasPrefix(b, []byte(header)) {
		t.Errorf("the old file is still what it was: %v", err)
	}
}

// While another process writes for ever, writes fail in time and reads go on.
func TestLocked(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	other := flock.New(filepath.Join(c.Directory, lockFile))
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for what, err := range map[string]error{
		"PutShare": s.PutShare(ctx, "new", []byte{1}), "Destroy": s.Destroy(ctx, "key"),
	} {
		if !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for file, err := range use(t, s, wrapped) {
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := other.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := s.Destroy(t.Context(), "key"); err != nil {
		t.Error(err)
	}
}
