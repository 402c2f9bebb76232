package federated

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/assay-net/assay/mpc/privacy"
)

func TestPlanRefuses(t *testing.T) {
	two := []uint64{1032193, 1038337} // 20 bits
	for _, c := range []struct {
		name, want string
		owners     int
		moduli     []uint64
	}{
		{"two owners", "2 owners, want 3 to 16", 2, moduli},
		{"seventeen owners", "17 owners, want 3 to 16", 17, moduli},
		{"no modulus", "0 plaintext moduli", 3, nil},
		{"three moduli", "3 plaintext moduli", 3, append(two, moduli[0])},
		{"composite", "plaintext modulus 1 is 36028797018963915, want a prime", 3, []uint64{moduli[0], moduli[0] + 2}},
		{"small", "want a prime of 20 to 61 bits", 3, []uint64{524287}},
		{"large", "want a prime of 20 to 61 bits", 3, []uint64{1<<62 - 57}},
		{"twice", "both plaintext moduli are", 3, []uint64{moduli[0], moduli[0]}},
	} {
		if _, err := NewPlan(asked(), c.owners, c.moduli); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

// oneLane asks for figures over one lane of [0, greatest].
func oneLane(greatest uint32, population uint64, figures ...Figure) *Query {
	return &Query{
		Version: Version, Schema: "s", Lanes: []Lane{Presence, {"x", 0, greatest}},
		Cohort:  Cohort{Lo: []uint32{0, 0}, Hi: []uint32{0, greatest}},
		Figures: figures, Population: population, Minimum: 1,
	}
}

// TestOverflowIsRefusedAtItsBound: one battery more in the population, and the
// query needs the next modulus or is refused.
func TestOverflowIsRefusedAtItsBound(t *testing.T) {
	small := []uint64{1032193, 1038337}
	most := func(n int) uint64 { return new(big.Int).Div(half(small[:n]), big.NewInt(MaxOwners)).Uint64() }
	sum := Figure{Kind: Sum, Of: "x"}
	for _, c := range []struct {
		population uint64
		want       int
	}{{most(1), 1}, {most(1) + 1, 2}} {
		p, err := NewPlan(oneLane(1, c.population, sum), 3, small)
		if err != nil || p.Ciphertexts() != c.want {
			t.Errorf("population %d: %v, %v; want %d ciphertexts", c.population, p, err, c.want)
		}
	}
	if _, err := NewPlan(oneLane(1, most(1)+1, sum), 3, small[:1]); err == nil {
		t.Error("one modulus takes what it does not hold")
	}
	per := uint64(1000)
	if p, err := NewPlan(oneLane(uint32(per), most(2)/per, sum), 3, small); err != nil || p.Ciphertexts() != 2 {
		t.Errorf("the most that two moduli hold: %v", err)
	}
	_, err := NewPlan(oneLane(uint32(per), most(2)/per+1, sum), 3, small)
	limit := fmt.Sprintf("sum of x: an owner's part may reach %d (by population × cohort bounds of lane x), above %d", (most(2)/per+1)*per, most(2))
	if err == nil || !strings.Contains(err.Error(), limit) {
		t.Errorf("%v; want %q", err, limit)
	}
}

func TestOverflowNamesTheField(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Query)
	}{
		{"squares of values", "sum of squares of (value − 70368744177663): an owner's part may reach", func(q *Query) {
			q.Population, q.Valuation.Max, q.Figures[2].Kind = 1<<32, MaxValue, Variance
		}},
		{"by the valuation", "by population × valuation max squared)", func(q *Query) {
			q.Population, q.Valuation.Max, q.Figures[2].Kind = 1<<32, MaxValue, Variance
		}},
		{"by noise", "valuation max squared, and privacy)", func(q *Query) {
			q.Population, q.Valuation.Max, q.Figures[2].Kind = 1<<10, 1<<46, Variance
			q.Privacy = &privacy.Budget{EpsilonMillionths: 1000}
		}},
	} {
		q := asked()
		c.change(q)
		if _, err := NewPlan(q, 3, moduli); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func TestTooManyTotals(t *testing.T) {
	q := oneLane(1000, 10)
	for i := range 2 {
		f := Figure{Kind: Histogram, Of: "x"}
		for e := range MaxBands - 1 {
			f.Edges = append(f.Edges, uint64(1+e+i))
		}
		q.Figures = append(q.Figures, f)
	}
	if _, err := NewPlan(q, 3, moduli); err == nil || !strings.Contains(err.Error(), "258 totals, at most 256") {
		t.Error(err)
	}
}

// TestPlanKeepsItsQuery: a plan does not change with the query it was made from.
func TestPlanKeepsItsQuery(t *testing.T) {
	q := asked()
	p, err := NewPlan(q, 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	q.Minimum, q.Cohort.Lo[1], q.Figures[4].Edges[0] = 1, 0, 1
	p.Query().Cohort.Lo[1] = 1
	if got := p.Query().Digest(); got != asked().Digest() {
		t.Errorf("it is now %s", p.Query().Canonical())
	}
}
