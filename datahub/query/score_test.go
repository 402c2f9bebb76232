package query_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

func aModel() *score.Model {
	return &score.Model{Kind: score.Logistic, Intercept: -1, Degree: 3, Interval: 8, Spread: true, Features: []score.Weighted{
		{Feature: score.Feature{Lane: "state_of_health", Low: 5_000, High: 10_000}, Weight: 0.0005},
		{Feature: score.Feature{Lane: "peak_temperature", Low: 300, High: 1_000}, Weight: -0.003},
	}}
}

func TestFeaturesAndShape(t *testing.T) {
	got, err := query.Features(aModel(), "battery/v1")
	if err != nil || cmp.Diff(aScore().Features, got) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(aScore().Features, got))
	}
	shape, err := query.Shape(aScore())
	if diff := cmp.Diff(aModel().Shape(), shape); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := query.Shape(aFederated()); err == nil {
		t.Error("a federated query has a shape")
	}
}

// A model's public features lead back to its shape, and no other.
func TestShapeIsTheInverseOfFeatures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := rapid.SampledFrom(record.Schemas()).Draw(t, "schema")
		m := &score.Model{Degree: 2*rapid.IntRange(0, 3).Draw(t, "degree") + 1, Spread: rapid.Bool().Draw(t, "spread")}
		for _, i := range rapid.SliceOfN(rapid.IntRange(1, record.Lanes-1), 1, 4).Draw(t, "lanes") {
			l := schema.Lanes[i]
			low := rapid.Uint32Range(l.Min, l.Max-1).Draw(t, "low")
			m.Features = append(m.Features, score.Weighted{Feature: score.Feature{Lane: l.Name, Low: low, High: rapid.Uint32Range(low+1, l.Max).Draw(t, "high")}})
		}
		if m.Shape().Check() != nil {
			t.Skip("too many monomials, or a feature twice")
		}
		features, err := query.Features(m, schema.Name)
		if err != nil {
			t.Fatal(err)
		}
		q := aScore()
		q.Schema, q.Features, q.Degree, q.Spread = schema.Name, features, uint32(m.Degree), m.Spread
		if err := query.Check(q); err != nil {
			t.Fatal(err)
		}
		if got, err := query.Shape(q); err != nil || cmp.Diff(m.Shape(), got) != "" {
			t.Fatalf("%v\n%s", err, cmp.Diff(m.Shape(), got))
		}
	})
}

func TestFeaturesRefuses(t *testing.T) {
	for want, change := range map[string]func(m *score.Model){
		"has no lane \"colour\"":               func(m *score.Model) { m.Features[0].Lane = "colour" },
		"features[1]: schema battery/v1 has":   func(m *score.Model) { m.Features[1].Lane = "presence" },
		"is [5000, 15001], want an":            func(m *score.Model) { m.Features[0].High = 15_001 },
		"is [5000, 5000], want an":             func(m *score.Model) { m.Features[0].High = 5_000 },
		"the model has no features":            func(m *score.Model) { m.Features = nil },
		"want an interval within [0, 2400]":    func(m *score.Model) { m.Features[1].High = math.MaxUint32 },
		"clip of peak_temperature is [1001, 1": func(m *score.Model) { m.Features[1].Low = 1_001 },
	} {
		m := aModel()
		change(m)
		_, err := query.Features(m, "battery/v1")
		wants(t, err, want)
	}
	_, err := query.Features(aModel(), "scooter/v1")
	wants(t, err, "scooter/v1")
}

func TestShapeRefuses(t *testing.T) {
	for want, change := range map[string]func(q *ledger.Query){
		"schema":                               func(q *ledger.Query) { q.Schema = "" },
		"17 features at degree 3, at most":     func(q *ledger.Query) { q.Features = features(17) },
		"2 features at degree 4294967295":      func(q *ledger.Query) { q.Degree = math.MaxUint32 },
		"features[0]: schema battery/v1 has":   func(q *ledger.Query) { q.Features[0].Lane = "presence" },
		"features[1]: lo: lane peak_tem":       func(q *ledger.Query) { q.Features[1].Lo = "-41" },
		"features[1]: hi: lane peak_tem":       func(q *ledger.Query) { q.Features[1].Hi = "1e1" },
		"low 10000 is not below high 5000":     func(q *ledger.Query) { q.Features[0].Lo, q.Features[0].Hi = "100", "50" },
		"must be odd and 1 to 7":               func(q *ledger.Query) { q.Degree = 2 },
		"lane state_of_health from 5000 to 10": func(q *ledger.Query) { q.Features[1] = ledger.Feature{Lane: "state_of_health", Lo: "50", Hi: "100.0"} },
	} {
		q := aScore()
		change(q)
		_, err := query.Shape(q)
		wants(t, err, want)
	}
}

func TestLanes(t *testing.T) {
	got, err := query.Lanes("battery/v1", map[string]string{"state_of_health": "5", "peak_temperature": "12.5", "fault_count": "65535"})
	want := []score.Lane{
		{Name: "state_of_health", High: 15_000, Narrowest: 500}, {Name: "equivalent_full_cycles", High: 1_000_000}, {Name: "age_days", High: 36_525},
		{Name: "remaining_capacity_mAh", High: 1_048_575}, {Name: "voltage_spread_mV", High: 10_000}, {Name: "peak_temperature", High: 2_400, Narrowest: 125},
		{Name: "fault_count", High: 65_535, Narrowest: 65_535},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, schema := range record.Schemas() {
		lanes, err := query.Lanes(schema.Name, nil)
		if err != nil || (&score.Owner{Lanes: lanes, Least: 1}).Admit(score.Shape{Features: []score.Feature{{Lane: "age_days", High: 36_525}}, Degree: 1}) != nil {
			t.Errorf("%s: %v", schema.Name, err)
		}
	}
	for want, steps := range map[string]map[string]string{
		"no lane \"colour\"":       {"colour": "1"},
		"no lane \"presence\"":     {"presence": "1"},
		"is outside [0.01, 150.00": {"state_of_health": "0"},
		"outside [0.01, 150.00] %": {"state_of_health": "150.01"},
		"-5 is outside":            {"state_of_health": "-5"},
		"more than 0 decimal":      {"age_days": "0.5"},
		"is not a plain decimal":   {"age_days": ""},
		"outside [0.1, 240.0] °C":  {"peak_temperature": "240.1"},
	} {
		_, err := query.Lanes("battery/v1", steps)
		wants(t, err, want)
	}
	_, err = query.Lanes("scooter/v1", nil)
	wants(t, err, "scooter/v1")
}

// A score is asked, answered from an owner's records, opened and read: within what the answer says of the model in the open.
func TestScoreAnswer(t *testing.T) {
	q, model := aScore(), aModel()
	q.Cohort = []statement.Range{{Lane: "age_days", Max: "2000"}}
	e := approved(q)
	records := make([]record.Record, 300)
	for i := range records {
		records[i] = record.Record{1, uint32(4_000 + 29*i), 0, uint32(10 * i), 0, 0, uint32(200 + 3*i), 0}
	}
	shape, err := query.Shape(q)
	if err != nil {
		t.Fatal(err)
	}
	lanes, err := query.Lanes(q.Schema, map[string]string{"state_of_health": "5", "peak_temperature": "10"})
	if err != nil {
		t.Fatal(err)
	}
	open, err := model.Clear(lanes, query.ScoreRecords(e, chunked(records, 64)))
	if err != nil {
		t.Fatal(err)
	}
	if open.Batteries != 201 {
		t.Fatalf("%d batteries", open.Batteries)
	}
	result := throughTheScheme(t, e, model, shape, lanes, records)
	a, err := query.ScoreAnswer(e, session(e), model, result)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{open.Mean, open.Deviation} {
		f := a.Figures[i]
		if off := math.Abs(number(t, f.Value) - want); off > number(t, f.Error) || number(t, f.Error) > 1e-3 {
			t.Errorf("%+v is %g off", f, off)
		}
	}
	if within, anywhere := model.Misfit(); number(t, a.Misfit.Within) < within || number(t, a.Misfit.Anywhere) < anywhere {
		t.Errorf("%+v", a.Misfit)
	}
	if a.MinimumCohort != uint64(shape.LeastCohort()) || a.MinimumCohort <= q.MinimumCohort {
		t.Errorf("minimum cohort is %d", a.MinimumCohort)
	}
	if back, err := query.ParseAnswer(a.Encode()); err != nil || cmp.Diff(a, back) != "" {
		t.Errorf("%v", err)
	}
	text := a.Text()
	for _, part := range []string{"Score       0.", ", exact to 0.0", "Deviation   0.", "Polynomial  differs", "the fleets of owner-20 at", "age_days at most 2000"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

func throughTheScheme(t *testing.T, e *ledger.QueryEntry, model *score.Model, shape score.Shape, lanes []score.Lane, records []record.Record) score.Result {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	request, secret, err := score.Seal(model, score.Context{1})
	must(err)
	owner := &score.Owner{Lanes: lanes, Least: int(e.Record.Query.MinimumCohort)}
	moments, err := owner.Collect(shape, query.ScoreRecords(e, chunked(records, 64)))
	must(err)
	answer, err := owner.Answer(request, score.Context{1}, moments)
	must(err)
	result, err := secret.Open(answer)
	must(err)
	return result
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The digits that are left out are in the bound, whatever the size of the numbers.
func TestScoreAnswerRounds(t *testing.T) {
	q, model := aScore(), aModel()
	q.Spread, model.Spread, model.Kind, model.Degree, model.Interval = false, false, score.Linear, 1, 0
	q.Degree = 1
	e := approved(q)
	rapid.Check(t, func(t *rapid.T) {
		r := score.Result{
			Mean:      rapid.Float64Range(-1<<20, 1<<20).Draw(t, "mean"),
			MeanError: math.Ldexp(rapid.Float64Range(1, 2).Draw(t, "mantissa"), rapid.IntRange(-60, 0).Draw(t, "exponent")),
		}
		a, err := query.ScoreAnswer(e, session(e), model, r)
		if err != nil {
			t.Fatal(err)
		}
		f := a.Figures[0]
		exact, shown, bound := new(big.Rat).SetFloat64(r.Mean), rational(f.Value), rational(f.Error)
		least := new(big.Rat).SetFloat64(r.MeanError)
		off := exact.Sub(exact, shown)
		if off.Abs(off).Add(off, least).Cmp(bound) > 0 {
			t.Fatalf("%+v of %+v", f, r)
		}
		if bound.Cmp(least.Mul(least, big.NewRat(101, 100))) > 0 || len(a.Figures) != 1 || a.Misfit != nil || strings.ContainsAny(f.Value+f.Error, "eE+") {
			t.Fatalf("%+v of %+v", a, r)
		}
	})
}

func TestScoreAnswerRefuses(t *testing.T) {
	good := score.Result{Mean: 0.5, MeanError: 1e-9, MeanSquare: 0.26, MeanSquareError: 1e-9}
	for want, change := range map[string]func(e *ledger.QueryEntry, s *ledger.Session, m *score.Model, r *score.Result){
		"the model is not of its shape": func(_ *ledger.QueryEntry, _ *ledger.Session, m *score.Model, _ *score.Result) {
			m.Features[0].Low = 4_000
		},
		"model is not of its shape":   func(_ *ledger.QueryEntry, _ *ledger.Session, m *score.Model, _ *score.Result) { m.Spread = false },
		"it is of query":              func(_ *ledger.QueryEntry, s *ledger.Session, _ *score.Model, _ *score.Result) { s.Query[0]++ },
		"no number with a bound":      func(_ *ledger.QueryEntry, _ *ledger.Session, _ *score.Model, r *score.Result) { r.Mean = math.NaN() },
		"result is no number with a":  func(_ *ledger.QueryEntry, _ *ledger.Session, _ *score.Model, r *score.Result) { r.MeanError = 0 },
		"score's result is no number": func(_ *ledger.QueryEntry, _ *ledger.Session, _ *score.Model, r *score.Result) { r.MeanSquareError = 0 },
		"kind is \"federated\", want \"s": func(e *ledger.QueryEntry, _ *ledger.Session, _ *score.Model, _ *score.Result) {
			e.Record.Query.Kind = ledger.QueryFederated
		},
	} {
		e, m, r := approved(aScore()), aModel(), good
		s := session(e)
		change(e, s, m, &r)
		_, err := query.ScoreAnswer(e, s, m, r)
		wants(t, err, want)
	}
}

// A model without weights has a misfit of 0 at the one point there is.
func TestScoreAnswerOfNothing(t *testing.T) {
	m := aModel()
	m.Intercept = 0
	for i := range m.Features {
		m.Features[i].Weight = 0
	}
	e := approved(aScore())
	a, err := query.ScoreAnswer(e, session(e), m, score.Result{Mean: 0.5, MeanError: 1e-9, MeanSquare: 0.25, MeanSquareError: 1e-9})
	if err != nil || a.Misfit.Anywhere != "0" {
		t.Errorf("%+v, %v", a, err)
	}
}
