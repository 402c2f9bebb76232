package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

// fill makes one key of each kind.
func fill(t testing.TB, s *Store) (wrapped []byte) {
	t.Helper()
	ctx := t.Context()
	wrapped, err := s.Wrap(ctx, "key", make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Derive(ctx, "key", [][]byte{nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signer(ctx, "key"); err != nil {
		t.Fatal(err)
	}
	if err := s.PutShare(ctx, "key", []byte("share")); err != nil {
		t.Fatal(err)
	}
	return wrapped
}

// use uses the key of each kind that fill made.
func use(t testing.TB, s *Store, wrapped []byte) map[string]error {
	ctx := t.Context()
	errs := make(map[string]error)
	_, errs["key.wrap"] = s.Unwrap(ctx, "key", wrapped, nil)
	_, errs["key.derive"] = s.Derive(ctx, "key", [][]byte{nil})
	_, errs["key.sign"] = s.Signer(ctx, "key")
	_, errs["key.share"] = s.Share(ctx, "key")
	return errs
}

func wantInError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not name %q", err, p)
		}
	}
}

func TestFilesAreClosedToOthers(t *testing.T) {
	c := withIdentity(t)
	fill(t, openStore(t, c))
	files, err := os.ReadDir(c.Directory)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 6 { // four keys, the root key and the lock
		t.Errorf("%d files: %v", len(files), files)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %s", f.Name(), info.Mode())
		}
	}
	if info, err := os.Stat(c.Directory); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %s, %v", info.Mode(), err)
	}
}

func TestOpenFilesRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o644, 0o666} {
		c := withIdentity(t)
		s := openStore(t, c)
		wrapped := fill(t, s)
		for file := range use(t, s, wrapped) {
			if err := os.Chmod(filepath.Join(c.Directory, file), mode); err != nil {
				t.Fatal(err)
			}
		}
		for file, err := range use(t, s, wrapped) {
			wantInError(t, err, file, "mode")
		}
		if err := os.Chmod(filepath.Join(c.Directory, rootFile), mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), c)
		wantInError(t, err, rootFile, "mode")
	}
}

func TestOpenDirectoryRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o750, 0o705, 0o701, 0o777, 0o1777} {
		c := withIdentity(t)
		s := openStore(t, c)
		if err := os.Chmod(c.Directory, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), c)
		wantInError(t, err, c.Directory, "mode")
		wantInError(t, s.Check(t.Context()), "mode")
	}
}

func TestFilesOfOthersRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	for file := range use(t, s, wrapped) {
		if err := os.Chown(filepath.Join(c.Directory, file), 1234, 1234); err != nil {
			t.Fatal(err)
		}
	}
	for file, err := range use(t, s, wrapped) {
		wantInError(t, err, file, "belongs to user 1234")
	}
	if err := os.Chown(c.Directory, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), c)
	wantInError(t, err, "belongs to user 1234")
}

func TestLinksRefused(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	elsewhere := t.TempDir()
	for file := range use(t, s, wrapped) {
		from, to := filepath.Join(c.Directory, file), filepath.Join(elsewhere, file)
		if err := errors.Join(os.Rename(from, to), os.Symlink(to, from)); err != nil {
			t.Fatal(err)
		}
	}
	for file, err := range use(t, s, wrapped) {
		wantInError(t, err, file, "symbolic link")
	}
	if err := s.PutShare(t.Context(), "key", []byte("other")); err == nil {
		t.Error("a share is put through a link")
	}
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(c.Directory, link); err != nil {
		t.Fatal(err)
	}
	c.Directory = link
	_, err := Open(t.Context(), c)
	wantInError(t, err, "symbolic link")
}

func TestNoRegularFileRefused(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	for file := range use(t, s, wrapped) {
		path := filepath.Join(c.Directory, file)
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for file, err := range use(t, s, wrapped) {
		wantInError(t, err, file, "regular")
	}
}

// A directory that has gone is a disk that is not mounted: nothing in it is "not found", and nothing is made anew.
func TestDirectoryGone(t *testing.T) {
	for name, replace := range map[string]func(dir string) error{
		"gone":    func(string) error { return nil },
		"empty":   func(dir string) error { return os.Mkdir(dir, 0o700) },
		"no root": func(dir string) error { return os.Rename(dir+".away", dir) },
	} {
		t.Run(name, func(t *testing.T) {
			c := withIdentity(t)
			s := openStore(t, c)
			wrapped := fill(t, s)
			if err := errors.Join(os.Rename(c.Directory, c.Directory+".away"), replace(c.Directory)); err != nil {
				t.Fatal(err)
			}
			if name == "no root" {
				for _, f := range []string{rootFile, "key.wrap", "key.derive", "key.sign", "key.share"} {
					if err := os.Remove(filepath.Join(c.Directory, f)); err != nil {
						t.Fatal(err)
					}
				}
			}
			for file, err := range use(t, s, wrapped) {
				if !errors.Is(err, keys.ErrUnavailable) || errors.Is(err, keys.ErrNotFound) {
					t.Errorf("%s: %v", file, err)
				}
			}
			for what, err := range map[string]error{
				"Check": s.Check(t.Context()), "Destroy": s.Destroy(t.Context(), "key"), "PutShare": s.PutShare(t.Context(), "new", []byte{1}),
			} {
				if !errors.Is(err, keys.ErrUnavailable) {
					t.Errorf("%s: %v", what, err)
				}
			}
			left, _ := os.ReadDir(c.Directory) //nolint:errcheck // it may be gone
			for _, f := range left {
				if f.Name() != lockFile {
					t.Errorf("%s was made", f.Name())
				}
			}
		})
	}
}
