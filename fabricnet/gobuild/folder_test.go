package gobuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// testFolder is complete with a file in it.
func testFolder(t *testing.T, fill func(ctx context.Context, dir string) error) *Folder {
	return &Folder{
		Cache: filepath.Join(t.TempDir(), "cache"), Name: "thing-1.0",
		Complete: func(dir string) bool { return Executable(filepath.Join(dir, "thing")) == nil },
		Make:     fill,
	}
}

func thing(_ context.Context, dir string) error {
	return os.WriteFile(filepath.Join(dir, "thing"), nil, 0o700)
}

func TestFolderIsMadeOnce(t *testing.T) {
	var made, waited atomic.Int32
	others := make(chan bool)
	f := testFolder(t, nil)
	f.Waiting = func() {
		if waited.Add(1) == 2 {
			close(others)
		}
	}
	f.Make = func(ctx context.Context, dir string) error {
		made.Add(1)
		<-others // until both wait for the lock
		return thing(ctx, dir)
	}
	var group errgroup.Group
	for range 3 {
		group.Go(func() error {
			dir, err := f.Open(t.Context())
			if err == nil && !f.Complete(dir) {
				err = errors.New("not complete")
			}
			return err
		})
	}
	if err := group.Wait(); err != nil || made.Load() != 1 {
		t.Errorf("made %d times, %v", made.Load(), err)
	}
}

func TestFolderIsWholeOrNotThere(t *testing.T) {
	broken := errors.New("broken")
	f := testFolder(t, func(ctx context.Context, dir string) error { return errors.Join(thing(ctx, dir), broken) })
	path := filepath.Join(f.Cache, f.Name)
	if _, err := f.Open(t.Context()); !errors.Is(err, broken) || f.Complete(path) {
		t.Error(err)
	}
	if rests, err := filepath.Glob(filepath.Join(f.Cache, ".*")); len(rests) != 0 || err != nil {
		t.Error(rests, err)
	}
}

// What a killed process left, and a folder in which something is missing, are replaced. Another version's build is somebody else's.
func TestRestsAreReplaced(t *testing.T) {
	f := testFolder(t, thing)
	path, rest, other := filepath.Join(f.Cache, f.Name), filepath.Join(f.Cache, ".thing-1.0-build-1"), filepath.Join(f.Cache, ".thing-2.0-build-1")
	for _, dir := range []string{filepath.Join(path, "old"), rest, other} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.Open(t.Context()); got != path || err != nil {
		t.Fatal(got, err)
	}
	for dir, stays := range map[string]bool{filepath.Join(path, "thing"): true, filepath.Join(path, "old"): false, rest: false, other: true} {
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestWaitingEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := testFolder(t, nil)
	f.Waiting = cancel
	f.Make = func(context.Context, string) error {
		if _, err := f.Open(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return context.Canceled
	}
	if _, err := f.Open(t.Context()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCacheDir(t *testing.T) {
	t.Setenv("ASSAY_CACHE", "/elsewhere")
	t.Setenv("XDG_CACHE_HOME", "/caches")
	if dir, err := CacheDir(""); dir != "/elsewhere" || err != nil {
		t.Error(dir, err)
	}
	if dir, err := CacheDir("/named"); dir != "/named" || err != nil {
		t.Error(dir, err)
	}
	t.Setenv("ASSAY_CACHE", "")
	if dir, err := CacheDir(""); dir != "/caches/assay" || err != nil {
		t.Error(dir, err)
	}
}
