package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/assay-net/assay/mpc/session/transcript"
)

const unfinished = ".new-"

// Put implements Store: a whole file is made and synchronised under another name, and gets its own by a link, which fails if there is one.
func (s *FileStore) Put(ctx context.Context, session transcript.ID, slot string, value []byte) ([]byte, error) {
	if err := checkSlot(slot); err != nil {
		return nil, err
	}
	if len(value) > maxValue {
		return nil, fmt.Errorf("%s of session %s: %d bytes, at most %d", slot, session, len(value), maxValue)
	}
	if err := s.absent(session, slot); !errors.Is(err, ErrAbsent) {
		return nil, err
	}
	sealed, err := s.sealer.Seal(ctx, session, slot, value, s.associated(session, slot))
	if err != nil {
		return nil, fmt.Errorf("sealing %s of session %s: %w", slot, session, err)
	}
	if len(sealed) > maxValue+overhead {
		return nil, fmt.Errorf("sealing %s of session %s: %d bytes, at most %d", slot, session, len(sealed), maxValue+overhead)
	}
	if err := s.place(session.String(), slot, sealed); errors.Is(err, ErrDestroyed) {
		return nil, errors.Join(err, s.sealer.Destroy(ctx, session, slot)) // it may have been made anew
	} else if err != nil {
		return nil, fmt.Errorf("storing %s of session %s: %w", slot, session, err)
	}
	return s.Get(ctx, session, slot) // what the first wrote
}

func (s *FileStore) place(dir, slot string, sealed []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.makeDir(dir); err != nil {
		return err
	}
	temporary := dir + "/" + unfinished + rand.Text()
	if err := s.write(temporary, sealed); err != nil {
		return errors.Join(err, s.root.Remove(temporary))
	}
	err := s.root.Link(temporary, dir+"/"+slot)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err := errors.Join(err, s.root.Remove(temporary), s.sync(dir)); err != nil {
		return err
	}
	return s.removeDestroyed(dir, slot)
}

// removeDestroyed takes a file away again that was put while another process destroyed its session.
func (s *FileStore) removeDestroyed(dir, slot string) error {
	id, err := transcript.ParseID(dir)
	if err != nil {
		return err
	}
	if gone := s.absent(id, slot); errors.Is(gone, ErrDestroyed) {
		if err := s.root.Remove(dir + "/" + slot); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return ErrDestroyed
	}
	return nil
}

func (s *FileStore) write(path string, content []byte) error {
	f, err := s.root.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		if err = f.Sync(); err != nil {
			s.broken = err
		}
	}
	return errors.Join(err, f.Close())
}

// makeDir makes a session's folder, and its name durable.
func (s *FileStore) makeDir(dir string) error {
	if s.broken != nil {
		return fmt.Errorf("the disk failed before, open the store anew: %w", s.broken)
	}
	if err := s.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.sync(".")
}

// sync makes the names in a folder durable. After a failure the disk may say that it succeeded, and have lost them: the store takes nothing more.
func (s *FileStore) sync(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	if err = d.Sync(); err != nil {
		s.broken = err
	}
	return errors.Join(err, d.Close())
}
