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
	tagWeights        = "assay/v1/weights"
	tagSRS            = "assay/v1/srs"
)

// scalarBytes is how many uniform bytes are reduced to a scalar: 384 bits leave a bias below 2^-128.
const scalarBytes = 48

// transcript is what goes into a hash: a domain tag, the ledger id, then values. Each is preceded by its length, so two
// different lists of values never read the same.
type transcript struct {
	tag string
	buf []byte
}

func newTranscript(tag string, ledger Digest) *transcript {
	t := &transcript{tag: tag, buf: make([]byte, 0, 640)}
	t.bytes([]byte(tag))
	t.bytes(ledger[:])
	return t
}

func (t *transcript) bytes(b []byte) {
	t.buf = binary.BigEndian.AppendUint32(t.buf, uint32(len(b)))
	t.buf = append(t.buf, b...)
}

func (t *transcript) uint(v uint64) {
	t.bytes(binary.BigEndian.AppendUint64(nil, v))
}

func (t *transcript) point(p *bn254.G1Affine) {
	b := p.Bytes()
	t.bytes(b[:])
}

func (t *transcript) scalar(s *fr.Element) {
	b := s.Bytes()
	t.bytes(b[:])
}

func (t *transcript) place(p Place) {
	t.bytes(p.SRS[:])
	t.bytes([]byte(p.Fleet))
	t.uint(uint64(p.Chunk))
	t.uint(uint64(p.Size))
	t.uint(uint64(p.Slot))
	t.uint(p.Epoch)
}

// challenge hashes the transcript into the scalar field (RFC 9380 expand_message_xmd with SHA-256; the tag is also its
// DST).
func (t *transcript) challenge() fr.Element {
	out, err := fr.Hash(t.buf, []byte(t.tag), 1)
	if err != nil {
		panic(err) // only a tag longer than 255 bytes
	}
	return out[0]
}

// prf derives count scalars from the secret and the transcript (HKDF-Expand of RFC 5869, whose blocks are
// HMAC-SHA-256).
func (t *transcript) prf(secret Secret, count int) []fr.Element {
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
