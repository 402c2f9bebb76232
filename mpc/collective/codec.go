package collective

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Encodings are of fixed length: a header of ten bytes, then fields whose lengths the parameters, the shape and (for a holding) the number of owners
// settle. Lengths are compared before anything is allocated; every residue must be reduced; nothing may follow. So each value has one encoding.
// Lattigo's own readers, which allocate by lengths in the data, are never called.

type kind byte

const (
	kindPublicPart kind = iota + 1
	kindPublicKey
	kindSecretPart
	kindHolding
	kindInput
	kindSwitchShare
)

func (k kind) String() string {
	return [...]string{"", "public part", "public key", "secret part", "holding", "input", "switch share"}[k]
}

const (
	magic       = "AMPC"
	headerBytes = len(magic) + 6
	wordBytes   = 7 // a prime of Q has at most 53 bits
)

var errResidue = errors.New("a residue is not reduced")

// header is magic, parameters, kind, then what distinguishes lengths: totals and ciphertexts, or owners.
func (p *Params) header(k kind, used, count int) []byte {
	b := append([]byte(magic), p.code, byte(k))
	b = binary.LittleEndian.AppendUint16(b, uint16(used))
	return binary.LittleEndian.AppendUint16(b, uint16(count))
}

// body takes the header off an encoding of exactly size bytes.
func (p *Params) body(k kind, used, count, size int, data []byte) (*reader, error) {
	if len(data) != size {
		return nil, fmt.Errorf("%s: %d bytes, want %d", k, len(data), size)
	}
	if string(data[:headerBytes]) != string(p.header(k, used, count)) {
		return nil, fmt.Errorf("%s: header is not of this kind, parameter set and shape", k)
	}
	return &reader{p: p, rest: data[headerBytes:]}, nil
}

// reader reads fields of a body whose length was compared, and remembers that one of them was wrong.
type reader struct {
	p    *Params
	rest []byte
	err  error
}

func (r *reader) bytes(n int) []byte {
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) digest() (d [32]byte) {
	copy(d[:], r.bytes(32))
	return d
}

func (r *reader) words(n int) words {
	w := r.p.newWords(n)
	for i, q := range r.p.q {
		for j := range w[i] {
			var b [8]byte
			copy(b[:], r.bytes(wordBytes))
			if w[i][j] = binary.LittleEndian.Uint64(b[:]); w[i][j] >= q {
				r.err = errResidue
			}
		}
	}
	return w
}

func (r *reader) poly() ring.Poly { return ring.Poly{Coeffs: [][]uint64(r.words(r.p.N()))} }

// proof reads a proof; whether its responses are within their bounds is verify's to say.
func (r *reader) proof() *proof {
	out := &proof{challenge: r.digest()}
	for i := range out.z {
		out.z[i] = make([]int32, r.p.N())
		for j := range out.z[i] {
			out.z[i][j] = int32(binary.LittleEndian.Uint32(r.bytes(proofWordBytes)))
		}
	}
	return out
}

func (p *Params) wordsSize(n int) int { return len(p.q) * n * wordBytes }
func (p *Params) polySize() int       { return p.wordsSize(p.N()) }
func (p *Params) proofSize() int      { return 32 + 2*p.N()*proofWordBytes }

func appendWords(b []byte, w words) []byte {
	for _, row := range w {
		for _, v := range row {
			b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48))
		}
	}
	return b
}

func appendPoly(b []byte, x ring.Poly) []byte { return appendWords(b, words(x.Coeffs)) }

func appendProof(b []byte, proof *proof) []byte {
	b = append(b, proof.challenge[:]...)
	for _, z := range proof.z {
		for _, v := range z {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	}
	return b
}
