package federated

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/mpc/privacy"
)

var budgets = []privacy.Budget{{EpsilonMillionths: 1_000_000}, {EpsilonMillionths: 500_000, DeltaTrillionths: 1_000_000}}

// TestNoisedAnswers: with noise, every opened total lies within thirty deviations
// of the true one, which chance leaves less than once in 10^20, only the number of
// owners is exact, and the answers follow from the totals.
func TestNoisedAnswers(t *testing.T) {
	for _, b := range budgets {
		q := asked()
		q.Privacy = &b
		p, err := NewPlan(q, 3, moduli)
		if err != nil {
			t.Fatal(err)
		}
		exact, err := NewPlan(asked(), 3, moduli)
		if err != nil {
			t.Fatal(err)
		}
		truth := opened(t, exact)
		r, err := p.Read(opened(t, p), 3)
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for i, got := range r.Totals {
			d := new(big.Int).Sub(got.Value, truth[i])
			f, _ := d.Float64()
			if math.Abs(f) > 30*got.Deviation {
				t.Errorf("%s: %v off, deviation %g", got.Name, d, got.Deviation)
			}
			if d.Sign() != 0 {
				changed++
			}
			if (i == 0) != (got.Deviation == 0) {
				t.Errorf("%s: deviation %g", got.Name, got.Deviation)
			}
		}
		if changed == 0 {
			t.Error("there is no noise")
		}
		mean := r.Answers[2]
		if want := new(big.Rat).SetFrac(r.Totals[3].Value, r.Totals[1].Value); new(big.Rat).Sub(mean.Value, want).Cmp(big.NewRat(2_500_000, 1)) != 0 {
			t.Errorf("mean of values is %v, want 2500000 above %v", mean.Value, want)
		}
	}
}

// TestNegativeTotals: noise far above a small cohort's totals makes them
// negative in residues too, and they are read as they are.
func TestNegativeTotals(t *testing.T) {
	q := oneLane(1, 10, Figure{Kind: Count}, Figure{Kind: Variance, Of: "x"}, Figure{Kind: Histogram, Of: "x", Edges: []uint64{1}})
	q.Privacy = &privacy.Budget{EpsilonMillionths: privacy.MinEpsilonMillionths}
	p, err := NewPlan(q, 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	one, err := p.tally(fleet(lone(1, 1), nil))
	if err != nil {
		t.Fatal(err)
	}
	negative, undefined := false, false
	for range 200 {
		var parts [][]*big.Int
		for range 3 {
			part, err := p.noised(one.totals()) // Totals refuses small ones
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
		}
		sum := new(big.Int)
		for _, part := range parts {
			sum.Add(sum, part[1])
		}
		r, err := p.Read(add(p, moduli, parts), 3)
		if err != nil {
			t.Fatal(err)
		}
		if r.Totals[1].Value.Cmp(sum) != 0 {
			t.Fatalf("read %v, want %v", r.Totals[1].Value, sum)
		}
		negative = negative || sum.Sign() < 0
		undefined = undefined || r.Answers[1].Value == nil
		if (sum.Sign() > 0) != (r.Answers[1].Value != nil) {
			t.Fatalf("count %v, variance %v", sum, r.Answers[1].Value)
		}
	}
	if !negative || !undefined {
		t.Error("no count was negative")
	}
}

// TestDeviations compares the stated deviations with those of many openings.
func TestDeviations(t *testing.T) {
	if testing.Short() {
		t.Skip("draws thousands of answers")
	}
	const runs = 500
	// The answers' values, so that squares of differences keep their digits.
	near := []float64{120_000, 12_000_000, 1000, 160_000, 60_000}
	for _, b := range budgets {
		q := asked()
		q.Minimum, q.Privacy = 1, &b
		p, err := NewPlan(q, 3, moduli)
		if err != nil {
			t.Fatal(err)
		}
		k := len(q.Figures)
		sums, squares, stated := make([]float64, k), make([]float64, k), make([]float64, k)
		many := health(20000, 9000) // far above the noise, for the first order to hold
		base, err := p.tally(fleet(append(many, health(20000, 8200)...), nil))
		if err != nil {
			t.Fatal(err)
		}
		for range runs {
			x := noisedSum(t, p, base.totals())
			r, err := p.Read(x, 3)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range r.Answers {
				v := a.Value
				if v == nil {
					v = new(big.Rat).SetInt(a.Bands[0])
				}
				f := approximate(v) - near[i]
				sums[i], squares[i], stated[i] = sums[i]+f, squares[i]+f*f, a.Deviation
			}
		}
		for i := range k {
			mean := sums[i] / runs
			got := math.Sqrt(squares[i]/runs - mean*mean)
			// The deviation of a sample deviation is below 0.04 of it here.
			if math.Abs(got/stated[i]-1) > 0.25 {
				t.Errorf("%v: deviation %g, stated %g", q.Figures[i], got, stated[i])
			}
		}
	}
}

func noisedSum(t *testing.T, p *Plan, part []*big.Int) []*big.Int {
	t.Helper()
	out := make([]*big.Int, len(part))
	for i := range out {
		out[i] = new(big.Int)
	}
	for range 3 {
		noised, err := p.noised(part)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range noised {
			out[i].Add(out[i], x)
		}
	}
	return out
}

// TestTrapSensitivity: one battery more changes the totals by no more than the
// noise was made for: in each group one total by at most its step, and all changes
// together, each by the scale of its noise, by no more than the budget.
func TestTrapSensitivity(t *testing.T) {
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuery(t)
		q.Population = min(q.Population+1, MaxPopulation) // room for the one
		q.Privacy = &privacy.Budget{EpsilonMillionths: 10_000}
		p, err := NewPlan(q, 3, moduli)
		if err != nil {
			return
		}
		records := drawFleet(t, q)
		before, err := p.tally(fleet(records, nil))
		if err != nil {
			t.Fatal(err)
		}
		after, err := p.tally(fleet(append(records, drawRecord(t, q)), nil))
		if err != nil {
			t.Skip("the population is full")
		}
		planned++
		changed, loss := map[int]int{}, 0.0
		a, b := before.totals(), after.totals()
		for i := 1; i < len(a); i++ {
			d := new(big.Int).Sub(b[i], a[i])
			if d.CmpAbs(p.totals[i].step) > 0 {
				t.Fatalf("%s changes by %v, above %v", p.totals[i].name, d, p.totals[i].step)
			}
			if d.Sign() != 0 {
				changed[p.totals[i].group]++
			}
			f, _ := new(big.Float).SetInt(d.Abs(d)).Float64()
			loss += f * math.Sqrt2 / p.totals[i].noise.Deviation() // Laplace's scale is deviation/√2
			if g := p.totals[i].group; g < 0 || g >= p.groups {
				t.Fatalf("%s is in group %d of %d", p.totals[i].name, g, p.groups)
			}
		}
		for g, n := range changed {
			if n > 1 {
				t.Fatalf("%d totals of group %d change", n, g)
			}
		}
		if loss > 0.01*1.001 {
			t.Fatalf("privacy loss %g, ε is 0.01", loss)
		}
	})
	if planned == 0 {
		t.Error("no query was planned")
	}
}
