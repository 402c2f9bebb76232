package commit

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Domain tags. Each hash of this package starts with one of its own, so that no value hashed for one purpose serves
// another.
const (
	tagBlinding       = "assay/v1/blinding"
	tagNonce          = "assay/v1/nonce"
	tagRepresentation = "assay/v1/representation"
	tagAttestation    = "assay/v1/attestation"
	tagPossession     = "assay/v1/possession"
	tagWeights        = "assay/v1/weights"
	tagSRS            = "assay/v1/srs"
)

// scalarBytes is how many uniform bytes are reduced to a scalar: 384 bits leave a bias below 2^-128.
const scalarBytes = 48

// Transcript is what goes into a hash: a domain tag, the ledger id, then values. Each is preceded by its length, so two
// different lists of values never read the same.
type Transcript struct {
	tag string
	buf []byte
}

// NewTranscript starts with a domain tag of at most 255 bytes and the ledger id.
func NewTranscript(tag string, ledger Digest) *Transcript {
	t := &Transcript{tag: tag, buf: make([]byte, 0, 640)}
	t.Bytes([]byte(tag))
	t.Bytes(ledger[:])
	return t
}

// Bytes adds a byte string behind its length.
func (t *Transcript) Bytes(b []byte) {
	t.buf = binary.BigEndian.AppendUint32(t.buf, uint32(len(b)))
	t.buf = append(t.buf, b...)
}

// Uint adds a number, eight bytes big-endian.
func (t *Transcript) Uint(v uint64) {
	t.Bytes(binary.BigEndian.AppendUint64(nil, v))
}

// Point adds a compressed point.
func (t *Transcript) Point(p *bn254.G1Affine) {
	b := p.Bytes()
	t.Bytes(b[:])
}

// Scalar adds a scalar, 32 bytes big-endian.
func (t *Transcript) Scalar(s *fr.Element) {
	b := s.Bytes()
	t.Bytes(b[:])
}

func (t *Transcript) place(p Place) {
	t.Bytes(p.SRS[:])
	t.Bytes([]byte(p.Fleet))
	t.Uint(uint64(p.Chunk))
	t.Uint(uint64(p.Size))
	t.Uint(uint64(p.Slot))
	t.Uint(p.Epoch)
}

// Challenge hashes the transcript into the scalar field (RFC 9380 expand_message_xmd with SHA-256; the tag is also its
// DST).
func (t *Transcript) Challenge() fr.Element {
	out, err := fr.Hash(t.buf, []byte(t.tag), 1)
	if err != nil {
		panic(err) // only a tag longer than 255 bytes
	}
	return out[0]
}

// Digest is the transcript's SHA-256.
func (t *Transcript) Digest() Digest { return sha256.Sum256(t.buf) }

// prf derives count scalars from the secret and the transcript (HKDF-Expand of RFC 5869, whose blocks are
// HMAC-SHA-256).
func (t *Transcript) prf(secret Secret, count int) []fr.Element {
	stream, err := hkdf.Expand(sha256.New, secret[:], string(t.buf), count*scalarBytes)
	if err != nil {
		panic(err) // only an output longer than 255 blocks
	}
	out := make([]fr.Element, count)
	for i := range out {
		out[i].SetBytes(stream[i*scalarBytes : (i+1)*scalarBytes])
	}
	clear(stream)
	return out
}
