package privacy

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestNoiseRefuses(t *testing.T) {
	b := Budget{EpsilonMillionths: 1_000_000}
	for _, c := range []struct {
		want string
		sums []float64
		lInf float64
	}{
		{"sensitivity (lInf) is NaN", nil, math.NaN()},
		{"sensitivity (lInf) is 0", nil, 0},
		{"sensitivity (lInf) is +Inf", nil, math.Inf(1)},
		{"a sum is not a number", []float64{1, math.NaN()}, 1},
		{"a sum is not a number", []float64{math.Inf(-1)}, 1},
		{"above 2^50 of its sensitivity 1", []float64{1<<50 + 1}, 1},
	} {
		if _, _, err := Noise(c.sums, 1, c.lInf, b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %q", err, c.want)
		}
	}
	if _, _, err := Noise([]float64{1}, 0, 1, b); err == nil {
		t.Error("l0 of 0 is taken")
	}
}

// TestNoise: results are on the grid whatever the low bits of the sums were,
// near the sums, and the stated deviation is that of the noise.
func TestNoise(t *testing.T) {
	const n = 4000
	sums := make([]float64, n)
	for i := range sums {
		sums[i] = float64(i-n/2) * math.Pi * 100
	}
	given := slices.Clone(sums)
	for _, b := range []Budget{{1_000_000, 0}, {1_000_000, 1_000_000}} {
		for _, lInf := range []float64{1, 0.75, 1e-3, 1e9} {
			noised, deviation, err := Noise(sums, 165, lInf, b)
			if err != nil {
				t.Fatal(err)
			}
			want := math.Sqrt2 * 165 * lInf
			if b.DeltaTrillionths == 0 && math.Abs(deviation/want-1) > 1e-3 {
				t.Errorf("lInf %g: deviation %g, want %g", lInf, deviation, want)
			}
			grid := math.Exp2(math.Ceil(math.Log2(lInf)) - 41)
			squares := 0.0
			for i, y := range noised {
				d := (y - sums[i]) / deviation
				squares += d * d
				if math.Abs(d) > 40 {
					t.Fatalf("lInf %g: %g is %g deviations off", lInf, y, d)
				}
				if math.Mod(y, grid) != 0 {
					t.Fatalf("lInf %g: %g is no multiple of %g", lInf, y, grid)
				}
			}
			if v := squares / n; math.Abs(v-1) > 0.3 {
				t.Errorf("lInf %g: variance is %g of the stated one", lInf, v)
			}
		}
	}
	if !slices.Equal(sums, given) {
		t.Error("the sums were changed")
	}
}

// FuzzNoise: no number makes it panic or return what is not a number.
func FuzzNoise(f *testing.F) {
	f.Add(0.1, 1.0, 3, uint64(1000), uint64(0))
	f.Add(-1e300, 1e19, 4096, uint64(10_000_000), uint64(1))
	f.Add(5e-324, 0x1p-64, 1, uint64(1000), uint64(100_000_000))
	f.Fuzz(func(t *testing.T, sum, lInf float64, l0 int, epsilon, delta uint64) {
		got, deviation, err := Noise([]float64{sum}, l0, lInf, Budget{epsilon, delta})
		if err != nil {
			return
		}
		if math.IsNaN(got[0]) || math.IsInf(got[0], 0) || !(deviation > 0) || math.IsInf(deviation, 0) {
			t.Fatalf("%v, deviation %g", got, deviation)
		}
	})
}
