package sessiontest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"maps"
	"sync"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Sealer seals with random keys in memory.
type Sealer struct {
	mu   sync.Mutex
	keys map[place]cipher.AEAD
}

type place struct {
	session transcript.ID
	slot    string
}

// NewSealer has no keys yet.
func NewSealer() *Sealer { return &Sealer{keys: map[place]cipher.AEAD{}} }

func (s *Sealer) key(at place, draw bool) cipher.AEAD {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[at] == nil && draw {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		block, err := aes.NewCipher(key)
		if err != nil {
			panic(err)
		}
		if s.keys[at], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			panic(err)
		}
	}
	return s.keys[at]
}

// Seal implements session.Sealer.
func (s *Sealer) Seal(_ context.Context, id transcript.ID, slot string, plaintext, associated []byte) ([]byte, error) {
	return s.key(place{id, slot}, true).Seal(nil, nil, plaintext, associated), nil
}

// Open implements session.Sealer.
func (s *Sealer) Open(_ context.Context, id transcript.ID, slot string, sealed, associated []byte) ([]byte, error) {
	key := s.key(place{id, slot}, false)
	if key == nil {
		return nil, errors.New("there is no key of that place")
	}
	b, err := key.Open(nil, nil, sealed, associated)
	if err != nil {
		return nil, errors.New("not sealed with this key for this place")
	}
	return b, nil
}

// Destroy implements session.Sealer.
func (s *Sealer) Destroy(_ context.Context, id transcript.ID, slot string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, place{id, slot})
	return nil
}

// Copy is a key service that was restored from a backup of this one as it is now.
func (s *Sealer) Copy() *Sealer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Sealer{keys: maps.Clone(s.keys)}
}

// Keys counts those that are left.
func (s *Sealer) Keys() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys)
}
