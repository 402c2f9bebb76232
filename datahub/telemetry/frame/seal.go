package frame

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/assay-net/assay/zk/commit"
)

// Overhead is by how much sealing makes a message longer.
const Overhead = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// The first byte of what goes over MQTT.
const (
	outerSealed = 1
	outerOffer  = 2
)

const tagTransport = "assay/v1/transport"

// TransportKey is what a device and its owner's node seal messages with. Printing or marshalling one never shows it.
type TransportKey [chacha20poly1305.KeySize]byte

const redacted = "[transport key]"

// String returns a placeholder.
func (TransportKey) String() string { return redacted }

// Format writes a placeholder whatever the verb.
func (TransportKey) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // fmt.State keeps its own error

// MarshalText refuses: storing a key must be a decision, taken by copying its bytes.
func (TransportKey) MarshalText() ([]byte, error) {
	return nil, errors.New("a transport key is not marshalled; seal its bytes instead")
}

// MarshalJSON refuses like MarshalText.
func (k TransportKey) MarshalJSON() ([]byte, error) { return k.MarshalText() }

// IsZero reports whether the key was never set.
func (k TransportKey) IsZero() bool { return k == TransportKey{} }

// Direction says who seals: a message of the one direction does not open as one of the other.
type Direction byte

// The directions.
const (
	Up   Direction = 1 // from the device
	Down Direction = 2 // to the device
)

// Seal seals a message between a device and its node: a version byte, a random nonce of 24 bytes and the
// XChaCha20-Poly1305 ciphertext, whose associated data are version, direction and device.
func Seal(key TransportKey, d Direction, device commit.DeviceID, plaintext []byte) []byte {
	out := make([]byte, 1+chacha20poly1305.NonceSizeX, Overhead+len(plaintext))
	out[0] = outerSealed
	nonce := out[1:]
	rand.Read(nonce) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	return key.cipher().Seal(out, nonce, plaintext, associated(d, device))
}

// Open undoes Seal. It takes at most MaxFrame bytes.
func Open(key TransportKey, d Direction, device commit.DeviceID, b []byte) ([]byte, error) {
	switch {
	case len(b) > MaxFrame:
		return nil, fmt.Errorf("sealed message has %d bytes, at most %d", len(b), MaxFrame)
	case len(b) < Overhead:
		return nil, fmt.Errorf("sealed message has %d bytes, at least %d", len(b), Overhead)
	case b[0] != outerSealed:
		return nil, fmt.Errorf("sealed message: version %d is not %d", b[0], outerSealed)
	case key.IsZero():
		return nil, errors.New("sealed message: no transport key")
	}
	nonce, sealed := b[1:1+chacha20poly1305.NonceSizeX], b[1+chacha20poly1305.NonceSizeX:]
	out, err := key.cipher().Open(nil, nonce, sealed, associated(d, device))
	if err != nil {
		return nil, errors.New("sealed message does not open under the device's transport key")
	}
	return out, nil
}

func (k TransportKey) cipher() cipher.AEAD {
	return must(chacha20poly1305.NewX(k[:])) // fails only for a key of another length
}

func associated(d Direction, device commit.DeviceID) []byte {
	out := make([]byte, 0, len(tagTransport)+2+len(device))
	out = append(out, tagTransport...)
	out = append(out, outerSealed, byte(d))
	return append(out, device[:]...)
}
