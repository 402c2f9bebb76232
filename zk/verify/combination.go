package verify

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// G1 has an endomorphism that costs one multiplication, (x, y) ↦ (cubeRoot·x, y), and multiplies a point by lambda, a
// cube root of one modulo the group's order. A scalar is split by it into two of half its length.
var (
	cubeRoot fp.Element
	lambda   fr.Element
	halving  ecc.Lattice
)

func init() {
	// As in gnark-crypto's bn254, which does not export them.
	if _, err := cubeRoot.SetString("2203960485148121921418603742825762020974279258880205651966"); err != nil {
		panic(err)
	}
	if _, err := lambda.SetString("4407920970296243842393367215006156084916469457145843978461"); err != nil {
		panic(err)
	}
	ecc.PrecomputeLattice(fr.Modulus(), lambda.BigInt(new(big.Int)), &halving)
}

// shortWeight returns a + b·lambda for the two halves of a number of 128 bits. Different numbers give different weights,
// and a point is multiplied by one in 64 doublings.
func shortWeight(number fr.Element) fr.Element {
	words := number.Bits()
	var a, b fr.Element
	a.SetUint64(words[0])
	b.SetUint64(words[1])
	b.Mul(&b, &lambda)
	return *a.Add(&a, &b)
}

// combination is a sum of points, each times a scalar.
type combination struct {
	points  []bn254.G1Affine
	scalars []fr.Element
}

func (c *combination) add(point bn254.G1Affine, scalar fr.Element) {
	if !scalar.IsZero() {
		c.points, c.scalars = append(c.points, point), append(c.scalars, scalar)
	}
}

// Digits of scalars are odd and of windowBits bits with their sign, so that a point needs these odd multiples.
const (
	windowBits   = 4
	oddMultiples = 1 << (windowBits - 2)
)

// strand is half of a scalar with its point: the sum of multiples[|d|/2]·sign(d)·2^i over the digits d.
type strand struct {
	digits    []int8
	multiples []bn254.G1Affine
}

// sum adds up the combination by Straus's method: all points share their doublings. It is for few points; what it takes
// depends on points and scalars.
func (c *combination) sum() bn254.G1Affine {
	longest := 0
	var strands []strand
	multiples := multiplesOf(c.points)
	for i := range c.points {
		a, b := halves(&c.scalars[i])
		own := multiples[i*oddMultiples : (i+1)*oddMultiples]
		low, high := strand{signedDigits(a), own}, strand{signedDigits(b), nil}
		if len(high.digits) > 0 {
			high.multiples = endomorphic(own)
		}
		strands = append(strands, low, high)
		longest = max(longest, len(low.digits), len(high.digits))
	}
	var sum bn254.G1Jac
	for bit := longest - 1; bit >= 0; bit-- {
		sum.DoubleAssign()
		for _, s := range strands {
			if bit < len(s.digits) && s.digits[bit] != 0 {
				s.add(&sum, int(s.digits[bit]))
			}
		}
	}
	var out bn254.G1Affine
	return *out.FromJacobian(&sum)
}

func (s *strand) add(sum *bn254.G1Jac, digit int) {
	p := s.multiples[max(digit, -digit)/2]
	if digit < 0 {
		p.Y.Neg(&p.Y)
	}
	sum.AddMixed(&p)
}

// multiplesOf returns 1, 3, 5, … times each point.
func multiplesOf(points []bn254.G1Affine) []bn254.G1Affine {
	out := make([]bn254.G1Jac, len(points)*oddMultiples)
	for i := range points {
		own := out[i*oddMultiples : (i+1)*oddMultiples]
		own[0].FromAffine(&points[i])
		var double bn254.G1Jac
		double.Double(&own[0])
		for j := 1; j < oddMultiples; j++ {
			own[j].Set(&own[j-1]).AddAssign(&double)
		}
	}
	return bn254.BatchJacobianToAffineG1(out)
}

func endomorphic(points []bn254.G1Affine) []bn254.G1Affine {
	out := make([]bn254.G1Affine, len(points))
	for i := range points {
		out[i].X.Mul(&points[i].X, &cubeRoot)
		out[i].Y = points[i].Y
	}
	return out
}

// halves returns short a and b with a + b·lambda equal to the scalar: what is left of (scalar, 0) beside the nearest
// point, but for rounding, of the lattice of all (a, b) that stand for 0. For ±shortWeight it finds what made it.
func halves(scalar *fr.Element) (a, b *big.Int) {
	s := scalar.BigInt(new(big.Int))
	first, second := nearest(s, &halving.V2[1]), nearest(s, new(big.Int).Neg(&halving.V1[1]))
	product := new(big.Int)
	a = s.Sub(s, product.Mul(first, &halving.V1[0]))
	a.Sub(a, product.Mul(second, &halving.V2[0]))
	b = new(big.Int).Neg(product.Mul(first, &halving.V1[1]))
	return a, b.Sub(b, product.Mul(second, &halving.V2[1]))
}

// nearest returns the integer nearest to s·v over the lattice's determinant.
func nearest(s, v *big.Int) *big.Int {
	n := new(big.Int).Mul(s, v)
	n.Lsh(n, 1).Add(n, &halving.Det)
	return n.Div(n, new(big.Int).Lsh(&halving.Det, 1))
}

// signedDigits returns digits d with Σ d_i·2^i = k, each 0 or odd and below 2^(windowBits−1) in magnitude, with at least
// windowBits−1 zeros after each that is not. It panics on numbers of more than 127 bits, which halves never returns.
func signedDigits(k *big.Int) []int8 {
	var magnitude [16]byte
	k.FillBytes(magnitude[:])
	high, low := binary.BigEndian.Uint64(magnitude[:8]), binary.BigEndian.Uint64(magnitude[8:])
	out := make([]int8, 0, 8*len(magnitude)+1)
	for high|low != 0 {
		digit := 0
		if low&1 == 1 {
			var carry uint64
			if digit = int(low & (1<<windowBits - 1)); digit >= 1<<(windowBits-1) {
				digit -= 1 << windowBits
				low, carry = bits.Add64(low, uint64(-digit), 0)
				high += carry
			} else {
				low -= uint64(digit)
			}
		}
		out = append(out, int8(digit*k.Sign()))
		low, high = low>>1|high<<63, high>>1
	}
	return out
}
