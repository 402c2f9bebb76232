package federated

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/mpc/privacy"
)

// TestTrapRefusalSpendsTheBudget: with a budget, whether an owner takes part tells
// no more than the budget allows. An exact comparison with the minimum would tell
// 9 batteries from 10 with certainty, at no cost, as often as somebody asks.
func TestTrapRefusalSpendsTheBudget(t *testing.T) {
	const runs = 4000
	for name, figure := range map[string]Figure{
		"count":     {Kind: Count},
		"sum":       {Kind: Sum, Of: "x"},
		"histogram": {Kind: Histogram, Of: "x", Edges: []uint64{3, 6}},
	} {
		q := oneLane(9, 100, figure)
		q.Minimum, q.Privacy = 10, &privacy.Budget{EpsilonMillionths: 500_000}
		p, err := NewPlan(q, 3, moduli)
		if err != nil {
			t.Fatal(err)
		}
		var refused [2]float64
		for more := range refused {
			for range runs {
				_, err := p.Totals(fleet(lone(9+more, 5), nil))
				if errors.Is(err, ErrTooFew) {
					refused[more]++
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, c := range [][2]float64{{refused[0], refused[1]}, {runs - refused[1], runs - refused[0]}} {
			// Six deviations of the logarithm of a quotient of two counts.
			if loss := math.Log(c[0] / c[1]); !(loss < 0.5+6*math.Sqrt(1/c[0]+1/c[1])) {
				t.Errorf("%s: refused %v of %d with 9 and 10 batteries: privacy loss %g, ε is 0.5", name, refused, runs, loss)
			}
		}
	}
}

// TestNoisedMinimum: far from the minimum noise decides nothing.
func TestNoisedMinimum(t *testing.T) {
	for _, figures := range [][]Figure{
		{{Kind: Sum, Of: "x"}},
		{{Kind: Histogram, Of: "x", Edges: []uint64{3}}, {Kind: Sum, Of: "x"}},
		{{Kind: Variance, Of: "x"}},
	} {
		q := oneLane(9, 10_000, figures...)
		q.Minimum, q.Privacy = 1000, &privacy.Budget{EpsilonMillionths: 1_000_000}
		p, err := NewPlan(q, 3, moduli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Totals(fleet(lone(500, 5), nil)); !errors.Is(err, ErrTooFew) {
			t.Errorf("%v: 500 batteries: %v", figures, err)
		}
		if _, err := p.Totals(fleet(lone(1500, 5), nil)); err != nil {
			t.Errorf("%v: 1500 batteries: %v", figures, err)
		}
	}
}

// lone makes batteries of oneLane's schema.
func lone(n int, x uint32) []Record {
	var out []Record
	for range n {
		out = append(out, Record{Lanes: []uint32{1, x}})
	}
	return out
}

// TestTrapValuesAreClipped: the query says how large a value may be, so a refusal of
// larger ones would tell whoever asks the greatest value of the cohort, by bisection.
func TestTrapValuesAreClipped(t *testing.T) {
	q := asked()
	q.Minimum, q.Valuation.Max, q.Figures = 1, 1000, []Figure{{Kind: Sum, Of: Value}, {Kind: Histogram, Of: Value, Edges: []uint64{999, 1000}}}
	p, err := NewPlan(q, 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	var records []Record
	for _, v := range []uint64{998, 999, 1000, 1001, math.MaxUint64} {
		records = append(records, Record{Lanes: []uint32{1, 9000, 1}, Value: v})
	}
	part, err := p.Totals(fleet(records, nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, x := range part {
		got = append(got, x.Int64())
	}
	if d := cmp.Diff([]int64{1, 5, 998 + 999 + 3*1000, 1, 1, 3}, got); d != "" {
		t.Error(d)
	}
}

// TestErrorsAreShort: what others wrote does not fill the log.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("9", 20_000)
	for _, s := range []string{
		`{"version":"` + long + `"}`, `{"` + long + `":1}`, `{"epoch":` + long + `}`,
	} {
		if _, err := Parse([]byte(s)); err == nil || len(err.Error()) > 300 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

// TestResultIsItsOwn: a result encodes alike as a value and by pointer, and
// who changes it does not change the plan.
func TestResultIsItsOwn(t *testing.T) {
	p, r := answered(t)
	pointer, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(*r)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(pointer), string(value)); d != "" {
		t.Error(d)
	}
	r.Answers[4].Figure.Edges[0]++
	r.Answers[4].Bands[0].SetInt64(-1)
	if d := cmp.Diff(asked(), p.Query()); d != "" {
		t.Error(d)
	}
	if r.Totals[6].Value.Sign() < 0 {
		t.Error("a band shares its number with a total")
	}
}
