// Package file keeps keys in one directory of this machine.
//
// Each key is a file of its own, NAME.wrap, NAME.derive, NAME.sign or NAME.share, sealed with XChaCha20-Poly1305 under the
// directory's root key and bound to its kind and name. The root key is in root.age, sealed with a passphrase (scrypt) or to a machine
// key (an age identity), and in memory while the store is open. Other keys are in memory only while they are used.
//
// The directory and its files must belong to the user of the process and be closed to everybody else, and none may be a symbolic
// link: anything else is refused. Files appear whole or not at all and are on the disk when a method returns. Any number of processes
// may use a directory at once.
//
// Destroy overwrites a key's file and then removes it. That is as good as the disk: flash and file systems that copy on write keep old
// blocks for a while, and a backup of the directory keeps the file, sealed under the root key.
//
// Whoever has the directory and the passphrase or machine key has all keys. An organisation that wants a key that nobody can
// copy uses a Vault or an HSM behind one.
package file

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/assay-net/assay/datahub/keys"
	"golang.org/x/crypto/chacha20poly1305"
)

// Store is a keys.Store in a directory.
type Store struct {
	dir *directory

	mu   sync.RWMutex
	root []byte // nil once closed
}

var _ keys.Store = (*Store)(nil)

// Open opens a key directory, or makes one where the configuration says so.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	dir, err := openDirectory(c.Directory, c.Create)
	if err != nil {
		return nil, fmt.Errorf("opening key directory %s: %w", c.Directory, err)
	}
	s := &Store{dir: dir}
	err = dir.exclusive(ctx, func() error {
		if err := dir.sweep(); err != nil {
			return err
		}
		s.root, err = openRoot(dir, &c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening key directory %s: %w", c.Directory, err)
	}
	return s, nil
}

// Close forgets the root key. Whatever is asked afterwards fails with keys.ErrUnavailable.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.root)
	s.root = nil
	return nil
}

var errClosed = fmt.Errorf("the key directory is closed: %w", keys.ErrUnavailable)

// withRoot lends out the root key.
func (s *Store) withRoot(use func(root []byte) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.root == nil {
		return errClosed
	}
	return use(s.root)
}

// Check looks at the directory, not at each file in it.
func (s *Store) Check(context.Context) error {
	return s.withRoot(func([]byte) error { return s.dir.present() })
}

// wrappedVersion is the first byte of what Wrap returns; a nonce and the sealed key follow.
const wrappedVersion = 'f'

func (s *Store) Wrap(ctx context.Context, name string, dataKey, context []byte) ([]byte, error) {
	if err := keys.CheckDataKey(dataKey, context); err != nil {
		return nil, fmt.Errorf("wrapping: %w", err)
	}
	key, err := s.keyOrNew(ctx, entry{wrapping, name})
	if err != nil {
		return nil, fmt.Errorf("wrapping: %w", err)
	}
	defer clear(key)
	sealed, err := seal(key, dataKey, keys.WrapInput(name, context))
	if err != nil {
		return nil, fmt.Errorf("wrapping: %w", err)
	}
	return append([]byte{wrappedVersion}, sealed...), nil
}

func (s *Store) Unwrap(ctx context.Context, name string, wrapped, context []byte) ([]byte, error) {
	if err := keys.CheckWrapped(wrapped, context); err != nil {
		return nil, fmt.Errorf("unwrapping: %w", err)
	}
	key, err := s.load(ctx, entry{wrapping, name})
	if err != nil {
		return nil, fmt.Errorf("unwrapping: %w", err)
	}
	defer clear(key)
	if wrapped[0] != wrappedVersion {
		return nil, fmt.Errorf("unwrapping with key %s: %w", name, keys.ErrCorrupt)
	}
	dataKey, err := unseal(key, wrapped[1:], keys.WrapInput(name, context))
	if err != nil || len(dataKey) != keys.DataKeySize {
		return nil, fmt.Errorf("unwrapping with key %s: %w", name, keys.ErrCorrupt)
	}
	return dataKey, nil
}

func (s *Store) Destroy(ctx context.Context, name string) error {
	e := entry{wrapping, name}
	if err := e.check(); err != nil {
		return fmt.Errorf("destroying: %w", err)
	}
	err := s.withRoot(func([]byte) error { return s.dir.exclusive(ctx, func() error { return s.dir.destroy(e) }) })
	if err != nil {
		return fmt.Errorf("destroying key %s: %w", name, err)
	}
	return nil
}

func (s *Store) Derive(ctx context.Context, name string, contexts [][]byte) ([][32]byte, error) {
	if err := keys.CheckContexts(contexts); err != nil {
		return nil, fmt.Errorf("deriving: %w", err)
	}
	secret, err := s.keyOrNew(ctx, entry{derivation, name})
	if err != nil {
		return nil, fmt.Errorf("deriving: %w", err)
	}
	defer clear(secret)
	out := make([][32]byte, len(contexts))
	mac := hmac.New(sha256.New, secret)
	for i, c := range contexts {
		mac.Reset()
		mac.Write(keys.DeriveInput(name, c))
		mac.Sum(out[i][:0])
	}
	return out, nil
}

func (s *Store) PutShare(ctx context.Context, name string, share []byte) error {
	e := entry{shared, name}
	if err := errors.Join(e.check(), keys.CheckShare(share)); err != nil {
		return fmt.Errorf("keeping a share: %w", err)
	}
	content, err := s.seal(e, share)
	if err != nil {
		return fmt.Errorf("keeping share %s: %w", name, err)
	}
	if err := s.dir.exclusive(ctx, func() error { return s.dir.replace(e, content) }); err != nil {
		return fmt.Errorf("keeping share %s: %w", name, err)
	}
	return nil
}

func (s *Store) Share(ctx context.Context, name string) ([]byte, error) {
	share, err := s.load(ctx, entry{shared, name})
	if err != nil {
		return nil, fmt.Errorf("reading a share: %w", err)
	}
	return share, nil
}

// keyOrNew returns a key that is there, or draws one. Of several processes that draw one at once, one does.
func (s *Store) keyOrNew(ctx context.Context, e entry) ([]byte, error) {
	key, err := s.load(ctx, e)
	if !errors.Is(err, keys.ErrNotFound) {
		return key, err
	}
	fresh := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("drawing key %s: %w", e.name, err)
	}
	content, err := s.seal(e, fresh)
	if err != nil {
		return nil, err
	}
	err = s.dir.exclusive(ctx, func() error { return s.dir.create(e, content) })
	if errors.Is(err, fs.ErrExist) {
		return s.load(ctx, e)
	}
	if err != nil {
		return nil, fmt.Errorf("making key %s: %w", e.name, err)
	}
	return fresh, nil
}

// load opens a key's file. What looks damaged may be a file that another process is just overwriting, so it is read once more when nobody writes.
func (s *Store) load(ctx context.Context, e entry) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	key, err := s.open(e)
	if !errors.Is(err, errDamaged) {
		return key, err
	}
	if locked := s.dir.exclusive(ctx, func() error { key, err = s.open(e); return nil }); locked != nil {
		return nil, locked
	}
	return key, err
}

func (s *Store) open(e entry) (key []byte, err error) {
	err = s.withRoot(func(root []byte) error {
		content, err := s.dir.read(e)
		if err != nil {
			return err
		}
		if key, err = e.unseal(root, content); err != nil {
			return fmt.Errorf("key file %s: %w", s.dir.path(e), err)
		}
		return nil
	})
	return key, err
}

func (s *Store) seal(e entry, key []byte) (content []byte, err error) {
	err = s.withRoot(func(root []byte) error {
		content, err = e.seal(root, key)
		return err
	})
	return content, err
}
