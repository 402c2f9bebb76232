package party

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// envelope implements session.Sealer on a key store. Each value has a data key of its own, wrapped under a wrapping key of the slot's name, which the key store destroys with the slot.
//
//	a version byte, the length of the wrapped key (2 bytes, big endian), the wrapped key, and AES-256-GCM's nonce, ciphertext and tag
type envelope struct {
	keys keys.Store
	// of tells the stores of one node apart in the names of keys.
	of string
}

const (
	envelopeVersion = 1
	envelopeHead    = 3
)

// lower is for names of keys, which are a–z, 0–9 and '-'.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// name has all of the id and the slot in a hash: others choose ids, and one slot's key must not be destroyed with another's.
func (s *envelope) name(id transcript.ID, slot string) string {
	d := transcript.Hash("assay/party/key/1", []byte(s.of), id[:], []byte(slot))
	return "mpc-" + lower.EncodeToString(d[:])
}

// Seal implements session.Sealer.
func (s *envelope) Seal(ctx context.Context, id transcript.ID, slot string, plaintext, associated []byte) ([]byte, error) {
	key := make([]byte, keys.DataKeySize)
	defer clear(key)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	wrapped, err := s.keys.Wrap(ctx, s.name(id, slot), key, associated)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, envelopeHead+len(wrapped)+len(plaintext)+aead.Overhead())
	out = binary.BigEndian.AppendUint16(append(out, envelopeVersion), uint16(len(wrapped)))
	return aead.Seal(append(out, wrapped...), nil, plaintext, associated), nil
}

// Open implements session.Sealer.
func (s *envelope) Open(ctx context.Context, id transcript.ID, slot string, sealed, associated []byte) ([]byte, error) {
	wrapped, ciphertext, err := splitEnvelope(sealed)
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Unwrap(ctx, s.name(id, slot), wrapped, associated)
	if err != nil {
		return nil, fmt.Errorf("unwrapping its key: %w", err)
	}
	defer clear(key)
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, nil, ciphertext, associated)
	if err != nil {
		return nil, errors.New("it was altered, or is another place's")
	}
	return plaintext, nil
}

// Destroy implements session.Sealer.
func (s *envelope) Destroy(ctx context.Context, id transcript.ID, slot string) error {
	return s.keys.Destroy(ctx, s.name(id, slot))
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// splitEnvelope finds the parts of what Seal wrote.
func splitEnvelope(b []byte) (wrapped, ciphertext []byte, err error) {
	if len(b) < envelopeHead || b[0] != envelopeVersion {
		return nil, nil, fmt.Errorf("%d bytes are no envelope of version %d", len(b), envelopeVersion)
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if n == 0 || n > keys.MaxWrapped || len(b) < envelopeHead+n {
		return nil, nil, fmt.Errorf("wrapped key: %d bytes of %d, want 1 to %d", n, len(b), keys.MaxWrapped)
	}
	return b[envelopeHead : envelopeHead+n], b[envelopeHead+n:], nil
}
