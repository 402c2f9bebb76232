package privacy

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func power(k uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), k) }

func TestNewRefuses(t *testing.T) {
	good := Budget{EpsilonMillionths: 1_000_000}
	for _, c := range []struct {
		want   string
		l0     int
		lInf   *big.Int
		budget Budget
	}{
		{"epsilon_millionths is 999, want 1000 to 10000000", 1, power(0), Budget{EpsilonMillionths: 999}},
		{"epsilon_millionths is 10000001", 1, power(0), Budget{EpsilonMillionths: 10_000_001}},
		{"delta_trillionths is 100000001, at most 100000000", 1, power(0), Budget{EpsilonMillionths: 1000, DeltaTrillionths: 100_000_001}},
		{"(l0), want 1 to 4096", 0, power(0), good},
		{"(l0), want 1 to 4096", 4097, power(0), good},
		{"(lInf) has sign 0", 1, new(big.Int), good},
		{"(lInf) has sign -1", 1, big.NewInt(-1), good},
		{"129 bits, want a positive number of at most 128", 1, power(128), good},
	} {
		if _, err := New(c.l0, c.lInf, c.budget); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %q", err, c.want)
		}
	}
}

// corners are the ends of everything that may be asked for.
func corners() (out []*Mechanism, names []string) {
	for _, b := range []Budget{{MinEpsilonMillionths, 0}, {MaxEpsilonMillionths, 0}, {MinEpsilonMillionths, 1}, {MaxEpsilonMillionths, MaxDeltaTrillionths}, {MaxEpsilonMillionths, 1}} {
		for _, l0 := range []int{1, 7, MaxL0} {
			for _, k := range []uint{0, 1, 20, 39, 40, 41, 60, 62, 63, 64, 94, 127} {
				for _, less := range []int64{0, 1} {
					lInf := new(big.Int).Sub(power(k), big.NewInt(less*int64(k)))
					if lInf.Sign() <= 0 {
						continue
					}
					m, err := New(l0, lInf, b)
					if err != nil {
						panic(fmt.Sprintf("l0 %d, lInf %v, %+v: %v", l0, lInf, b, err))
					}
					out, names = append(out, m), append(names, fmt.Sprintf("l0 %d, lInf %v, %+v", l0, lInf, b))
				}
			}
		}
	}
	return out, names
}

// TestTrapGranularity: whatever the sensitivity, results are multiples of the
// grid, which is far below the noise, and none is out of reach. Squares have
// sensitivities beyond 63 bits.
func TestTrapGranularity(t *testing.T) {
	ms, names := corners()
	for i, m := range ms {
		x := new(big.Int).Add(power(100), big.NewInt(12345))
		for range 5 {
			y, err := m.Add(x, x, x)
			if err != nil {
				t.Fatal(err)
			}
			if new(big.Int).Rem(y, m.Grid()).Sign() != 0 {
				t.Errorf("%s: %v is no multiple of 2^%d", names[i], y, m.shift)
			}
			if d := new(big.Int).Sub(y, x); d.CmpAbs(m.Reach()) >= 0 {
				t.Errorf("%s: %v is out of reach, %v", names[i], d, m.Reach())
			}
		}
		grid := math.Ldexp(1, int(m.coarse()))
		if m.shift > 0 && m.Deviation() < grid*(1<<30) {
			t.Errorf("%s: deviation %g, grid %g", names[i], m.Deviation(), grid)
		}
	}
}

// TestTrapLibraryRounds: the library rounds noise that is finer than integers to
// integers with halves away from zero, which is no function of number plus noise: at
// half a step 0 is half as likely as 1 and -1, a privacy loss of log 2 whatever ε is.
// So Laplace's noise is drawn where the library's own step is 1.
func TestTrapLibraryRounds(t *testing.T) {
	ms, names := corners()
	for i, m := range ms {
		if scale := float64(m.l0) * float64(m.lInf) / m.epsilon; m.delta == 0 && (scale <= 1<<39 || scale > 1<<40) {
			t.Errorf("%s: the library draws at a scale of 2^%.1f and rounds to integers", names[i], math.Log2(scale))
		}
	}
}

// TestScaleIsEnough: the scale in the numbers' own unit is at least what the
// definition asks for, and not much above.
func TestScaleIsEnough(t *testing.T) {
	ms, names := corners()
	for i, m := range ms {
		unit := math.Ldexp(float64(m.lInf), m.shift)
		if m.delta > 0 {
			if d := gaussianDelta(m.Deviation()/unit, float64(m.l0), m.epsilon); d > m.delta*1.001 && unit > 8 {
				t.Errorf("%s: δ is %g, want %g", names[i], d, m.delta)
			}
			continue
		}
		want := math.Sqrt2 * unit * float64(m.l0) / m.epsilon
		if r := m.Deviation() / want; unit > 8 && (r < 0.999 || r > 1.001) {
			t.Errorf("%s: deviation %g, want %g", names[i], m.Deviation(), want)
		}
	}
}

// gaussianDelta integrates the definition: the excess of the density of noise
// around 0 over e^ε times that around the L2 sensitivity √l0, in units of lInf.
func gaussianDelta(sigma, l0, epsilon float64) float64 {
	shift := math.Sqrt(l0) / sigma
	sum, step := 0.0, 1e-3
	for x := -14.0; x < 14; x += step {
		excess := math.Exp(-x*x/2) - math.Exp(epsilon-(x+shift)*(x+shift)/2)
		sum += max(excess, 0) * step
	}
	return sum / math.Sqrt(2*math.Pi)
}

// TestRoundingKeepsSensitivity is the argument for the grid: numbers at most
// Δ apart are at most ⌈Δ/2^k⌉ steps apart when they are rounded.
func TestRoundingKeepsSensitivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.UintRange(0, 70).Draw(t, "k")
		base := new(big.Int).Lsh(big.NewInt(rapid.Int64().Draw(t, "x")), rapid.UintRange(0, 40).Draw(t, "zeros"))
		x := base.Add(base, big.NewInt(rapid.Int64Range(-2, 2).Draw(t, "near")))
		delta := new(big.Int).Rsh(new(big.Int).SetUint64(rapid.Uint64().Draw(t, "delta")), rapid.UintRange(0, 63).Draw(t, "less"))
		d := new(big.Int).Sub(roundShift(new(big.Int).Add(x, delta), k), roundShift(x, k))
		if d.Sign() < 0 || d.Cmp(ceilShift(delta, int(k))) > 0 {
			t.Fatalf("%v and %v more: %v steps of 2^%d", x, delta, d, k)
		}
		back := new(big.Int).Lsh(roundShift(x, k), k)
		if back.Sub(back, x).CmpAbs(power(k)) >= 0 {
			t.Fatalf("%v is rounded by %v", x, back)
		}
	})
}

func TestAddCutsOff(t *testing.T) {
	m, err := New(1, big.NewInt(1), Budget{EpsilonMillionths: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	low, high := big.NewInt(-5), big.NewInt(5)
	for _, x := range []int64{-6, 6} {
		if _, err := m.Add(big.NewInt(x), low, high); err == nil {
			t.Errorf("%d is taken as within [-5, 5]", x)
		}
	}
	m.reach = -1 // nothing beyond the bounds themselves
	seen := map[int64]bool{}
	for range 300 {
		y, err := m.Add(big.NewInt(5), low, high)
		if err != nil {
			t.Fatal(err)
		}
		if y.Cmp(low) < 0 || y.Cmp(high) > 0 {
			t.Fatalf("%v is outside", y)
		}
		seen[y.Int64()] = true
	}
	if !seen[5] || !seen[4] {
		t.Errorf("seen %v", seen)
	}
}

func TestBudgetAdd(t *testing.T) {
	sum, err := (Budget{3, 4}).Add(Budget{5, 6})
	if err != nil || sum != (Budget{8, 10}) {
		t.Errorf("%v, %v", sum, err)
	}
	for _, o := range []Budget{{math.MaxUint64, 0}, {0, math.MaxUint64}} {
		if _, err := (Budget{1, 1}).Add(o); err == nil {
			t.Errorf("%v fits", o)
		}
	}
}
