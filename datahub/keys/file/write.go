package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/assay-net/assay/fabricnet/durable"
)

// What is here is called while the directory's lock is held.

// A file with such a name is the rest of a write or of a destruction that did not end: durable makes the one, destroy the other.
const (
	newPrefix       = ".new-"
	destroyedPrefix = ".destroyed-"
)

func (d *directory) create(e entry, content []byte) error {
	if err := d.present(); err != nil {
		return err
	}
	return classify(durable.CreateFile(d.path(e), content))
}

// replace puts a file in place of another and overwrites the old one.
func (d *directory) replace(e entry, content []byte) error {
	if err := d.present(); err != nil {
		return err
	}
	old, err := os.OpenFile(d.path(e), os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return classify(err)
	}
	if old != nil {
		defer old.Close() //nolint:errcheck // overwritten and synchronised before
	}
	if err := durable.WriteFile(d.path(e), content); err != nil {
		return classify(err)
	}
	if old != nil {
		return classify(overwrite(old))
	}
	return nil
}

// destroy takes a key out of use first: from then on, whatever happens, it is not there. Before that it sweeps: a creation that was cut
// short may have left a second name, under which the key would stay.
func (d *directory) destroy(e entry) error {
	if err := d.present(); err != nil {
		return err
	}
	if err := d.sweep(); err != nil {
		return err
	}
	gone := filepath.Join(d.dir, destroyedPrefix+rand.Text())
	err := os.Rename(d.path(e), gone)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = durable.SyncDir(d.dir)
	}
	if err != nil {
		return classify(err)
	}
	return d.erase(gone)
}

// sweep erases what an interrupted write or destruction left.
func (d *directory) sweep() error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return classify(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), newPrefix) && !strings.HasPrefix(e.Name(), destroyedPrefix) {
			continue
		}
		if err := d.erase(filepath.Join(d.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// erase overwrites a file and removes it. Of a file with a second name, which a creation leaves that ends between two steps, it removes this name only.
func (d *directory) erase(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return classify(err)
	}
	defer f.Close() //nolint:errcheck // overwritten and synchronised before
	info, err := f.Stat()
	if err != nil {
		return classify(err)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink == 1 {
		if err := overwrite(f); err != nil {
			return classify(err)
		}
	}
	if err := os.Remove(path); err != nil {
		return classify(err)
	}
	return classify(durable.SyncDir(d.dir))
}

// overwrite fills a file with random bytes, in place.
func overwrite(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > int64(maxFile) {
		return fmt.Errorf("%s has %d bytes, at most %d", f.Name(), info.Size(), maxFile)
	}
	noise := make([]byte, info.Size())
	if _, err := rand.Read(noise); err != nil {
		return err
	}
	if _, err := f.WriteAt(noise, 0); err != nil {
		return err
	}
	return f.Sync()
}
