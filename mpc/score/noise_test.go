package score

import (
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFloodIsUniform(t *testing.T) {
	const samples = 20_000
	ones := make([]int, floodBits)
	for range samples {
		f := flood()
		f.Add(f, pow2(floodBits-1))
		if f.Sign() < 0 || f.BitLen() > floodBits {
			t.Fatal("beyond its range")
		}
		for i := range ones {
			ones[i] += int(f.Bit(i))
		}
	}
	for i, n := range ones {
		if math.Abs(float64(n)-samples/2) > 7*math.Sqrt(samples)/2 {
			t.Errorf("bit %d is 1 in %d of %d", i, n, samples)
		}
	}
}

func TestSmallErrors(t *testing.T) {
	const samples = 1 << 18
	sum, squares := 0.0, 0.0
	for _, e := range small(samples) {
		if e < -errorBound || e > errorBound {
			t.Fatalf("error %d", e)
		}
		sum, squares = sum+float64(e), squares+float64(e)*float64(e)
	}
	if mean, variance := sum/samples, squares/samples; math.Abs(mean) > 0.05 || math.Abs(variance-10.5) > 0.2 {
		t.Errorf("mean %g, variance %g", mean, variance)
	}
}

// The noise without flooding is below the bound that the flooding is measured against, for the worst moments there are.
func TestNoiseBound(t *testing.T) {
	s := plainShape(7, 5)
	w := randomCoefficients(1, s.Monomials())
	q, k := hostile(t, s, w)
	fixed := make([]int64, len(w))
	for i := range fixed {
		fixed[i] = (1 << momentBits) * int64(1-2*(i%2))
	}
	c := toss()
	c.flood = new(big.Int)
	got := k.decrypt(q.evaluate(0, fixed, c))
	for i, v := range w {
		got.Sub(got, new(big.Int).Mul(v, big.NewInt(fixed[i])))
	}
	got = toNumber(got).centred()
	noise, _ := new(big.Float).SetInt(got).Float64()
	bound := opening{terms: len(w)}.noise()
	if math.Abs(noise) > bound {
		t.Errorf("noise 2^%.1f, bound 2^%.1f", math.Log2(math.Abs(noise)), math.Log2(bound))
	}
	worst := opening{terms: MaxMonomials}.noise()
	if distance := math.Log2(worst) - floodBits; distance > -86 {
		t.Errorf("statistical distance 2^%.1f", distance)
	}
	t.Logf("noise 2^%.1f of at most 2^%.1f; at worst 2^%.1f", math.Log2(math.Abs(noise)), math.Log2(bound), math.Log2(worst))
}

func TestMonomials(t *testing.T) {
	list := listMonomials(3, 2)
	x := []float64{2, 3, 5}
	got := make([]float64, len(list.parent))
	list.evaluate(x, got)
	if diff := cmp.Diff([]float64{1, 2, 3, 5, 4, 6, 10, 9, 15, 25}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{1, 1, 1, 1, 1, 2, 2, 1, 2, 1}, list.orderings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{0, 1, 1, 1, 2, 2, 2, 2, 2, 2}, list.degree); diff != "" {
		t.Error(diff)
	}
}
