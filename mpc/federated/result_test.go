package federated

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// opened is the sum of three parts of 60 batteries each, whatever the minimum is.
func opened(t *testing.T, p *Plan) []*big.Int {
	t.Helper()
	var parts [][]*big.Int
	for i := range uint32(3) {
		exact, err := p.tally(fleet(append(health(40, 8000+700*i), health(20, 9999)...), nil))
		if err != nil {
			t.Fatal(err)
		}
		part, err := p.noised(exact.totals())
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	return add(p, moduli, parts)
}

// TestWrongOpening breaks each thing that totals have in common alone.
func TestWrongOpening(t *testing.T) {
	p, err := NewPlan(asked(), 5, moduli)
	if err != nil {
		t.Fatal(err)
	}
	// By TestLearned: 1 count, 2 sum of ages, 3 of values, 4 and 5 of health, 6 to 9 bands.
	for _, c := range []struct {
		name, want string
		change     func(x []*big.Int) []*big.Int
	}{
		{"too short", "there are 9, want 10", func(x []*big.Int) []*big.Int { return x[:9] }},
		{"too long", "there are 11", func(x []*big.Int) []*big.Int { return append(x, new(big.Int)) }},
		{"a hole", "count is missing", func(x []*big.Int) []*big.Int { x[1] = nil; return x }},
		{"one part less", "coefficient 0", func(x []*big.Int) []*big.Int { return plus(x, 0, -1) }},
		{"one part more", "coefficient 0", func(x []*big.Int) []*big.Int { return plus(x, 0, 1) }},
		{"negative band", "is not between 0", func(x []*big.Int) []*big.Int { return plus(plus(x, 7, -1-x[7].Int64()), 6, 1+x[7].Int64()) }},
		{"more than the population", "count is not between 0 and 3145728", func(x []*big.Int) []*big.Int { return plus(x, 1, 3<<20) }},
		{"fewer than the minima", "count is below 150", func(x []*big.Int) []*big.Int { return plus(x, 1, -31) }},
		{"a battery in no band", "do not make up the count", func(x []*big.Int) []*big.Int { return plus(x, 6, -1) }},
		{"sum above the greatest", "sum of age_days does not go with the count", func(x []*big.Int) []*big.Int { return plus(x, 2, 180*36525) }},
		{"sum below the least", "(value − 2500000) does not go with the count", func(x []*big.Int) []*big.Int { return plus(x, 3, -180*1000-1) }},
		{"odd", "does not go with sum and count", func(x []*big.Int) []*big.Int { return plus(x, 5, 1) }},
		{"no variance", "does not go with sum and count", func(x []*big.Int) []*big.Int { x[5] = big.NewInt(x[4].Int64() & 1); return x }},
		{"too much variance", "does not go with sum and count", func(x []*big.Int) []*big.Int { return plus(x, 5, 180*1000*1000) }},
		{"sum against the bands", "does not go with the bands", func(x []*big.Int) []*big.Int { return plus(plus(x, 6, 30), 9, -30) }},
	} {
		_, err := p.Read(c.change(opened(t, p)), 3)
		if !errors.Is(err, ErrOpening) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
	for _, parts := range []int{-1, 0, 2, 6} {
		if _, err := p.Read(opened(t, p), parts); err == nil || !strings.Contains(err.Error(), "want 3 to 5") {
			t.Errorf("%d parts: %v", parts, err)
		}
	}
	if _, err := p.Read(opened(t, p), 4); !errors.Is(err, ErrOpening) {
		t.Errorf("three parts read as four: %v", err)
	}
	if _, err := p.Read(opened(t, p), 3); err != nil {
		t.Errorf("nothing wrong: %v", err)
	}
}

func plus(x []*big.Int, i int, d int64) []*big.Int {
	x[i] = new(big.Int).Add(x[i], big.NewInt(d))
	return x
}

// TestSumWithoutCount: a sum alone is bounded by the minimum cohorts.
func TestSumWithoutCount(t *testing.T) {
	q := asked()
	q.Valuation, q.Figures = nil, []Figure{{Kind: Sum, Of: "state_of_health"}}
	p, err := NewPlan(q, 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"owners", "sum of state_of_health"}, p.Learned()); d != "" {
		t.Error(d)
	}
	for sum, ok := range map[int64]bool{150 * 8000: true, 150*8000 - 1: false, 3 << 20 * 10000: true, 3<<20*10000 + 1: false} {
		_, err := p.Read([]*big.Int{big.NewInt(3), big.NewInt(sum)}, 3)
		if ok != (err == nil) {
			t.Errorf("sum %d: %v", sum, err)
		}
	}
}

// answered is what asked leads to, and how it is read.
func answered(t *testing.T) (*Plan, *Result) {
	t.Helper()
	p, err := NewPlan(asked(), 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Read(opened(t, p), 3)
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

func TestResultEncoding(t *testing.T) {
	p, r := answered(t)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Parts   int
		Totals  []struct{ Name, Value string }
		Answers []struct {
			Figure Figure
			Value  string
			Bands  []string
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	// Health: 40 each of 8000, 8700, 9400 and 60 of 9999.
	want := []string{"180", "18000", "1000", "5334802/9", ""}
	var values []string
	for _, a := range got.Answers {
		values = append(values, a.Value)
	}
	if d := cmp.Diff(want, values); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"40", "40", "40", "60"}, got.Answers[4].Bands); d != "" {
		t.Error(d)
	}
	if got.Parts != 3 || len(got.Totals) != 10 || !slices.Contains(p.Learned(), got.Totals[9].Name) {
		t.Errorf("%s", b)
	}
}
