package evaluation

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// edges are numbers at which signs and digits change.
func edges() []fr.Element {
	half := new(big.Int).Rsh(fr.Modulus(), 1)
	var out []fr.Element
	for _, base := range []*big.Int{new(big.Int), half, big.NewInt(1 << 31), fr.Modulus()} {
		for d := int64(-33); d <= 33; d++ {
			var e fr.Element
			out = append(out, *e.SetBigInt(new(big.Int).Add(base, big.NewInt(d))))
		}
	}
	for range 50 {
		var e fr.Element
		e.MustSetRandom()
		out = append(out, e)
	}
	return out
}

func TestCoefficientDigits(t *testing.T) {
	for _, want := range edges() {
		c := coefficientOf(want)
		sum, since := new(big.Int), digitBits
		for i, d := range c.digits {
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(i)))
			since++
			if d == 0 {
				continue
			}
			if d%2 == 0 || d >= 2*multiples || d <= -2*multiples || since < digitBits {
				t.Errorf("%s: digit %d at %d, %d after the one before", want.String(), d, i, since)
			}
			since = 0
		}
		if sum.Cmp(&c.size) != 0 {
			t.Errorf("%s: digits are of %s, not of %s", want.String(), sum, &c.size)
		}
		if c.negative {
			sum.Neg(sum)
		}
		var got fr.Element
		if got.SetBigInt(sum); !got.Equal(&want) {
			t.Errorf("%s: digits are of %s", want.String(), got.String())
		}
	}
}

func TestSumOf(t *testing.T) {
	_, _, g, _ := bn254.Generators()
	var terms []multiplied[bn254.G1Jac]
	var want fr.Element
	for i, e := range edges() {
		point := fr.NewElement(uint64(i + 1))
		var p bn254.G1Affine
		p.ScalarMultiplication(&g, point.BigInt(new(big.Int)))
		c := coefficientOf(e)
		terms = append(terms, multiplied[bn254.G1Jac]{by: &c})
		terms[i].point.FromAffine(&p)
		want.Add(&want, point.Mul(&point, &e))
		if i >= 4 && i%40 != 0 {
			continue
		}
		sum := sumOf(terms)
		var got, right bn254.G1Affine
		got.FromJacobian(&sum)
		if right.ScalarMultiplication(&g, want.BigInt(new(big.Int))); got != right {
			t.Fatalf("the sum of %d terms is another", i+1)
		}
	}
	var none bn254.G1Jac
	if sum := sumOf([]multiplied[bn254.G1Jac]{{none, terms[0].by}, {none, terms[1].by}}); !sum.Z.IsZero() {
		t.Error("a sum of points at infinity is none")
	}
}
