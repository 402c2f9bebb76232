package gobuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 100 * time.Millisecond

// CacheDir is where all of Assay keeps what it can make again: dir or, if that is empty, $ASSAY_CACHE, or "assay" in the user's cache directory.
func CacheDir(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv("ASSAY_CACHE")
	}
	if dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a cache directory (set ASSAY_CACHE): %w", err)
	}
	return filepath.Join(base, "assay"), nil
}

// Folder is a folder in a cache that is made when it is needed for the first time.
type Folder struct {
	// Cache is the cache's directory, which need not exist. Name is the folder's, with the version of what is in it.
	Cache, Name string
	// Complete says whether a folder holds everything.
	Complete func(dir string) bool
	// Make fills a new folder, which is renamed afterwards.
	Make func(ctx context.Context, dir string) error
	// Waiting is called once if another process makes the folder; it may be nil.
	Waiting func()
}

// Open returns the folder's path once it is complete.
func (f *Folder) Open(ctx context.Context) (string, error) {
	path := filepath.Join(f.Cache, f.Name)
	if f.Complete(path) {
		return path, nil
	}
	if err := os.MkdirAll(f.Cache, 0o700); err != nil {
		return "", fmt.Errorf("making the cache: %w", err)
	}
	l := flock.New(path + ".lock")
	if err := f.lock(ctx, l); err != nil {
		return "", fmt.Errorf("waiting for another process that makes %s: %w", f.Name, err)
	}
	defer l.Unlock() //nolint:errcheck // the lock ends with the process at the latest
	if f.Complete(path) {
		return path, nil
	}
	return path, f.make(ctx, path)
}

func (f *Folder) lock(ctx context.Context, l *flock.Flock) error {
	if locked, err := l.TryLock(); locked || err != nil {
		return err
	}
	if f.Waiting != nil {
		f.Waiting()
	}
	_, err := l.TryLockContext(ctx, lockPoll)
	return err
}

// make fills another folder and renames it, so that others see all of it or nothing. Its caller has the lock.
func (f *Folder) make(ctx context.Context, path string) error {
	pattern := filepath.Join(f.Cache, "."+f.Name+"-build-*")
	rests, _ := filepath.Glob(pattern) //nolint:errcheck // the pattern is well formed
	for _, r := range rests {
		os.RemoveAll(r) //nolint:errcheck // of a build that was killed; it does no harm
	}
	temporary, err := os.MkdirTemp(f.Cache, filepath.Base(pattern))
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // gone once renamed
	if err := f.Make(ctx, temporary); err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("replacing an incomplete build: %w", err)
	}
	return os.Rename(temporary, path)
}

// Executable reports why a path is no program's.
func Executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return errors.New(path + " is not executable")
	}
	return nil
}
