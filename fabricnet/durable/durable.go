// Package durable puts files in place so that a crash leaves the old content or the new, and never a part, and reads
// files that others may have made too long.
//
// What it writes is for the file's owner only: mode 0600, in folders of mode 0700. It promises no more than the disk does that keeps what it has
// synchronised.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts a file in place: all of it or nothing. It makes the folder, and those around it, if there is none.
func WriteFile(path string, content []byte) error { return place(path, content, os.Rename) }

// CreateFile is WriteFile for a file that must not be there yet: of several who create it at once, one succeeds, and the others' error is fs.ErrExist.
// The file system must have hard links.
func CreateFile(path string, content []byte) error { return place(path, content, os.Link) }

// place makes a whole file under another name first.
func place(path string, content []byte, put func(from, to string) error) error {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone once renamed
	if err := fill(f, content); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// makeDir makes a folder durably: the name of each folder that is made is in the one around it.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// syncDir is a variable because a test cannot see what a disk has synchronised.
var syncDir = SyncDir

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // opened for reading
	return d.Sync()
}

// ReadFile reads a file of at most max bytes, whatever it may be.
func ReadFile(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%s: has more than %d bytes", path, max)
	}
	return b, nil
}
