package privacy

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

// TestDistribution compares mean and deviation of drawn noise with the stated
// ones, for noise below a step of the grid as well as for 2^90.
func TestDistribution(t *testing.T) {
	if testing.Short() {
		t.Skip("draws tens of thousands of numbers")
	}
	const n = 4000
	for _, lInf := range []*big.Int{big.NewInt(1), big.NewInt(15000), power(90)} {
		for _, b := range []Budget{{1_000_000, 0}, {4_000_000, 0}, {1_000_000, 1_000_000}, {10_000_000, MaxDeltaTrillionths}} {
			t.Run(fmt.Sprintf("%v/%+v", lInf, b), func(t *testing.T) {
				m, err := New(1, lInf, b)
				if err != nil {
					t.Fatal(err)
				}
				sum, squares := 0.0, 0.0
				for range n {
					y, err := m.Add(new(big.Int), new(big.Int), new(big.Int))
					if err != nil {
						t.Fatal(err)
					}
					f, _ := y.Float64()
					f /= m.Deviation()
					sum, squares = sum+f, squares+f*f
				}
				// More than six deviations of each estimate, at kurtosis 9.
				if mean := sum / n; math.Abs(mean) > 7/math.Sqrt(n) {
					t.Errorf("mean %g deviations", mean)
				}
				if v := squares / n; math.Abs(v-1) > 0.3 {
					t.Errorf("variance is %g of the stated one", v)
				}
			})
		}
	}
}

// TestNeighbours draws from two neighbours and looks for an event that tells
// them apart by more than e^ε (and δ). It would find a scale that is half of what
// it should be; it proves nothing about the tails.
func TestNeighbours(t *testing.T) {
	if testing.Short() {
		t.Skip("draws tens of thousands of numbers")
	}
	const n = 10_000
	m, err := New(2, big.NewInt(3), Budget{EpsilonMillionths: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	// Two numbers, both changed by 3. The sharpest event is that both are above a
	// threshold from 3 on.
	var counts [2][12]float64
	for side := range counts {
		x := big.NewInt(int64(3 * side))
		for range n {
			first, second := drawn(t, m, x), drawn(t, m, x)
			for k := range counts[side] {
				if threshold := int64(3*k - 9); first >= threshold && second >= threshold {
					counts[side][k]++
				}
			}
		}
	}
	for k := range counts[0] {
		a, b := counts[0][k], counts[1][k]
		if a < 100 {
			continue
		}
		noise := 6 * math.Sqrt(1/a+1/b)
		if loss := math.Log(b / a); loss > 1+noise {
			t.Errorf("event %d: privacy loss %g, ε is 1", k, loss)
		}
	}
	// There all of ε is lost, if the scale is no larger than it has to be.
	if a, b := counts[0][5], counts[1][5]; math.Log(b/a) < 0.6 {
		t.Errorf("privacy loss is %g, want nearly 1", math.Log(b/a))
	}
}

func drawn(t *testing.T, m *Mechanism, x *big.Int) int64 {
	t.Helper()
	y, err := m.Add(x, x, x)
	if err != nil {
		t.Fatal(err)
	}
	return y.Int64()
}
