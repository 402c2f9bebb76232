package verify

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func random(t testing.TB) fr.Element {
	t.Helper()
	var out fr.Element
	if _, err := out.SetRandom(); err != nil {
		t.Fatal(err)
	}
	return out
}

func number(n *big.Int) fr.Element {
	var out fr.Element
	return *out.SetBigInt(n)
}

func powerOfTwo(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

func TestEndomorphismMultipliesByLambda(t *testing.T) {
	_, _, g, _ := bn254.Generators()
	var want bn254.G1Affine
	want.ScalarMultiplication(&g, lambda.BigInt(new(big.Int)))
	if got := endomorphic([]bn254.G1Affine{g})[0]; !got.Equal(&want) {
		t.Error("the endomorphism does not multiply by lambda")
	}
	var cube fr.Element
	if cube.Square(&lambda).Mul(&cube, &lambda); !cube.IsOne() || lambda.IsOne() {
		t.Error("lambda is not a cube root of one")
	}
}

// scalarsToSplit are ordinary scalars and those at the edges of the lattice.
func scalarsToSplit(t testing.TB) []fr.Element {
	var minusOne, half fr.Element
	minusOne.SetInt64(-1)
	half.SetUint64(2).Inverse(&half)
	out := []fr.Element{{}, fr.One(), minusOne, half, lambda}
	for _, v := range [][2]big.Int{halving.V1, halving.V2} {
		for i := range v {
			out = append(out, number(&v[i]), number(new(big.Int).Rsh(&v[i], 1)))
		}
	}
	for n := range uint(254) {
		out = append(out, number(powerOfTwo(n)), number(new(big.Int).Sub(powerOfTwo(n), big.NewInt(1))))
	}
	for range 2000 {
		out = append(out, random(t))
	}
	for _, s := range out {
		out = append(out, *new(fr.Element).Mul(&s, &lambda), *new(fr.Element).Neg(&s))
	}
	return out
}

func TestScalarsAreSplit(t *testing.T) {
	for _, s := range scalarsToSplit(t) {
		a, b := halves(&s)
		if a.BitLen() > 127 || b.BitLen() > 127 {
			t.Fatalf("halves of %s have %d and %d bits", s.String(), a.BitLen(), b.BitLen())
		}
		sum, low := number(b), number(a)
		if sum.Mul(&sum, &lambda).Add(&sum, &low); !sum.Equal(&s) {
			t.Fatalf("halves of %s stand for %s", s.String(), sum.String())
		}
		for _, half := range []*big.Int{a, b} {
			got := new(big.Int)
			digits := signedDigits(half)
			for i := len(digits) - 1; i >= 0; i-- {
				got.Lsh(got, 1).Add(got, big.NewInt(int64(digits[i])))
				if d := max(digits[i], -digits[i]); d != 0 && (d%2 == 0 || d >= 2*oddMultiples) {
					t.Fatalf("digit %d", digits[i])
				}
			}
			if got.Cmp(half) != 0 {
				t.Fatalf("digits of %s stand for %s", half, got)
			}
		}
	}
}

// Weights must be as many as the numbers that they are made from: 2^128.
func TestShortWeightsAreShortAndDiffer(t *testing.T) {
	top := new(big.Int).Sub(powerOfTwo(128), big.NewInt(1))
	seen := map[fr.Element]bool{}
	for _, n := range []*big.Int{big.NewInt(0), big.NewInt(1), powerOfTwo(63), powerOfTwo(64), powerOfTwo(127), new(big.Int).Rsh(top, 64), new(big.Int).Lsh(new(big.Int).Rsh(top, 64), 64), top} {
		w := shortWeight(number(n))
		if seen[w] {
			t.Errorf("%s: a weight came twice", n)
		}
		seen[w] = true
		for range 2 {
			a, b := halves(&w)
			got := new(big.Int).Add(new(big.Int).Abs(a), new(big.Int).Lsh(new(big.Int).Abs(b), 64))
			if got.Cmp(n) != 0 {
				t.Errorf("%s: the weight is split into %s and %s", n, a, b)
			}
			w.Neg(&w)
		}
	}
}

func TestCombination(t *testing.T) {
	_, _, g, _ := bn254.Generators()
	scalars := scalarsToSplit(t)[:600]
	var c combination
	check := func(name string) {
		t.Helper()
		var want bn254.G1Affine
		if _, err := want.MultiExp(c.points, c.scalars, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if got := c.sum(); !got.Equal(&want) {
			t.Errorf("%s: wrong sum of %d points", name, len(c.points))
		}
	}
	check("none")
	points := bn254.BatchScalarMultiplicationG1(&g, scalars)
	for i := range scalars {
		single := combination{}
		single.add(points[i], random(t))
		single.add(points[i], scalars[i])
		single, c = c, single
		check("one point twice")
		single, c = c, single
		c.add(points[i], scalars[len(scalars)-1-i])
	}
	check("many")
	c = combination{}
	for range 20 {
		s := random(t)
		c.add(g, s)
		c.add(g, *s.Neg(&s))
		c.add(bn254.G1Affine{}, random(t))
		check("equal points that cancel, and infinity")
	}
}
