package collective

import (
	"math/big"
	"math/bits"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// words are some coefficients of ring elements by their residues: words[i][j] is coefficient j modulo the i-th prime of Q, reduced. A whole element
// is a ring.Poly, in the NTT domain and not in Montgomery form unless a name says otherwise.
type words [][]uint64

func (p *Params) newWords(n int) words {
	w := make(words, len(p.q))
	for i := range w {
		w[i] = make([]uint64, n)
	}
	return w
}

// add is a + b mod q for reduced a, b without a branch.
func add(a, b, q uint64) uint64 {
	sum, borrow := bits.Sub64(a+b, q, 0)
	return sum + q&-borrow
}

func sub(a, b, q uint64) uint64 {
	difference, borrow := bits.Sub64(a, b, 0)
	return difference + q&-borrow
}

// accumulate adds y to x.
func (p *Params) accumulate(x, y words) {
	for i, q := range p.q {
		for j := range x[i] {
			x[i][j] = add(x[i][j], y[i][j], q)
		}
	}
}

// residue is v mod q for |v| < q without a branch: v may be secret.
func residue(v int32, q uint64) uint64 {
	x := int64(v)
	return uint64(x) + q&uint64(x>>63)
}

// lift gives the element with small coefficients.
func (p *Params) lift(small []int32) ring.Poly {
	x := p.ring.NewPoly()
	for i, q := range p.q {
		for j, v := range small {
			x.Coeffs[i][j] = residue(v, q)
		}
	}
	p.ring.NTT(x, x)
	return x
}

// product is x*y.
func (p *Params) product(x, y ring.Poly) ring.Poly {
	z := p.ring.NewPoly()
	p.ring.MulCoeffsBarrett(x, y, z)
	return z
}

// productPlus is x*y + z.
func (p *Params) productPlus(x, y, z ring.Poly) ring.Poly {
	out := p.product(x, y)
	p.ring.Add(out, z, out)
	return out
}

// coefficients gives the first n coefficients of x.
func (p *Params) coefficients(x ring.Poly, n int) words {
	y := p.ring.NewPoly()
	p.ring.INTT(x, y)
	w := make(words, len(p.q))
	for i := range w {
		w[i] = y.Coeffs[i][:n:n]
	}
	return w
}

// expand reads a uniform element, which serves in the NTT domain as it is.
func (p *Params) expand(label string, fields ...[]byte) ring.Poly {
	x, r := p.ring.NewPoly(), p.stream(label, fields...)
	for i, q := range p.q {
		uniform(r, q, x.Coeffs[i])
	}
	return x
}

// centred is coefficient j of w times scalar as an integer in (-Q/2, Q/2).
func (p *Params) centred(w words, j int, scalar uint64) *big.Int {
	sum, word := new(big.Int), new(big.Int)
	for i := range p.q {
		sum.Add(sum, word.Mul(word.SetUint64(w[i][j]), p.unit[i]))
	}
	sum.Mul(sum, word.SetUint64(scalar))
	return centre(sum, p.ring.Modulus())
}

// centre reduces x modulo an odd modulus into (-modulus/2, modulus/2).
func centre(x, modulus *big.Int) *big.Int {
	x.Mod(x, modulus)
	if x.Cmp(new(big.Int).Rsh(modulus, 1)) > 0 {
		x.Sub(x, modulus)
	}
	return x
}

func wipe(x ring.Poly) {
	for _, row := range x.Coeffs {
		clear(row)
	}
}
