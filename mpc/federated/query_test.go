package federated

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/mpc/privacy"
)

// asked is a query with one of everything.
func asked() *Query {
	return &Query{
		Version: Version, Context: strings.Repeat("c0", 32), Epoch: 41, Schema: "battery/v1",
		Lanes:     []Lane{Presence, {"state_of_health", 0, 15000}, {"age_days", 0, 36525}},
		Cohort:    Cohort{Lo: []uint32{0, 8000, 0}, Hi: []uint32{0, 10000, 36525}},
		Valuation: &Valuation{model, 5_000_000},
		Figures: []Figure{
			{Kind: Count}, {Kind: Sum, Of: "age_days"}, {Kind: Mean, Of: Value}, {Kind: Variance, Of: "state_of_health"},
			{Kind: Histogram, Of: "state_of_health", Edges: []uint64{8500, 9000, 9500}},
		},
		Population: 1 << 20, Minimum: 50,
	}
}

func TestDigestIsFixed(t *testing.T) {
	const want = "91ebf056b1a594fb65da3a99851fd9e878afbd779d28c3dcf4698de51de924fb"
	d := asked().Digest()
	if got := hex.EncodeToString(d[:]); got != want {
		t.Errorf("digest of\n%s\nis %s, want %s", asked().Canonical(), got, want)
	}
}

func TestLearned(t *testing.T) {
	p, err := NewPlan(asked(), 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"owners", "count", "sum of age_days", "sum of (value − 2500000)",
		"sum of (state_of_health − 9000)", "sum of squares of (state_of_health − 9000)",
		"count of 8000 ≤ state_of_health ≤ 8499", "count of 8500 ≤ state_of_health ≤ 8999",
		"count of 9000 ≤ state_of_health ≤ 9499", "count of 9500 ≤ state_of_health ≤ 10000",
	}
	if d := cmp.Diff(want, p.Learned()); d != "" {
		t.Error(d)
	}
	if p.Used() != len(want) || p.Ciphertexts() != 1 {
		t.Errorf("%d totals in %d ciphertexts", p.Used(), p.Ciphertexts())
	}
	if d := cmp.Diff(asked(), p.Query()); d != "" {
		t.Error(d)
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*Query)
	}{
		{"version is", func(q *Query) { q.Version = "assay-federated-query/v2" }},
		{"context is not", func(q *Query) { q.Context = strings.Repeat("C0", 32) }},
		{"context is not", func(q *Query) { q.Context = "c0" }},
		{"population is 0", func(q *Query) { q.Population = 0 }},
		{"population is 4294967297, want 1 to 4294967296", func(q *Query) { q.Population = 1<<32 + 1 }},
		{"minimum_cohort is 0", func(q *Query) { q.Minimum = 0 }},
		{"minimum_cohort is 1048577, want 1 to the population, 1048576", func(q *Query) { q.Minimum = 1<<20 + 1 }},
		{"schema is not", func(q *Query) { q.Schema = "" }},
		{"schema is not", func(q *Query) { q.Schema = "a<b" }},
		{"1 lanes, want 2 to 32", func(q *Query) { q.Lanes = q.Lanes[:1] }},
		{"33 lanes, want 2 to 32", func(q *Query) { q.Lanes = make([]Lane, 33) }},
		{"lane 0 must be", func(q *Query) { q.Lanes[0].Max = 2 }},
		{"lane 1 has no name", func(q *Query) { q.Lanes[1].Name = strings.Repeat("a", 65) }},
		{"lane 2: the name \"state_of_health\" is taken", func(q *Query) { q.Lanes[2].Name = "state_of_health" }},
		{"the name \"value\" is taken", func(q *Query) { q.Lanes[2].Name = Value }},
		{"min 15001 is above max 15000", func(q *Query) { q.Lanes[1].Min = 15001 }},
		{"cohort has 2 and 3 bounds, want 3 each", func(q *Query) { q.Cohort.Lo = q.Cohort.Lo[:2] }},
		{"cohort has 3 and 0 bounds", func(q *Query) { q.Cohort.Hi = nil }},
		{"bounds of lane 0", func(q *Query) { q.Cohort.Hi[0] = 1 }},
		{"lane state_of_health: [8000, 15001] is not", func(q *Query) { q.Cohort.Hi[1] = 15001 }},
		{"lane state_of_health: [10001, 10000] is not", func(q *Query) { q.Cohort.Lo[1] = 10001 }},
		{"lane age_days: [0, 36525] is not", func(q *Query) { q.Lanes[2].Min = 1 }},
		{"model is not 32 bytes", func(q *Query) { q.Valuation.Model = "" }},
		{"max is 0", func(q *Query) { q.Valuation.Max = 0 }},
		{"max is 140737488355328, want 1 to 140737488355327", func(q *Query) { q.Valuation.Max = 1 << 47 }},
		{"no figure is of \"value\"", func(q *Query) { q.Figures[2].Of = "age_days" }},
		{"there is no valuation", func(q *Query) { q.Valuation = nil }},
		{"0 figures, want 1 to 32", func(q *Query) { q.Figures = nil }},
		{"33 figures, want 1 to 32", func(q *Query) { q.Figures = make([]Figure, 33) }},
		{"figure 1 is figure 0 again", func(q *Query) { q.Figures[1] = q.Figures[0] }},
		{"kind \"median\" is not known", func(q *Query) { q.Figures[1].Kind = "median" }},
		{"a count is of nothing", func(q *Query) { q.Figures[0].Of = "age_days" }},
		{"a count is of nothing", func(q *Query) { q.Figures[0].Edges = []uint64{1} }},
		{"a sum has no edges", func(q *Query) { q.Figures[1].Edges = []uint64{1} }},
		{"neither a lane nor", func(q *Query) { q.Figures[1].Of = "presence" }},
		{"neither a lane nor", func(q *Query) { q.Figures[1].Of = "" }},
		{"0 edges, want 1 to 127", func(q *Query) { q.Figures[4].Edges = nil }},
		{"128 edges, want 1 to 127", func(q *Query) { q.Figures[4].Edges = make([]uint64, 128) }},
		{"edge 0 of state_of_health is 8000, want 8001 to 10000", func(q *Query) { q.Figures[4].Edges[0] = 8000 }},
		{"edge 1 of state_of_health is 8500, want 8501 to 10000", func(q *Query) { q.Figures[4].Edges[1] = 8500 }},
		{"edge 2 of state_of_health is 10001", func(q *Query) { q.Figures[4].Edges[2] = 10001 }},
		{"epsilon_millionths is 0", func(q *Query) { q.Privacy = &privacy.Budget{} }},
	} {
		q := asked()
		c.change(q)
		err := q.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %q", err, c.want)
		}
		if _, err := NewPlan(q, 3, moduli); err == nil {
			t.Errorf("%q: planned all the same", c.want)
		}
		if _, err := Parse(q.Canonical()); err == nil {
			t.Errorf("%q: parsed all the same", c.want)
		}
	}
}

// TestOneEncoding: other layouts of a query are read from a person and refused
// from a party.
func TestOneEncoding(t *testing.T) {
	canonical := asked().Canonical()
	if _, err := Parse(canonical); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to string }{
		{"space", `"epoch":41`, `"epoch": 41`},
		{"key in capitals", `"epoch"`, `"EPOCH"`},
		{"key twice", `"epoch":41`, `"epoch":40,"epoch":41`},
		{"escape", `battery`, `\u0062attery`},
		{"empty privacy", `"minimum_cohort":50`, `"minimum_cohort":50,"privacy":null`},
	} {
		other := bytes.Replace(canonical, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(other, canonical) {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		if _, err := Parse(other); err == nil {
			t.Errorf("%s: parsed", c.name)
		}
		q, err := ReadQuery(bytes.NewReader(other))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if q.Digest() != asked().Digest() {
			t.Errorf("%s: read as another query", c.name)
		}
	}
	for _, c := range []struct{ name, want, from, to string }{
		{"unknown field", "unknown field", `"epoch":41`, `"epoch":41,"limit":1`},
		{"fraction", "cannot unmarshal", `"epoch":41`, `"epoch":41.0`},
		{"trailing", "trailing data", `"minimum_cohort":50}`, `"minimum_cohort":50}{}`},
		{"not UTF-8", "UTF-8", `battery`, "\xffattery"},
		{"too long", "longer than", `"epoch"`, strings.Repeat(" ", MaxBytes) + `"epoch"`},
	} {
		other := bytes.Replace(canonical, []byte(c.from), []byte(c.to), 1)
		if _, err := ReadQuery(bytes.NewReader(other)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCanonicalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuery(t)
		got, err := Parse(q.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(q, got); d != "" {
			t.Fatal(d)
		}
	})
}
