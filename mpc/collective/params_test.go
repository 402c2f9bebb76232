package collective

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrimesAreNobodysChoice(t *testing.T) {
	var want []uint64
	for x := uint64(1<<53 + 1 - 1<<14); len(want) < 6; x -= 1 << 14 {
		if new(big.Int).SetUint64(x).ProbablyPrime(32) {
			want = append(want, x)
		}
	}
	if got := slices.Concat(standardQ, standardPlain); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// The guidelines of 2024 allow 214 bits of modulus at N = 8192 for 128 bits of classical security with ternary secrets and errors of standard deviation
// 3.19; the table of the standard of 2018, before newer attacks, 218.
func TestModulusIsWithinTheGuidelines(t *testing.T) {
	p := Standard()
	if p.N() != 8192 || p.ring.Modulus().BitLen() > 214 {
		t.Errorf("N = %d, log Q = %d", p.N(), p.ring.Modulus().BitLen())
	}
	if deviation := math.Sqrt(float64(errorBound) / 2); deviation < 3.2 {
		t.Errorf("errors deviate by %f", deviation)
	}
}

func log2(x *big.Int) float64 {
	shift := max(0, x.BitLen()-60)
	f, _ := new(big.Float).SetInt(new(big.Int).Rsh(x, uint(shift))).Float64()
	return math.Log2(f) + float64(shift)
}

// The values that the package documentation states.
func TestNoiseBudget(t *testing.T) {
	p, shares := Standard(), MaxOwners+1
	half := new(big.Int).Rsh(p.ring.Modulus(), 1)
	for k := range MaxCiphertexts {
		if margin := log2(half) - log2(p.openingBound(k, shares)); margin < 10.9 {
			t.Errorf("ciphertext %d: the largest honest coefficient is 2^%.1f below Q/2, want 2^10.9", k, margin)
		}
	}
	sessions := 1 + 9.0 + 40 // two values within the bound, coefficients and sessions seen
	for _, c := range []struct {
		name  string
		noise *big.Int
		want  float64
	}{
		{"honest", p.sumNoise(MaxOwners, shares), -67},
		{"forged", new(big.Int).Mul(p.sumNoise(MaxOwners, shares), big.NewInt(2*maskBound)), -35},
	} {
		if got := log2(c.noise) + sessions - floodBits; got > c.want {
			t.Errorf("%s: distance 2^%.1f, want 2^%.0f", c.name, got, c.want)
		}
	}
	if got := log2(p.sumNoise(MaxOwners, shares)); got > 26.5 {
		t.Errorf("noise of a sum 2^%.2f", got)
	}
	if got := log2(p.forgedNoise(MaxOwners, shares)); got > 87 {
		t.Errorf("noise of a forged sum 2^%.2f", got)
	}
}

func TestChallengesAreMany(t *testing.T) {
	count := new(big.Int).Binomial(int64(Standard().N()), challengeWeight)
	count.Lsh(count, challengeWeight)
	if log2(count) < 256 {
		t.Errorf("2^%.1f challenges", log2(count))
	}
}

func TestLimits(t *testing.T) {
	p := Standard()
	for k := 1; k <= MaxCiphertexts; k++ {
		twice := new(big.Int).Mul(p.Limit(k), big.NewInt(2*MaxOwners))
		if twice.Cmp(p.plainModulus(k)) >= 0 {
			t.Errorf("%d ciphertexts: %d owners' limits wrap", k, MaxOwners)
		}
	}
	for _, c := range []struct {
		bits uint
		want int
	}{{0, 1}, {47, 1}, {49, 2}, {100, 2}, {102, 0}, {1000, 0}} {
		for _, sign := range []int64{1, -1} {
			bound := new(big.Int).Mul(big.NewInt(sign), new(big.Int).Lsh(big.NewInt(1), c.bits))
			if got, err := p.Ciphertexts(bound); got != c.want || (err != nil) != (c.want == 0) {
				t.Errorf("2^%d: %d ciphertexts, %v", c.bits, got, err)
			}
		}
	}
	if p.Limit(0).Sign() != 0 || p.Limit(3).Sign() != 0 {
		t.Error("limits of no shape")
	}
}
