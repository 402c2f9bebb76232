package verify

import (
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
)

// Domain tags of this package's hashes.
const (
	tagMask  = "assay/v1/mask"
	tagChunk = "assay/v1/chunk-digest"
	tagFleet = "assay/v1/fleet-digest"
)

// transcript collects what goes into a hash: a domain tag and the ledger id
// first, every value behind its length.
type transcript struct {
	tag string
	buf []byte
}

func newTranscript(tag string, ledger commit.Digest) *transcript {
	t := &transcript{tag: tag}
	t.bytes([]byte(tag))
	t.bytes(ledger[:])
	return t
}

func (t *transcript) bytes(b []byte) {
	t.buf = binary.BigEndian.AppendUint32(t.buf, uint32(len(b)))
	t.buf = append(t.buf, b...)
}

func (t *transcript) uint(v uint64) { t.bytes(binary.BigEndian.AppendUint64(nil, v)) }

func (t *transcript) point(p *bn254.G1Affine) {
	b := p.Bytes()
	t.bytes(b[:])
}

// scalar hashes to the field as RFC 9380 does, with the tag as the domain.
func (t *transcript) scalar() fr.Element {
	out, err := fr.Hash(t.buf, []byte(t.tag), 1)
	if err != nil {
		panic(err) // only for a tag longer than 255 bytes
	}
	return out[0]
}
