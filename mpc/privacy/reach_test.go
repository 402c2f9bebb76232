package privacy

import (
	"math"
	"math/big"
	"testing"

	"github.com/google/differential-privacy/go/v3/noise"
)

// TestReachIsTheSameForAll: grid and reach are those of a bound that exact arithmetic gives as well, and of nothing that is
// searched for with exponentials, whose last places differ between processors. The bound is above what is searched for.
func TestReachIsTheSameForAll(t *testing.T) {
	for _, epsilon := range []uint64{MinEpsilonMillionths, 12_345, 999_999, 1_000_000, MaxEpsilonMillionths} {
		for _, delta := range []uint64{1, 7, 1_000, 1_000_000, MaxDeltaTrillionths} {
			for _, l0 := range []int{1, 7, MaxL0} {
				for _, lInf := range []*big.Int{big.NewInt(1), big.NewInt(15_000), power(47), new(big.Int).Sub(power(94), big.NewInt(1)), power(127)} {
					b := Budget{EpsilonMillionths: epsilon, DeltaTrillionths: delta}
					m, err := New(l0, lInf, b)
					if err != nil {
						t.Fatal(err)
					}
					if least := 8.9 * noise.SigmaForGaussian(m.l0, float64(m.lInf), m.epsilon, m.delta); float64(m.reach) < math.Ldexp(least, min(m.shift, 0)) {
						t.Errorf("%+v, l0 %d, lInf %v: the library's noise goes to %g, out of reach, %d", b, l0, lInf, least, m.reach)
					}
					if sigma := exactSigmaBound(m); sigma > gaussianSigma || sigma < gaussianSigma/2.1 && m.shift > leastShift {
						t.Errorf("%+v, l0 %d, lInf %v: σ is up to 2^%.3f steps", b, l0, lInf, math.Log2(sigma))
					} else if want := math.Ceil(math.Ldexp(sigma*9, min(m.shift, 0))) + 1; math.Abs(float64(m.reach)-want) > max(1, want*0x1p-49) {
						t.Errorf("%+v, l0 %d, lInf %v: reach is %d, want %.0f", b, l0, lInf, m.reach, want)
					}
				}
			}
		}
	}
}

// exactSigmaBound is sigmaBound with 200 bits.
func exactSigmaBound(m *Mechanism) float64 {
	number := func(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }
	root := func(x *big.Float) *big.Float { return new(big.Float).SetPrec(200).Sqrt(x) }
	bits := 0
	for x := m.delta; x < 1; x *= 2 {
		bits++
	}
	ln2, _ := new(big.Float).SetPrec(200).SetString("0.693147180559945309417232121458176568")
	l := ln2.Mul(ln2, number(float64(bits)))
	out := root(new(big.Float).Add(l, number(m.epsilon)))
	out.Add(out, root(l)).Quo(out, number(m.epsilon))
	out.Mul(out, number(float64(m.lInf))).Mul(out, root(number(float64(m.l0)/2)))
	f, _ := out.Float64()
	return f
}
