package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/gofrs/flock"
)

const (
	// rootFile is the one file without which a directory is no key directory.
	rootFile = "root.age"
	lockFile = "lock"

	// lockPatience is how long others may take to write one file.
	lockPatience = 15 * time.Second
	lockPoll     = 5 * time.Millisecond
)

// directory is the folder of a store.
type directory struct {
	dir  string
	info fs.FileInfo   // as it was when it was opened
	turn chan struct{} // holds one token: of this process, one goroutine writes
}

func openDirectory(dir string, create bool) (*directory, error) {
	if create {
		if err := makeDirectory(dir); err != nil {
			return nil, err
		}
	}
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it does not exist; is its disk mounted? (create: true makes one)")
	}
	if err != nil {
		return nil, classify(err)
	}
	if err := checkDirectory(info); err != nil {
		return nil, err
	}
	d := &directory{dir: dir, info: info, turn: make(chan struct{}, 1)}
	d.turn <- struct{}{}
	return d, nil
}

func makeDirectory(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return classify(err)
	}
	return classify(durable.SyncDir(filepath.Dir(dir)))
}

func checkDirectory(info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return errors.New("it is a symbolic link")
	}
	if !info.IsDir() {
		return errors.New("it is not a directory")
	}
	return checkOwner(info, 0o700)
}

// checkOwner refuses what others own or may enter, read or write.
func checkOwner(info fs.FileInfo, want fs.FileMode) error {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("its owner cannot be told on this system")
	}
	if int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, must belong to user %d", s.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("it has mode %04o, must have %04o", mode, want)
	}
	return nil
}

func (d *directory) path(e entry) string { return filepath.Join(d.dir, e.file()) }

// present says whether the directory is still the one that was opened, with its root key. Where it is not, its disk is gone, and what
// seems to be missing must not be made anew.
func (d *directory) present() error {
	info, err := os.Lstat(d.dir)
	if err == nil && !os.SameFile(info, d.info) {
		err = errors.New("it has been replaced since it was opened")
	}
	if err == nil {
		_, err = os.Lstat(filepath.Join(d.dir, rootFile))
	}
	if err != nil {
		return fmt.Errorf("key directory %s: %w: %w", d.dir, err, keys.ErrUnavailable)
	}
	return checkDirectory(info)
}

// exclusive runs something while nobody else writes in the directory.
func (d *directory) exclusive(ctx context.Context, write func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	select {
	case <-d.turn:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the lock of %s: %w: %w", d.dir, ctx.Err(), keys.ErrUnavailable)
	}
	defer func() { d.turn <- struct{}{} }()
	l := flock.New(filepath.Join(d.dir, lockFile), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("waiting for the lock of %s: %w: %w", d.dir, err, keys.ErrUnavailable)
	}
	defer l.Unlock() //nolint:errcheck // the lock ends with the process at the latest
	return write()
}

// read returns a key's file as it is. Its error is keys.ErrNotFound where there is none.
func (d *directory) read(e entry) ([]byte, error) {
	b, err := readPrivate(d.path(e), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.present(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", e.file(), keys.ErrNotFound)
	}
	return b, err
}

// readPrivate reads a file that must be this user's alone.
func readPrivate(path string, max int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("key file %s: it is a symbolic link", path)
	}
	if err != nil {
		return nil, classify(err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	if err != nil {
		return nil, classify(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s: it is not a regular file", path)
	}
	if err := checkOwner(info, 0o600); err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(max)+1))
	if err != nil {
		return nil, classify(err)
	}
	if len(b) > max {
		return nil, fmt.Errorf("key file %s has more than %d bytes", path, max)
	}
	return b, nil
}

// classify tells what the operating system says apart: what it forbids, and what may go better later, as a disk that is full.
// That something is missing or there already is for the caller to judge.
func classify(err error) error {
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist):
		return err
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", err, keys.ErrDenied)
	default:
		return fmt.Errorf("%w: %w", err, keys.ErrUnavailable)
	}
}
