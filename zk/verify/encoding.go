package verify

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
)

// writer and reader lay points (compressed) and scalars (big-endian) one after
// another. The reader keeps the first error and reads zeros after it.
type writer struct{ b []byte }

func (w *writer) point(p *bn254.G1Affine) {
	b := p.Bytes()
	w.b = append(w.b, b[:]...)
}

func (w *writer) point2(p *bn254.G2Affine) {
	b := p.Bytes()
	w.b = append(w.b, b[:]...)
}

func (w *writer) scalar(s *fr.Element) {
	b := s.Bytes()
	w.b = append(w.b, b[:]...)
}

type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int, name string) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.b) < n {
		r.err = fmt.Errorf("%s: cut short", name)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) point(name string) bn254.G1Affine {
	b := r.take(bn254.SizeOfG1AffineCompressed, name)
	if b == nil {
		return bn254.G1Affine{}
	}
	p, err := commit.ParsePoint(b)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return p
}

func (r *reader) point2(name string) bn254.G2Affine {
	b := r.take(bn254.SizeOfG2AffineCompressed, name)
	if b == nil {
		return bn254.G2Affine{}
	}
	var p bn254.G2Affine
	if _, err := p.SetBytes(b); err != nil {
		r.err = fmt.Errorf("%s: not a compressed point of the subgroup", name)
		return p
	}
	if p.IsInfinity() {
		r.err = fmt.Errorf("%s: the point at infinity", name)
	}
	if again := p.Bytes(); string(again[:]) != string(b) {
		r.err = fmt.Errorf("%s: not in canonical form", name)
	}
	return p
}

func (r *reader) scalar(name string) fr.Element {
	b := r.take(fr.Bytes, name)
	if b == nil {
		return fr.Element{}
	}
	s, err := commit.ParseScalar(b)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return s
}

func (r *reader) end() error {
	if r.err == nil && len(r.b) != 0 {
		return errors.New("trailing bytes")
	}
	return r.err
}
