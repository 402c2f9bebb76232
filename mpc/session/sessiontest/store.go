package sessiontest

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Store is a store whose Put can fail before or after it kept the value.
type Store struct {
	session.Store
	party  string
	dir    string
	sealer *Sealer

	mu    sync.Mutex
	fault func(slot string) Fault
}

// Store is a party's store: it outlives the party's process.
func (n *Network) Store(name string) *Store {
	n.T.Helper()
	if n.stores[name] == nil {
		n.stores[name] = n.openStore(&Store{party: name, dir: filepath.Join(n.T.TempDir(), name), sealer: NewSealer()})
	}
	return n.stores[name]
}

// SetStore gives a party another store, such as a backup of its own, from its next start on.
func (n *Network) SetStore(s *Store) { n.stores[s.party] = s }

// Backup copies a party's store as it is now, with the keys that it is sealed with.
func (n *Network) Backup(name string) *Store {
	n.T.Helper()
	s := n.Store(name)
	backup := &Store{party: name, dir: filepath.Join(n.T.TempDir(), name), sealer: s.sealer.Copy()}
	if err := os.CopyFS(backup.dir, os.DirFS(s.dir)); err != nil {
		n.T.Fatal(err)
	}
	if err := os.Chmod(backup.dir, 0o700); err != nil {
		n.T.Fatal(err)
	}
	return n.openStore(backup)
}

func (n *Network) openStore(s *Store) *Store {
	n.T.Helper()
	files, err := session.OpenFileStore(s.dir, s.party, s.sealer)
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { _ = files.Close() })
	s.Store = files
	return s
}

// SetFault asks before each Put what is to go wrong with it.
func (s *Store) SetFault(fault func(slot string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Put implements session.Store.
func (s *Store) Put(ctx context.Context, id transcript.ID, slot string, value []byte) ([]byte, error) {
	s.mu.Lock()
	fault := NoFault
	if s.fault != nil {
		fault = s.fault(slot)
	}
	s.mu.Unlock()
	if fault == LostRequest {
		return nil, ErrLost
	}
	kept, err := s.Store.Put(ctx, id, slot, value)
	if fault == LostAnswer {
		return nil, ErrLost
	}
	return kept, err
}
