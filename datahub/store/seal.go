package store

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/assay-net/assay/zk/commit"
)

// kind is which column of which table a sealed body is in.
type kind string

const (
	frameBody      kind = "frame"
	snapshotBody   kind = "snapshot"
	quarantineBody kind = "quarantine"
	reportBody     kind = "report"
	openingBody    kind = "opening"
	absentBody     kind = "absent"
)

const (
	sealTag     = "assay/store/row/v1"
	sealVersion = 1
	sealExtra   = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
)

// place is what a sealed body is bound to: it opens nowhere else.
type place struct {
	kind   kind
	fleet  string
	device commit.DeviceID
	epoch  uint64
	// position tells rows of a device and epoch apart, and holds the columns that are not to be altered either.
	position []byte
}

// String names the row for errors.
func (p place) String() string {
	return fmt.Sprintf("%s of fleet %q, device %s, epoch %d", p.kind, p.fleet, p.device, p.epoch)
}

// associated is the associated data: every field with its length before it where that varies.
func (p place) associated() []byte {
	b := make([]byte, 0, len(sealTag)+len(p.kind)+len(p.fleet)+len(p.position)+64)
	b = append(b, sealTag...)
	b = appendString(b, string(p.kind))
	b = appendString(b, p.fleet)
	b = append(b, p.device[:]...)
	b = binary.BigEndian.AppendUint64(b, p.epoch)
	return appendString(b, string(p.position))
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// seal returns version, nonce and ciphertext.
func seal(key cipher.AEAD, p place, body []byte) []byte {
	out := make([]byte, 1+chacha20poly1305.NonceSizeX, sealExtra+len(body))
	out[0] = sealVersion
	nonce := out[1:]
	rand.Read(nonce)
	return key.Seal(out, nonce, body, p.associated())
}

// open returns what seal sealed in that place.
func open(key cipher.AEAD, p place, sealed []byte) ([]byte, error) {
	if len(sealed) < sealExtra || sealed[0] != sealVersion {
		return nil, fmt.Errorf("%s: %w", p, ErrTampered)
	}
	nonce, box := sealed[1:1+chacha20poly1305.NonceSizeX], sealed[1+chacha20poly1305.NonceSizeX:]
	body, err := key.Open(nil, nonce, box, p.associated())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p, ErrTampered)
	}
	return body, nil
}
