package query_test

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

func ints(xs ...int64) (out []*big.Int) {
	for _, x := range xs {
		out = append(out, big.NewInt(x))
	}
	return out
}

func read(t *testing.T, q *ledger.Query, totals ...int64) *query.Answer {
	t.Helper()
	e := approved(q)
	s := session(e)
	a, err := query.Read(e, s, s.Owners(), ints(totals...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An answer as people and programs have it.
func TestRead(t *testing.T) {
	q := aFederated()
	// 40 batteries: 20 at 72.50 %, 10 at 76.00, 10 at 90.00; sums are of differences from 110.00.
	a := read(t, q, 3, 40, 20*(7_250-11_000)+10*(7_600-11_000)+10*(9_000-11_000), 20*3_750*3_750+10*3_400*3_400+10*2_000*2_000, 20, 10, 10)
	e := approved(q)
	want := &query.Answer{
		Version: query.AnswerVersion, Query: e.ID, Session: session(e).ID(), Kind: ledger.QueryFederated, Owners: []string{"owner-18", "owner-19", "owner-20"},
		Schema: "battery/v1", Epoch: 7, Cohort: q.Cohort, MinimumCohort: 10,
		Figures: []query.Figure{
			{Kind: query.FigureCount, Unit: "devices", Value: "40"},
			{Kind: query.FigureSum, Of: "state_of_health", Unit: "%", Value: "3110.00"},
			{Kind: query.FigureMean, Of: "state_of_health", Unit: "%", Value: "77.75000000"},
			{Kind: query.FigureVariance, Of: "state_of_health", Unit: "%²", Value: "52.0625000000"},
			{Kind: query.FigureHistogram, Of: "state_of_health", Unit: "%", Bands: []query.Band{
				{From: "70.00", Below: "75.00", Count: "20"}, {From: "75.00", Below: "80.00", Count: "10"}, {From: "80.00", Count: "10"},
			}},
		},
		Totals: []query.Total{
			{Name: "owners", Value: "3"}, {Name: "count", Value: "40"}, {Name: "sum of (state_of_health − 11000)", Value: "-129000"},
			{Name: "sum of squares of (state_of_health − 11000)", Value: "436850000"},
			{Name: "count of 7000 ≤ state_of_health ≤ 7499", Value: "20"}, {Name: "count of 7500 ≤ state_of_health ≤ 7999", Value: "10"},
			{Name: "count of 8000 ≤ state_of_health ≤ 15000", Value: "10"},
		},
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text := `Query       ` + e.ID.String() + `
Session     ` + session(e).ID().String() + `
About       the fleets of owner-18, owner-19, owner-20 at epoch 7 (battery/v1)
Cohort      state_of_health at least 70.00, at least 10 of each owner
Count       40 devices
Sum         3110.00 % of state_of_health
Mean        77.75000000 % of state_of_health
Variance    52.0625000000 %² of state_of_health
Histogram   of state_of_health in %
            from 70.00 to below 75.00: 20
            from 75.00 to below 80.00: 10
            from 80.00: 10
Noise       none
`
	if diff := cmp.Diff(text, a.Text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadValue(t *testing.T) {
	q := aFederated()
	ofValue(q)
	q.Cohort, q.Totals, q.Edges = nil, []string{policy.TotalSum}, nil
	a := read(t, q, 3, 1_000_001)
	if diff := cmp.Diff([]query.Figure{{Kind: query.FigureSum, Of: "value", Unit: "EUR", Value: "10000.01", Error: "1.80"}}, a.Figures); diff != "" {
		t.Error(diff) // 180 are enrolled
	}
	q.Totals = []string{policy.TotalCount, policy.TotalSum}
	a = read(t, q, 3, 40, 1_000_001-40*62_500)
	if diff := cmp.Diff([]query.Figure{
		{Kind: query.FigureCount, Unit: "devices", Value: "40"}, {Kind: query.FigureSum, Of: "value", Unit: "EUR", Value: "10000.01", Error: "0.40"},
		{Kind: query.FigureMean, Of: "value", Unit: "EUR", Value: "250.00025000", Error: "0.01"},
	}, a.Figures); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(a.Text(), "Sum         10000.01 EUR of value, exact to 0.40\n") {
		t.Error(a.Text())
	}
}

// An owner that gave no input is not in the answer, and its fleet in no bound.
func TestReadWithoutOne(t *testing.T) {
	q := aFederated()
	ofValue(q)
	q.Totals, q.Edges, q.Parts = []string{policy.TotalSum}, nil, append(q.Parts, ledger.QueryPart{Fleet: "fleet-d", Grant: "g"})
	e := approved(q, 100, 200, 400, 1_000)
	s := session(e)
	a, err := query.Read(e, s, []string{"owner-18", "owner-19", "owner-20"}, ints(3, 1_000)) // of fleet-c, fleet-b and fleet-a
	if err != nil {
		t.Fatal(err)
	}
	if a.Figures[0].Error != "7.00" || len(a.Owners) != 3 {
		t.Errorf("%+v", a)
	}
	_, err = query.Read(e, s, s.Owners(), ints(3, 1_000))
	wants(t, err, "coefficient 0 does not hold the number of parts, 4")
}

// Noise is stated in physical units, with what taking an offset off by a noised count adds.
func TestReadNoise(t *testing.T) {
	q := aFederated()
	q.Cohort, q.Totals, q.Subject, q.Edges = nil, q.Totals[:2], "peak_temperature", nil
	q.Epsilon = "0.5"
	a := read(t, q, 3, 40, -100)
	// The middle of [−40, 200] °C is 80: 40 × 80 − 10.0.
	if a.Figures[1].Value != "3190.0" || a.Figures[1].Unit != "°C" || a.Figures[2].Value != "79.7500000" {
		t.Errorf("%+v", a.Figures)
	}
	e := approved(q)
	p, err := query.Plan(e)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Read(ints(3, 40, -100), 3)
	if err != nil {
		t.Fatal(err)
	}
	n, s := r.Totals[1].Deviation, r.Totals[2].Deviation
	for i, want := range []float64{n, math.Hypot(s/10, 80*n), math.Hypot(s/10, 0.25*n) / 40} {
		got, err := strconv.ParseFloat(a.Figures[i].Noise, 64)
		if err != nil || math.Abs(got-want) > 1e-3*want {
			t.Errorf("%s: noise %s, want %g", a.Figures[i].Kind, a.Figures[i].Noise, want)
		}
	}
	for _, line := range []string{"Noise       of each owner, for epsilon 0.5\n", "Count       40 devices, noise with standard deviation "} {
		if !strings.Contains(a.Text(), line) {
			t.Errorf("no %q in\n%s", line, a.Text())
		}
	}

	// Of no batteries by the noised count there is no mean.
	q.Totals, q.Delta = []string{policy.TotalCount, policy.TotalSum, policy.TotalSquares}, "0.000001"
	a = read(t, q, 3, -2, 100, -9)
	for _, f := range a.Figures[2:] {
		if f.Value != "" || f.Noise != "" {
			t.Errorf("%+v", f)
		}
	}
	if text := a.Text(); !strings.Contains(text, "Count       -2 devices") || !strings.Contains(text, "Mean        not defined") || !strings.Contains(text, "epsilon 0.5 and delta 0.000001") {
		t.Error(text)
	}
}

// For a lane without an offset the deviations are package federated's.
func TestReadNoiseAgrees(t *testing.T) {
	q := aFederated()
	q.Epsilon, q.Delta = "0.5", "0.000001"
	e := approved(q)
	p, err := query.Plan(e)
	if err != nil {
		t.Fatal(err)
	}
	totals := []int64{3, 40, -129_000, 436_850_000, 20, 10, 10}
	r, err := p.Read(ints(totals...), 3)
	if err != nil {
		t.Fatal(err)
	}
	scale := []float64{1, 100, 100, 10_000, 1}
	for i, f := range read(t, q, totals...).Figures {
		got, err := strconv.ParseFloat(f.Noise, 64)
		if want := r.Answers[i].Deviation / scale[i]; err != nil || math.Abs(got-want) > 1e-3*want {
			t.Errorf("%+v, want %g", f, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := ints(3, 40, -129_000, 436_850_000, 20, 10, 10)
	three := []string{"owner-18", "owner-19", "owner-20"}
	for want, change := range map[string]func(e *ledger.QueryEntry, s *ledger.Session, owners *[]string, totals *[]*big.Int){
		"inputs of 2 owners, want at least 3": func(_ *ledger.QueryEntry, _ *ledger.Session, o *[]string, _ *[]*big.Int) { *o = three[:2] },
		"inputs are not of different": func(_ *ledger.QueryEntry, _ *ledger.Session, o *[]string, _ *[]*big.Int) {
			*o = []string{"owner-18", "owner-18", "owner-19"}
		},
		"are not of different owners": func(_ *ledger.QueryEntry, _ *ledger.Session, o *[]string, _ *[]*big.Int) {
			*o = []string{"owner-18", "owner-19", "regulator"}
		},
		"it is of query":  func(_ *ledger.QueryEntry, s *ledger.Session, _ *[]string, _ *[]*big.Int) { s.Query = commit.Digest{3} },
		"is not approved": func(e *ledger.QueryEntry, _ *ledger.Session, _ *[]string, _ *[]*big.Int) { e.Answers = nil },
		"want \"assay-bgv-13-1\"": func(e *ledger.QueryEntry, _ *ledger.Session, _ *[]string, _ *[]*big.Int) {
			e.Record.Query.Parameters = "x"
		},
		"coefficient 0 does not": func(_ *ledger.QueryEntry, _ *ledger.Session, _ *[]string, totals *[]*big.Int) {
			(*totals)[0] = big.NewInt(4)
		},
		"the bands of state_of_health do not ": func(_ *ledger.QueryEntry, _ *ledger.Session, _ *[]string, totals *[]*big.Int) {
			(*totals)[4] = big.NewInt(21)
		},
		"there are 6, want 7": func(_ *ledger.QueryEntry, _ *ledger.Session, _ *[]string, totals *[]*big.Int) {
			*totals = (*totals)[:6]
		},
	} {
		e := approved(aFederated())
		s := session(e)
		owners, totals := three, append([]*big.Int(nil), good...)
		change(e, s, &owners, &totals)
		_, err := query.Read(e, s, owners, totals)
		wants(t, err, want)
		if opening := strings.Contains(want, "coefficient") || strings.Contains(want, "bands") || strings.Contains(want, "there are"); opening != errors.Is(err, federated.ErrOpening) {
			t.Errorf("%v", err)
		}
	}
}

// The largest answer can be read back.
func TestParseAnswerTakesTheLargest(t *testing.T) {
	q := aFederated()
	q.Epsilon = "0.001"
	q.Purpose, q.Edges = strings.Repeat("x", 500), nil
	for i := range ledger.MaxQueryBands - 1 {
		q.Edges = append(q.Edges, strconv.Itoa(72+i/2)+[]string{".00", ".50"}[i%2])
	}
	totals := make([]int64, 4+ledger.MaxQueryBands)
	totals[0] = 3
	b := read(t, q, totals...).Encode()
	if len(b) > query.MaxAnswer/4 {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := query.ParseAnswer(b); err != nil {
		t.Error(err)
	}
}

func TestParseAnswerRefuses(t *testing.T) {
	good := read(t, aFederated(), 3, 40, -129_000, 436_850_000, 20, 10, 10).Encode()
	for want, b := range map[string]string{
		"answer: has 262145 bytes":   strings.Repeat(" ", query.MaxAnswer+1),
		"version is \"\"":            strings.Replace(string(good), query.AnswerVersion, "", 1),
		"answer: not in canonical":   string(good) + "\n",
		"answer: json: unknown":      strings.Replace(string(good), `"epoch"`, `"epocs"`, 1),
		"answer: unexpected EOF":     string(good[:len(good)-1]),
		"answer: digest has 2 chara": strings.Replace(string(good), `"session":"`, `"session":"00","x":"`, 1),
	} {
		_, err := query.ParseAnswer([]byte(b))
		wants(t, err, want)
	}
}

// Nothing in an answer reaches a terminal as a command.
func TestTextIsPrintable(t *testing.T) {
	a := read(t, aFederated(), 3, 40, -129_000, 436_850_000, 20, 10, 10)
	plain := a.Text()
	a.Owners[0], a.Figures[0].Unit, a.Figures[4].Bands[0].From, a.Epsilon = "\x1b[2J", "\u009b31m\r", "1\nScore 5", "\u202e1"
	text := a.Text()
	if strings.ContainsAny(text, "\x1b\u009b\r\u202e") || strings.Count(text, "\n") != strings.Count(plain, "\n") {
		t.Errorf("%q", text)
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"version":"assay-query-answer/v1","query":"` + strings.Repeat("00", 32) + `","session":"` + strings.Repeat("00", 32) +
		`","kind":"score","owners":["a"],"schema":"battery/v1","epoch":1,"minimum_cohort":1,"figures":[{"kind":"histogram","bands":[{"from":"1","count":"2"}]}],"misfit":{"within":"1","anywhere":"2"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := query.ParseAnswer(b)
		if err != nil {
			return
		}
		if string(a.Encode()) != string(b) {
			t.Errorf("%q is read as %q", b, a.Encode())
		}
		_ = a.Text()
	})
}
