package privacy

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/google/differential-privacy/go/v3/noise"
)

// Bounds of a sensitivity.
const (
	MaxL0       = 1 << 12
	MaxLInfBits = 128
)

// The greatest scales of the noise, in steps of its grid. The library's own
// granularity is scale/2^40 for Laplace, upwards to a power of two, and 2σ/2^57 for
// Gauss. leastShift is below what the least sensitivity and noise need.
const (
	laplaceScale  = 1 << 40
	gaussianSigma = 1 << 42
	leastShift    = -44
)

// Mechanism adds noise for one sensitivity and budget. It holds no secret and
// is safe for concurrent use.
type Mechanism struct {
	shift          int   // noise is drawn in steps of 2^shift; below 0 it is rounded to integers afterwards
	l0, lInf       int64 // of numbers on the grid, in these steps
	epsilon, delta float64
	source         noise.Noise
	reach          int64   // in steps of the results' grid
	variance       float64 // in such steps squared
}

// New calibrates noise for numbers of which one record more or less changes at
// most l0, these by at most lInf.
func New(l0 int, lInf *big.Int, b Budget) (*Mechanism, error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	if l0 < 1 || l0 > MaxL0 {
		return nil, fmt.Errorf("privacy: %d numbers change at once (l0), want 1 to %d", l0, MaxL0)
	}
	if lInf.Sign() <= 0 || lInf.BitLen() > MaxLInfBits {
		return nil, fmt.Errorf("privacy: sensitivity (lInf) has sign %d and %d bits, want a positive number of at most %d", lInf.Sign(), lInf.BitLen(), MaxLInfBits)
	}
	m := &Mechanism{l0: int64(l0), epsilon: b.epsilon(), delta: b.delta()}
	calibrate := m.laplace
	if m.delta > 0 {
		calibrate = m.gaussian
	}
	for m.shift = leastShift; m.shift <= MaxLInfBits; m.shift++ {
		step := ceilShift(lInf, m.shift)
		if step.BitLen() > -leastShift {
			continue
		}
		if m.lInf = step.Int64(); calibrate() {
			return m, nil
		}
	}
	return nil, errors.New("privacy: no grid fits the sensitivity and the budget")
}

// laplace sets the noise for the present grid and says whether it fits.
func (m *Mechanism) laplace() bool {
	l1 := float64(m.l0) * float64(m.lInf)
	scale := l1 / m.epsilon
	if scale > laplaceScale {
		return false
	}
	// The library adds its granularity, 1, to l1.
	scale = math.Ldexp(scale, min(m.shift, 0))
	m.source, m.reach = noise.Laplace(), int64(math.Ceil(scale*45))+1
	// P[round(L) = n] for L of Laplace's distribution is a geometric sequence
	// in q = e^(-1/scale) from n = 1 on; this is the sum of 2n²·P.
	q, p := math.Exp(-1/scale), -math.Expm1(-1/scale)
	m.variance = math.Sqrt(q) * (1 + q) / (p * p)
	return true
}

// gaussian is laplace with a δ. The library cuts its noise off at 8.9σ.
func (m *Mechanism) gaussian() bool {
	most := sigmaBound(float64(m.l0), float64(m.lInf), m.epsilon, m.delta)
	if most > gaussianSigma {
		return false
	}
	m.source, m.reach = noise.Gaussian(), int64(math.Ceil(math.Ldexp(most, min(m.shift, 0))*9))+1
	m.variance = roundedGaussianVariance(math.Ldexp(noise.SigmaForGaussian(m.l0, float64(m.lInf), m.epsilon, m.delta), min(m.shift, 0)))
	return true
}

// sigmaBound is above the σ that the library finds, by a search whose result may
// differ between processors in its last places. Grid and reach follow from this bound: it
// is made of operations that IEEE 754 rounds in one way, so that all parties come to the same.
// Gaussian noise is (ρ + 2√(ρ·L), δ)-private for ρ = l0·lInf²/2σ² and any L ≥ ln(1/δ) (Bun and
// Steinke 2016, propositions 1.3 and 1.6); L is ln 2 times a whole number of bits.
func sigmaBound(l0, lInf, epsilon, delta float64) float64 {
	_, exponent := math.Frexp(delta)                        // δ is at least 2^(exponent-1)
	l := float64(float64(1-exponent) * 0x1.62e42fefa39fp-1) // ln 2, upwards; conversions keep a compiler from fusing products with sums
	root := math.Sqrt(l+epsilon) + math.Sqrt(l)             // √ρ is ε over this
	return lInf * math.Sqrt(l0/2) * root / epsilon
}

// roundedGaussianVariance is that of a Gaussian rounded to integers.
func roundedGaussianVariance(sigma float64) float64 {
	if sigma > 4 {
		return sigma*sigma + 1.0/12
	}
	variance := 0.0
	tail := func(x float64) float64 { return math.Erfc(x / (sigma * math.Sqrt2)) } // both tails
	for n := 1.0; n < 40*max(sigma, 1); n++ {
		variance += n * n * (tail(n-0.5) - tail(n+0.5))
	}
	return variance
}

// Add returns x with fresh noise, a multiple of the grid but where it is cut
// off. low and high are public bounds of x; the result is within
// [low − Reach, high + Reach]. An x outside its bounds is an error.
func (m *Mechanism) Add(x, low, high *big.Int) (*big.Int, error) {
	if x.Cmp(low) < 0 || x.Cmp(high) > 0 {
		return nil, errors.New("privacy: a number is outside the bounds stated for it")
	}
	y, err := m.add(x)
	if err != nil {
		return nil, err
	}
	reach := m.Reach()
	if least := new(big.Int).Sub(low, reach); y.Cmp(least) < 0 {
		return least, nil
	}
	if most := new(big.Int).Add(high, reach); y.Cmp(most) > 0 {
		return most, nil
	}
	return y, nil
}

func (m *Mechanism) add(x *big.Int) (*big.Int, error) {
	n, err := m.source.AddNoiseInt64(0, m.l0, m.lInf, m.epsilon, m.delta)
	if err != nil {
		return nil, fmt.Errorf("privacy: drawing noise: %w", err)
	}
	if m.shift < 0 { // x is on the grid, so that this is the rounded sum of the two
		y := roundShift(big.NewInt(n), uint(-m.shift))
		return y.Add(y, x), nil
	}
	y := roundShift(x, uint(m.shift))
	y.Add(y, big.NewInt(n))
	return y.Lsh(y, uint(m.shift)), nil
}

// coarse is the exponent of the results' grid.
func (m *Mechanism) coarse() uint { return uint(max(m.shift, 0)) }

// Reach bounds how far [Mechanism.Add] goes beyond the bounds of its number.
// Noise and rounding go farther with probability below 2^-64.
func (m *Mechanism) Reach() *big.Int {
	r := big.NewInt(m.reach + 1)
	return r.Lsh(r, m.coarse())
}

// Deviation is the standard deviation of the noise in one number, in that
// number's unit. The mean is 0. Rounding to the grid is not in it; where the grid
// is not 1 it is far below.
func (m *Mechanism) Deviation() float64 { return math.Ldexp(math.Sqrt(m.variance), int(m.coarse())) }

// Grid is the power of two that the results are multiples of.
func (m *Mechanism) Grid() *big.Int { return new(big.Int).Lsh(big.NewInt(1), m.coarse()) }

// ceilShift is ⌈x/2^k⌉.
func ceilShift(x *big.Int, k int) *big.Int {
	y := new(big.Int).Neg(x)
	if k < 0 {
		return y.Neg(y.Lsh(y, uint(-k)))
	}
	return y.Neg(y.Rsh(y, uint(k))) // Rsh rounds towards minus infinity
}

// roundShift is ⌊x/2^k + ½⌋: the same for all x up to steps of 2^k, so that a
// difference grows to at most ⌈difference/2^k⌉.
func roundShift(x *big.Int, k uint) *big.Int {
	if k == 0 {
		return new(big.Int).Set(x)
	}
	y := new(big.Int).Lsh(big.NewInt(1), k-1)
	y.Add(y, x)
	return y.Rsh(y, k)
}
