package query_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestDocument(t *testing.T) {
	q := aFederated()
	q.Epsilon, q.Delta = "0.5", "0.000001"
	ofValue(q)
	e := approved(q, 60, 100, 10)
	got, err := query.Document(e)
	if err != nil {
		t.Fatal(err)
	}
	want := &federated.Query{
		Version: federated.Version, Context: e.ID.String(), Epoch: 7, Schema: "battery/v1", Population: 100, Minimum: 10,
		Lanes: []federated.Lane{
			federated.Presence, {Name: "state_of_health", Max: 15_000}, {Name: "equivalent_full_cycles", Max: 1_000_000}, {Name: "age_days", Max: 36_525},
			{Name: "remaining_capacity_mAh", Max: 1_048_575}, {Name: "voltage_spread_mV", Max: 10_000}, {Name: "peak_temperature", Max: 2_400}, {Name: "fault_count", Max: 65_535},
		},
		Cohort: federated.Cohort{Lo: []uint32{0, 7_000, 0, 0, 0, 0, 0, 0}, Hi: []uint32{0, 15_000, 1_000_000, 36_525, 1_048_575, 10_000, 2_400, 65_535}},
		// 1250.00 at the factors 1 and 1
		Valuation: &federated.Valuation{Model: sha(`{"price":"1250.00","currency":"EUR","curves":[{"lane":"state_of_health","knots":[{"at":"60.00","factor":"0.1"},{"at":"100.00","factor":"1"}]},` +
			`{"lane":"age_days","knots":[{"at":"0","factor":"1"},{"at":"3650","factor":"0.333333"}]}]}`), Max: 125_000},
		Figures: []federated.Figure{
			{Kind: federated.Count}, {Kind: federated.Sum, Of: "value"}, {Kind: federated.Mean, Of: "value"}, {Kind: federated.Variance, Of: "value"},
			{Kind: federated.Histogram, Of: "value", Edges: []uint64{1_050, 10_000}},
		},
		Privacy: &privacy.Budget{EpsilonMillionths: 500_000, DeltaTrillionths: 1_000_000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// All that reaches the document does, and what differs between two readings of the ledger does not.
func TestDocumentIsTheSameForAll(t *testing.T) {
	q := aFederated()
	ofValue(q)
	e := approved(q)
	digest := func(e *ledger.QueryEntry) string {
		d, err := query.Document(e)
		if err != nil {
			t.Fatal(err)
		}
		sum := d.Digest()
		return hex.EncodeToString(sum[:])
	}
	want := digest(e)
	for name, change := range map[string]func(*ledger.QueryEntry){
		"a copy": func(*ledger.QueryEntry) {}, "later": func(e *ledger.QueryEntry) { e.Status = ledger.QueryAnswered; e.Activated = &ledger.Activation{} },
		"sessions": func(e *ledger.QueryEntry) { e.Sessions = []ledger.SessionHead{{}} }, "reasons": func(e *ledger.QueryEntry) { e.Answers[0].Decision.Reasons = []string{"yes"} },
		"answers in another order": func(e *ledger.QueryEntry) { slices.Reverse(e.Answers) }, "attributes": func(e *ledger.QueryEntry) { e.Record.Attributes = map[string]string{"OU": "x"} },
		"a smaller fleet": func(e *ledger.QueryEntry) { e.Answers[2].Settled.Enrolled = 1 },
	} {
		other := copied(t, e)
		if change(other); digest(other) != want {
			t.Errorf("%s changes the document", name)
		}
	}
	seen := map[string]bool{want: true}
	changes := []func(*ledger.QueryEntry){
		func(e *ledger.QueryEntry) { e.ID[0]++ }, func(e *ledger.QueryEntry) { e.Answers[1].Settled.Enrolled++ },
		func(e *ledger.QueryEntry) { e.Record.Query.Epoch++ }, func(e *ledger.QueryEntry) { e.Record.Query.Cohort[0].Min = "70.01" },
		func(e *ledger.QueryEntry) { e.Record.Query.MinimumCohort++ }, func(e *ledger.QueryEntry) { e.Record.Query.Edges[0] = "10.51" },
		func(e *ledger.QueryEntry) { e.Record.Query.Totals = []string{policy.TotalCount, policy.TotalHistogram} },
		func(e *ledger.QueryEntry) { e.Record.Query.Valuation.Curves[1].Knots[1].Factor = "0.333334" },
		func(e *ledger.QueryEntry) { e.Record.Query.Valuation.Currency = "USD" }, func(e *ledger.QueryEntry) { e.Record.Query.Epsilon = "1" },
	}
	for i, change := range changes {
		other := copied(t, e)
		change(other)
		if d := digest(other); seen[d] {
			t.Errorf("change %d makes no difference", i)
		} else {
			seen[d] = true
		}
	}
}

// No curves and an empty list of them are one valuation.
func TestDocumentOfPriceAlone(t *testing.T) {
	q := aFederated()
	ofValue(q)
	for _, curves := range [][]statement.Curve{nil, {}} {
		q.Valuation.Curves = curves
		d, err := query.Document(approved(q))
		if err != nil {
			t.Fatal(err)
		}
		if d.Valuation.Max != 125_000 || d.Valuation.Model != sha(`{"price":"1250.00","currency":"EUR","curves":[]}`) {
			t.Errorf("%+v", d.Valuation)
		}
	}
}

func TestDocumentRefuses(t *testing.T) {
	for want, change := range map[string]func(*ledger.QueryEntry){
		"the part about fleet fleet-b is not approved":  func(e *ledger.QueryEntry) { e.Answers[1].Decision.Approved = false },
		"the part about fleet fleet-c is not approved":  func(e *ledger.QueryEntry) { e.Answers = e.Answers[:2] },
		"about fleet fleet-a has no settled epoch":      func(e *ledger.QueryEntry) { e.Answers[0].Settled = nil },
		"kind is \"score\"":                             func(e *ledger.QueryEntry) { e.Record.Query.Kind = ledger.QueryScore },
		"minimum_cohort is 61, want 1 to the pop":       func(e *ledger.QueryEntry) { e.Record.Query.MinimumCohort = 61 },
		"population is 4294967297":                      func(e *ledger.QueryEntry) { e.Answers[0].Settled.Enrolled = 1<<32 + 1 },
		"schema \"scooter/v1\"":                         func(e *ledger.QueryEntry) { e.Record.Query.Schema = "scooter/v1" },
		"edges[0]: lane state_of_health":                func(e *ledger.QueryEntry) { e.Record.Query.Edges = []string{"x"} },
		"figure 4: edge 0 of state_of_health is 6000":   func(e *ledger.QueryEntry) { e.Record.Query.Edges = []string{"60"} },
		"sum_squares tell nothing without count and su": func(e *ledger.QueryEntry) { e.Record.Query.Totals = []string{policy.TotalCount, policy.TotalSquares} },
		"epsilon \"x\"":                                 func(e *ledger.QueryEntry) { e.Record.Query.Epsilon = "x" },
	} {
		e := approved(aFederated())
		change(e)
		_, err := query.Document(e)
		wants(t, err, want)
	}
}

// What is opened is what the query says, or the query is refused.
func TestPlan(t *testing.T) {
	const count, sum, squares, bands = policy.TotalCount, policy.TotalSum, policy.TotalSquares, policy.TotalHistogram
	for _, c := range []struct {
		totals       []string
		exact, noisy string // the totals beside the number of owners, or the refusal
	}{
		{[]string{count}, "count", "count"},
		{[]string{sum}, "sum of x", "noise on a sum needs the count"},
		{[]string{squares}, "without count and sum", "without count and sum"},
		{[]string{bands}, "count|b|b|b", "b|b|b"},
		{[]string{count, sum}, "count|sum of (x − c)", "count|sum of (x − c)"},
		{[]string{count, squares}, "without count and sum", "without count and sum"},
		{[]string{count, bands}, "count|b|b|b", "count|b|b|b"},
		{[]string{sum, squares}, "without count and sum", "without count and sum"},
		{[]string{sum, bands}, "count|sum of x|b|b|b", "sum of x|b|b|b"},
		{[]string{count, sum, squares}, "count|sum of (x − c)|sum of squares of (x − c)", "count|sum of (x − c)|sum of squares of (x − c)"},
		{[]string{count, sum, bands}, "count|sum of (x − c)|b|b|b", "count|sum of (x − c)|b|b|b"},
		{[]string{count, sum, squares, bands}, "count|sum of (x − c)|sum of squares of (x − c)|b|b|b", "count|sum of (x − c)|sum of squares of (x − c)|b|b|b"},
	} {
		for epsilon, want := range map[string]string{"": c.exact, "0.5": c.noisy} {
			q := aFederated()
			q.Totals, q.Epsilon = c.totals, epsilon
			if c.totals[0] == count && len(c.totals) == 1 {
				q.Subject = ""
			}
			if !slices.Contains(c.totals, bands) {
				q.Edges = nil
			}
			p, err := query.Plan(approved(q))
			if strings.Contains(want, "count and sum") || strings.Contains(want, "needs") {
				wants(t, err, want)
				wants(t, query.Check(q), want)
				continue
			}
			if err != nil || query.Check(q) != nil {
				t.Errorf("%v, epsilon %q: %v, %v", c.totals, epsilon, err, query.Check(q))
				continue
			}
			if got := brief(p.Learned()); got != "owners|"+want {
				t.Errorf("%v, epsilon %q: opened are %s, want %s", c.totals, epsilon, got, want)
			}
		}
	}
}

func brief(names []string) string {
	all := strings.NewReplacer("(state_of_health − 11000)", "(x − c)", "state_of_health", "x").Replace(strings.Join(names, "|"))
	for _, band := range []string{"7000 ≤ x ≤ 7499", "7500 ≤ x ≤ 7999", "8000 ≤ x ≤ 15000"} {
		all = strings.Replace(all, "count of "+band, "b", 1)
	}
	return all
}

func TestPlanRefuses(t *testing.T) {
	q := aFederated()
	q.Parameters = "assay-bgv-14-1"
	_, err := query.Plan(approved(q))
	wants(t, err, `parameters are "assay-bgv-14-1", want "assay-bgv-13-1"`)
	wants(t, query.Check(q), `parameters are "assay-bgv-14-1"`)

	// What overflows with the largest fleet, and not with the least that the query admits, is found only when the sizes are known.
	q = aFederated()
	ofValue(q)
	q.Valuation.Price = "10000000000.00"
	if err := query.Check(q); err != nil {
		t.Error(err)
	}
	_, err = query.Plan(approved(q, 1<<32))
	wants(t, err, "sum of squares of (value")
	q.MinimumCohort = 1 << 32
	wants(t, query.Check(q), "sum of squares of (value")
}

func TestCheckRefuses(t *testing.T) {
	for want, change := range map[string]func(*ledger.Query){
		"version is":                     func(q *ledger.Query) { q.Version = "" },
		"no band outside the cohort":     func(q *ledger.Query) { ofValue(q); q.Edges = []string{"1250.01"} },
		"query: minimum_cohort is 0":     func(q *ledger.Query) { q.MinimumCohort = 0 },
		"want 1 to 1: ascending, and no": func(q *ledger.Query) { ofValue(q); q.Valuation.Price = "0"; q.Edges = []string{"0.02"} },
	} {
		q := aFederated()
		change(q)
		wants(t, query.Check(q), want)
	}
	for want, change := range map[string]func(*ledger.Query){
		"parameters are \"assay-bgv-13-1\", want \"assay-ckks-13-174\"": func(q *ledger.Query) { q.Parameters = "assay-bgv-13-1" },
		"at most 8388608 batteries can be scored":                       func(q *ledger.Query) { q.MinimumCohort = 1<<23 + 1 },
		"feature 1: lane peak_temperature":                              func(q *ledger.Query) { q.Features[0] = ledger.Feature{Lane: "peak_temperature", Lo: "-10", Hi: "60"} },
		"monomials, at most 8192 fit":                                   func(q *ledger.Query) { q.Features, q.Degree = features(10), 7 },
		"of which at most 4096 can have noise":                          func(q *ledger.Query) { q.Features, q.Degree, q.Epsilon, q.Spread = features(8), 7, "1", false },
	} {
		q := aScore()
		change(q)
		wants(t, query.Check(q), want)
	}
	for _, q := range []*ledger.Query{aFederated(), aScore()} {
		if err := query.Check(q); err != nil {
			t.Error(err)
		}
	}
}

// features are that many different ones.
func features(n int) (out []ledger.Feature) {
	for i := range n {
		out = append(out, ledger.Feature{Lane: "age_days", Lo: fmt.Sprint(i), Hi: "3650"})
	}
	return out
}

func TestPopulation(t *testing.T) {
	for _, sizes := range [][]uint64{{1, 2, 3}, {3, 1, 2}, {0, 3, 3}} {
		if got, err := query.Population(approved(aFederated(), sizes...)); err != nil || got != 3 {
			t.Errorf("%v: %d, %v", sizes, got, err)
		}
	}
	if _, err := query.Population(&ledger.QueryEntry{ID: commit.Digest{1}, Record: ledger.QueryRecord{Query: *aFederated()}}); err == nil {
		t.Error("nothing is approved")
	}
}
