package score

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
)

// pairs counts how often each of -1, 0, 1 follows each.
func pairs(values []int8) (count [3][3]int) {
	for i := 1; i < len(values); i++ {
		count[values[i-1]+1][values[i]+1]++
	}
	return count
}

// Neighbouring coefficients of a secret are independent.
func TestTrapTernaryNeighbours(t *testing.T) {
	const samples = 1 << 20
	const want = samples / 9.0
	for a, row := range pairs(ternary(samples)) {
		for b, n := range row {
			if math.Abs(float64(n)-want) > 7*math.Sqrt(want) {
				t.Errorf("(%d, %d) came %d times, expected about %.0f", a-1, b-1, n, want)
			}
		}
	}
}

// Those of the library's sampler are not, which is why it is not used. Where this fails, the library has changed, and
// what is said of it beside our samplers is to be read again.
func TestLibraryTernaryNeighbours(t *testing.T) {
	prng, err := sampling.NewPRNG()
	must(t, err)
	sampler, err := ring.NewTernarySampler(prng, theRing(), ring.Ternary{P: 2.0 / 3}, false)
	must(t, err)
	var values []int8
	for range 64 {
		for _, w := range sampler.ReadNew().Coeffs[0] {
			v := int8(-1)
			if w < 2 {
				v = int8(w)
			}
			values = append(values, v)
		}
	}
	for a, want := range []float64{0.045, 1.0 / 3, 0.62} {
		row := pairs(values)[a]
		n := float64(row[0] + row[1] + row[2])
		if got := float64(row[1]) / n; math.Abs(got-want) > 0.01 { // 8 standard deviations
			t.Errorf("after %d a 0 comes with probability %.3f, stated %.3f", a-1, got, want)
		}
		if math.Abs(n/float64(len(values))-1.0/3) > 0.01 {
			t.Errorf("%d comes %.0f times of %d", a-1, n, len(values))
		}
	}
}

// fewBits is a source whose large reads have random bytes in the high halves of words only.
type fewBits struct{}

func (fewBits) Read(b []byte) (int, error) {
	rand.Read(b)
	if len(b) == 1024 { // the sampler's buffer of words, not what it adds
		for i := 0; i < len(b); i += 8 {
			binary.LittleEndian.PutUint32(b[i:], 0x40000080)
		}
	}
	return len(b), nil
}

// The library's wide Gaussian takes its value from 32 random bits and adds 2^-53 of it: where those bits are the same, so
// are the values, but for that, and however wide it is.
func TestLibraryWideGaussian(t *testing.T) {
	for _, sigma := range []float64{0x1p80, 0x1p140, 0x1p160} {
		sampler := ring.NewGaussianSampler(fewBits{}, theRing(), ring.DiscreteGaussian{Sigma: sigma, Bound: sigma * 32}, false)
		p := sampler.ReadNew()
		least, most := new(big.Int), new(big.Int)
		for i := range ringDegree {
			v := number{p.Coeffs[0][i], p.Coeffs[1][i], p.Coeffs[2][i]}.centred()
			if i == 0 || v.Cmp(least) < 0 {
				least.Set(v)
			}
			if i == 0 || v.Cmp(most) > 0 {
				most.Set(v)
			}
		}
		width := new(big.Int).Sub(most, least)
		if least.CmpAbs(most) < 0 {
			least.Set(most)
		}
		if least.BitLen() < int(math.Log2(sigma))-4 || width.Sign() == 0 || width.Cmp(least.Abs(least).Rsh(least, 53)) > 0 {
			t.Errorf("sigma 2^%.0f: 2^%d and around it values over 2^%d", math.Log2(sigma), least.BitLen()+53, width.BitLen())
		}
	}
}
