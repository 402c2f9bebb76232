package workqueue

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/assay-net/assay/datahub/keys"
)

// Key is the secret that an owner shares with its workers. Printing or marshalling one never shows it.
type Key [32]byte

// KeySecret names the secret in the owner's key store that queue keys are derived from.
const KeySecret = "work-queue"

// DeriveKey computes a queue's key in the owner's key store. It is the same for ever, so that a restarted node opens what it
// sealed; generation is raised to lock a worker out.
func DeriveKey(ctx context.Context, store keys.Store, queue string, generation uint32) (Key, error) {
	if err := checkName("queue", queue); err != nil {
		return Key{}, err
	}
	c := binary.BigEndian.AppendUint32([]byte("assay/v1/work-queue/"+queue+"/"), generation)
	out, err := store.Derive(ctx, KeySecret, [][]byte{c})
	if err != nil {
		return Key{}, fmt.Errorf("deriving the key of queue %s: %w", queue, err)
	}
	if len(out) != 1 {
		return Key{}, fmt.Errorf("deriving the key of queue %s: the key store returned %d keys, want 1", queue, len(out))
	}
	return out[0], nil
}

const redacted = "[queue key]"

// String returns a placeholder.
func (Key) String() string { return redacted }

// Format writes a placeholder whatever the verb.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // fmt.State keeps its own error

// MarshalText refuses: storing a key must be a decision, taken by copying its bytes.
func (Key) MarshalText() ([]byte, error) {
	return nil, errors.New("a queue key is not marshalled; seal its bytes instead")
}

// MarshalJSON refuses like MarshalText.
func (k Key) MarshalJSON() ([]byte, error) { return k.MarshalText() }

// ID names a job. As text it is 64 lower-case hexadecimal digits.
type ID [32]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

func parseID(text string) (ID, error) {
	var id ID
	if len(text) != 2*len(id) {
		return id, errors.New("not a job's id")
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil || id.String() != text {
		return ID{}, errors.New("not a job's id")
	}
	return id, nil
}

// codec seals and opens a queue's messages.
type codec struct {
	queue string
	id    []byte
	aead  cipher.AEAD
}

func newCodec(queue string, key Key) (*codec, error) {
	if key == (Key{}) {
		return nil, errors.New("queue key: missing")
	}
	seal, err := hkdf.Expand(sha256.New, key[:], "assay/v1/work-queue/seal", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Expand(sha256.New, key[:], "assay/v1/work-queue/id", sha256.Size)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(seal)
	if err != nil {
		return nil, err
	}
	return &codec{queue, id, aead}, nil
}

// name is a keyed hash of what a job is about.
func (c *codec) name(about [][]byte) ID {
	h := hmac.New(sha256.New, c.id)
	for _, part := range about {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return ID(h.Sum(nil))
}

// Directions of a message.
const (
	toWorker = 1
	toOwner  = 2
)

const sealVersion = 1

// overhead is what sealing adds: version, nonce, tag.
const overhead = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// associated binds a message to queue, direction and job, and to the attempt (a job) or the worker (a result).
func (c *codec) associated(direction byte, id ID, of string) []byte {
	b := []byte("assay/v1/work-queue/message")
	b = append(b, sealVersion, direction)
	b = append(b, id[:]...)
	b = append(b, byte(len(c.queue)))
	b = append(b, c.queue...)
	b = append(b, byte(len(of)))
	return append(b, of...)
}

func (c *codec) seal(direction byte, id ID, of string, payload []byte) []byte {
	b := make([]byte, 1+chacha20poly1305.NonceSizeX, overhead+len(payload))
	b[0] = sealVersion
	rand.Read(b[1:]) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	return c.aead.Seal(b, b[1:], payload, c.associated(direction, id, of))
}

func (c *codec) open(direction byte, id ID, of string, b []byte, limit int) ([]byte, error) {
	if len(b) < overhead || len(b) > overhead+limit {
		return nil, fmt.Errorf("message has %d bytes, want %d to %d", len(b), overhead, overhead+limit)
	}
	if b[0] != sealVersion {
		return nil, fmt.Errorf("message is of version %d, want %d", b[0], sealVersion)
	}
	nonce, sealed := b[1:][:chacha20poly1305.NonceSizeX], b[1+chacha20poly1305.NonceSizeX:]
	out, err := c.aead.Open(nil, nonce, sealed, c.associated(direction, id, of))
	if err != nil {
		return nil, errors.New("message was not sealed under this queue's key for this job")
	}
	return out, nil
}
