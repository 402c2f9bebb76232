package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// FileStore is a [Store] in a folder of a local file system with hard links: a folder for each session, in it a sealed file for each slot, and an empty one in place of what was destroyed. Any
// number of processes may use it at once. It must be in no backup that is ever restored: see the package comment. What was destroyed opens from no backup, as the sealer's key of it is destroyed, too.
type FileStore struct {
	root   *os.Root
	party  string
	sealer Sealer

	mu     sync.Mutex
	broken error // of a sync: what the disk has after that is not known
}

const (
	maxValue = 16 << 20 // bytes: the public parts of the largest roster are a third of it
	maxSlot  = 32
	overhead = 4 << 10      // that a sealer adds at most
	marked   = ".destroyed" // of a slot, or alone of the session
)

// OpenFileStore opens the folder, which it makes if there is none, and which must be its user's alone. The party's name and the place of a value are sealed with it.
func OpenFileStore(dir, party string, sealer Sealer) (*FileStore, error) {
	if party == "" || sealer == nil {
		return nil, errors.New("a store needs its party's name and a sealer")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := syncFolder(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s: mode %o lets others in, want 700", dir, info.Mode().Perm())
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &FileStore{root: root, party: party, sealer: sealer}, nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close gives the folder back.
func (s *FileStore) Close() error { return s.root.Close() }

func (s *FileStore) associated(session transcript.ID, slot string) []byte {
	d := transcript.Hash("assay/mpc/store/1", []byte(s.party), session[:], []byte(slot))
	return d[:]
}

func checkSlot(slot string) error {
	if len(slot) == 0 || len(slot) > maxSlot {
		return fmt.Errorf("slot: %d bytes, want 1 to %d", len(slot), maxSlot)
	}
	for _, c := range slot {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errors.New("slot: want a-z 0-9 -")
		}
	}
	return nil
}

// Get implements Store.
func (s *FileStore) Get(ctx context.Context, session transcript.ID, slot string) ([]byte, error) {
	if err := checkSlot(slot); err != nil {
		return nil, err
	}
	if err := s.failed(); err != nil {
		return nil, err
	}
	if absent := s.absent(session, slot); !errors.Is(absent, ErrAbsent) {
		return nil, absent // the file may still be there, if a crash was before its end
	}
	sealed, err := s.readFile(session, slot)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.absent(session, slot) // once more: it may have been destroyed in between
	}
	if err != nil {
		return nil, err
	}
	value, err := s.sealer.Open(ctx, session, slot, sealed, s.associated(session, slot))
	if err != nil {
		return nil, fmt.Errorf("unsealing %s of session %s: %w", slot, session, err)
	}
	return value, nil
}

// failed keeps a value whose writing failed from being read, and then said or shown, as if it were durable.
func (s *FileStore) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return fmt.Errorf("the disk failed before, open the store anew: %w", s.broken)
	}
	return nil
}

// absent is ErrDestroyed for what is marked so, and else ErrAbsent, for the case that it is not there.
func (s *FileStore) absent(session transcript.ID, slot string) error {
	for _, mark := range []string{marked, slot + marked} {
		_, err := s.root.Stat(session.String() + "/" + mark)
		if err == nil {
			return ErrDestroyed
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return ErrAbsent
}

func (s *FileStore) readFile(session transcript.ID, slot string) ([]byte, error) {
	f, err := s.root.Open(session.String() + "/" + slot)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, maxValue+overhead+1))
	if err == nil && len(b) > maxValue+overhead {
		err = fmt.Errorf("%s of session %s: more than %d bytes", slot, session, maxValue+overhead)
	}
	return b, err
}

// Sessions implements Store. It takes what a crash interrupted of a destruction to its end.
func (s *FileStore) Sessions(ctx context.Context) ([]transcript.ID, error) {
	names, err := s.list(".")
	if err != nil {
		return nil, err
	}
	var ids []transcript.ID
	for _, name := range names {
		id, err := transcript.ParseID(name)
		if err != nil {
			continue // not this store's
		}
		files, err := s.list(name)
		if err != nil {
			return nil, err
		}
		switch kept := slices.ContainsFunc(files, isSlot); {
		case kept && !slices.Contains(files, marked):
			ids = append(ids, id)
		case kept:
			if err := s.Destroy(ctx, id); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

func (s *FileStore) list(dir string) ([]string, error) {
	d, err := s.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close() //nolint:errcheck // opened for reading
	names, err := d.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func isSlot(file string) bool { return checkSlot(file) == nil }

// Destroy implements Store. It destroys the slots' keys and removes their files: what a disk keeps of these, and a key store of its keys, is not in its hands.
func (s *FileStore) Destroy(ctx context.Context, session transcript.ID, slots ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := session.String()
	if err := s.makeDir(dir); err != nil {
		return err
	}
	marks := []string{marked}
	if len(slots) > 0 {
		marks = nil
	}
	for _, slot := range slots {
		if err := checkSlot(slot); err != nil {
			return err
		}
		marks = append(marks, slot+marked)
	}
	for _, mark := range marks { // marks first: a crash in between destroys too much rather than leave what may be used
		if err := s.mark(dir + "/" + mark); err != nil {
			return err
		}
	}
	if err := s.sync(dir); err != nil {
		return err
	}
	if err := s.destroyKeys(ctx, session, slots); err != nil {
		return err
	}
	if err := s.remove(dir, slots); err != nil {
		return err
	}
	return s.sync(dir)
}

// destroyKeys destroys those of the slots, or of all that there are files of: as long as there is one, a destruction is not over.
func (s *FileStore) destroyKeys(ctx context.Context, session transcript.ID, slots []string) error {
	if len(slots) == 0 {
		files, err := s.list(session.String())
		if err != nil {
			return err
		}
		slots = slices.DeleteFunc(files, func(f string) bool { return !isSlot(f) })
	}
	for _, slot := range slots {
		if err := s.sealer.Destroy(ctx, session, slot); err != nil {
			return fmt.Errorf("destroying the key of %s of session %s: %w", slot, session, err)
		}
	}
	return nil
}

func (s *FileStore) mark(path string) error {
	f, err := s.root.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		s.broken = err
	}
	return errors.Join(err, f.Close())
}

// remove takes away the slots' files, or all but marks, and what interrupted writers left.
func (s *FileStore) remove(dir string, slots []string) error {
	files, err := s.list(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		left := strings.HasPrefix(f, unfinished)
		if !left && (strings.HasSuffix(f, marked) || len(slots) > 0 && !slices.Contains(slots, f)) {
			continue
		}
		if err := s.root.Remove(dir + "/" + f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
