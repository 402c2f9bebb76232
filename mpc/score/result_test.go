package score

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestDeviation(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		r                Result
		deviation, bound float64
	}{
		"not asked for":      {Result{Mean: 0.5, MeanError: 1e-9}, nan, nan},
		"of no cohort":       {Result{0.5, 1e-9, 0.2, 1e-9}, nan, nan},
		"just of none":       {Result{0, 1, -2, 1}, nan, nan},
		"within the errors":  {Result{0, 1, -1, 1}, 0, 1},
		"of the same":        {Result{0.5, 0, 0.25, 1e-6}, 0, 1e-3},
		"of different":       {Result{0, 0, 4, 1e-9}, 2, 2.5e-10},
		"far below rounding": {Result{0, 0, 1, 1e-30}, 1, 5e-31},
	} {
		deviation, bound := c.r.Deviation()
		if math.IsNaN(c.bound) {
			if !math.IsNaN(deviation) || !math.IsNaN(bound) {
				t.Errorf("%s: %g within %g", name, deviation, bound)
			}
			continue
		}
		if deviation != c.deviation || !(bound >= c.bound && bound < c.bound*1.0001) {
			t.Errorf("%s: %g within %g, want %g within %g", name, deviation, bound, c.deviation, c.bound)
		}
	}
}

// The bound holds for whatever the two means can be, within their errors.
func TestDeviationBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := math.Ldexp(1, rapid.IntRange(-20, 20).Draw(t, "scale"))
		r := Result{
			Mean: scale * rapid.Float64Range(-1, 1).Draw(t, "mean"), MeanSquare: scale * scale * rapid.Float64Range(0, 1).Draw(t, "square"),
			MeanError: scale * math.Ldexp(1, -rapid.IntRange(1, 28).Draw(t, "error")), MeanSquareError: scale * scale * math.Ldexp(1, -rapid.IntRange(1, 28).Draw(t, "error of the square")),
		}
		deviation, bound := r.Deviation()
		mean := new(big.Float).SetPrec(500).SetFloat64(r.Mean + r.MeanError*rapid.Float64Range(-0.999, 0.999).Draw(t, "off"))
		square := new(big.Float).SetPrec(500).SetFloat64(r.MeanSquare + r.MeanSquareError*rapid.Float64Range(-0.999, 0.999).Draw(t, "square off"))
		variance := square.Sub(square, mean.Mul(mean, mean))
		if variance.Sign() < 0 {
			t.Skip("of no cohort")
		}
		is := variance.Sqrt(variance)
		off, _ := is.Sub(is, big.NewFloat(deviation)).Float64()
		if !(math.Abs(off) <= bound) {
			t.Fatalf("%+v: %g within %g is %g off", r, deviation, bound, off)
		}
	})
}

// scoreOf is what a lender reads from moments, without the encryption.
func scoreOf(m *Model, moments *Moments) Result {
	mean := func(coefficients []float64) (sum float64) {
		for k, c := range coefficients {
			sum += c * math.Ldexp(float64(moments.fixed[k]), -momentBits)
		}
		return sum
	}
	return Result{Mean: mean(m.expand(false)), MeanError: 1e-12, MeanSquare: mean(m.expand(true)), MeanSquareError: 1e-12}
}

func TestNoiseIn(t *testing.T) {
	const batteries, trials = 1_000, 300
	for seed, deviation := range []float64{0.1, 3, 30, 300, 3_000} {
		t.Run(fmt.Sprint(deviation), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			m := model(uint64(seed), Logistic, 2, 3, true)
			f := fleet(uint64(seed), batteries, 7)
			o := owner()
			o.Least = batteries / 2
			exact, err := o.Collect(m.Shape(), records(f))
			must(t, err)
			want := scoreOf(m, exact)
			root, _ := want.Deviation()
			o.Noise = func(sums []float64) error {
				for k := range sums {
					sums[k] += deviation * r.NormFloat64()
				}
				return nil
			}
			var is, says [2]float64
			n := 0
			for range trials {
				noised, err := o.Collect(m.Shape(), records(f))
				if err != nil {
					continue // too few, by the noised number
				}
				n++
				got := scoreOf(m, noised)
				spread, _ := got.Deviation()
				if math.IsNaN(spread) {
					spread = 0
				}
				mean, ofSpread := m.NoiseIn(got, deviation, batteries/2)
				is[0], says[0] = is[0]+(got.Mean-want.Mean)*(got.Mean-want.Mean), says[0]+mean*mean
				is[1], says[1] = is[1]+(spread-root)*(spread-root), says[1]+ofSpread*ofSpread
			}
			t.Logf("%d answers: mean %.2g, at most %.2g; deviation %.2g, at most %.2g", n, math.Sqrt(is[0]/float64(n)), math.Sqrt(says[0]/float64(n)), math.Sqrt(is[1]/float64(n)), math.Sqrt(says[1]/float64(n)))
			for i := range is {
				if is[i] > says[i] || is[i] < says[i]/1e4 {
					t.Errorf("number %d: squares add up to %g, stated are %g", i, is[i], says[i])
				}
			}
		})
	}
	linear := model(1, Linear, 3, 1, false)
	if mean, spread := linear.NoiseIn(Result{}, 10, 1_000); !(mean > 0) || spread != 0 {
		t.Errorf("without the spread: %g, %g", mean, spread)
	}
}
