package sessiontest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// Sealer seals with a random key in memory.
type Sealer struct{ aead cipher.AEAD }

// NewSealer draws a key.
func NewSealer() *Sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &Sealer{aead}
}

// Seal implements session.Sealer.
func (s *Sealer) Seal(_ context.Context, plaintext, associated []byte) ([]byte, error) {
	return s.aead.Seal(nil, nil, plaintext, associated), nil
}

// Open implements session.Sealer.
func (s *Sealer) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
	b, err := s.aead.Open(nil, nil, sealed, associated)
	if err != nil {
		return nil, errors.New("not sealed with this key for this place")
	}
	return b, nil
}
