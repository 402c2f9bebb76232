package query_test

import (
	"math"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// A variance below zero, by the owner's noise or its lie, takes the deviation away and leaves the mean: the answer is paid for, and there is no other.
func TestScoreAnswerWithoutADeviation(t *testing.T) {
	for epsilon, why := range map[string]string{"": "which is so of no devices", "1": "by the noised sums"} {
		q := aScore()
		q.Epsilon = epsilon
		e := approved(q)
		a, err := query.ScoreAnswer(e, session(e), aModel(), score.Result{Mean: 0.5, MeanError: 1e-9, MeanSquare: 0.2, MeanSquareError: 1e-9})
		if err != nil {
			t.Fatal(err)
		}
		if mean, deviation := a.Figures[0], a.Figures[1]; number(t, mean.Value) != 0.5 || deviation.Kind != query.FigureDeviation || deviation.Value != "" || deviation.Error != "" {
			t.Errorf("epsilon %q: %+v", epsilon, a.Figures)
		}
		if text := a.Text(); !strings.Contains(text, "Deviation   not defined: the variance is below zero, "+why) {
			t.Errorf("epsilon %q: %s", epsilon, text)
		}
	}
	// One that errors alone take below zero is a deviation of almost nothing.
	e := approved(aScore())
	a, err := query.ScoreAnswer(e, session(e), aModel(), score.Result{Mean: 0.5, MeanError: 1e-9, MeanSquare: 0.25 - 1e-9, MeanSquareError: 1e-9})
	if err != nil || number(t, a.Figures[1].Value) != 0 || number(t, a.Figures[1].Error) > 1e-4 {
		t.Errorf("%+v, %v", a, err)
	}
}

// What is finite is an answer, however far it is from what an owner can mean.
func TestScoreAnswerOfAnythingFinite(t *testing.T) {
	e := approved(aScore())
	for _, mean := range []float64{0, -1e-300, 1e-9, 1 << 48, -1e200, math.MaxFloat64} {
		for _, square := range []float64{0, 1e-300, 1, 1 << 48, math.MaxFloat64, -math.MaxFloat64} {
			for _, bound := range []float64{1e-300, 1e-9, 1, 1e300} {
				a, err := query.ScoreAnswer(e, session(e), aModel(), score.Result{Mean: mean, MeanError: bound, MeanSquare: square, MeanSquareError: bound})
				if err != nil || a.Figures[0].Value == "" {
					t.Errorf("%g and %g within %g: %+v, %v", mean, square, bound, a, err)
				}
			}
		}
	}
}

// Noise is put in numbers, and nothing that has some is called exact.
func TestScoreAnswerStatesItsNoise(t *testing.T) {
	r := score.Result{Mean: 0.5, MeanError: 1e-9, MeanSquare: 0.26, MeanSquareError: 1e-9}
	noises := func(change func(*ledger.Query, *ledger.QueryEntry)) (out [2]float64) {
		t.Helper()
		q := aScore()
		q.Epsilon, q.Delta, q.Cohort = "1", "0.000001", []statement.Range{{Lane: "age_days", Max: "2000"}}
		change(q, nil)
		e := approved(q, 10_000)
		change(q, e)
		a, err := query.ScoreAnswer(e, session(e), aModel(), r)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range a.Figures {
			out[i] = number(t, f.Noise)
		}
		if text := a.Text(); strings.Contains(text, "exact") || strings.Count(text, "noise with a standard deviation of at most 0.") != 2 && out[1] < 1 {
			t.Error(text)
		}
		return out
	}
	usual := noises(func(*ledger.Query, *ledger.QueryEntry) {})
	for name, change := range map[string]func(*ledger.Query, *ledger.QueryEntry){
		"a larger epsilon":   func(q *ledger.Query, _ *ledger.QueryEntry) { q.Epsilon = "10" },
		"a larger minimum":   func(q *ledger.Query, _ *ledger.QueryEntry) { q.MinimumCohort = 1_000 },
		"the whole fleet":    func(q *ledger.Query, _ *ledger.QueryEntry) { q.Cohort = nil },
		"a small, of 10 000": func(q *ledger.Query, e *ledger.QueryEntry) { q.Cohort, q.Epsilon = nil, "0.5" },
	} {
		if less := noises(change); less[0] >= usual[0] || less[1] >= usual[1] {
			t.Errorf("%s: %v, and not below %v", name, less, usual)
		}
	}
	e := approved(aScore())
	a, err := query.ScoreAnswer(e, session(e), aModel(), r)
	if err != nil || a.Figures[0].Noise+a.Figures[1].Noise != "" || strings.Count(a.Text(), "exact to") != 2 {
		t.Errorf("without noise: %+v, %v", a, err)
	}
}

// The noise that an owner adds is what the answer says, by its own drawing.
func TestScoreNoiseIsAsLargeAsStated(t *testing.T) {
	if testing.Short() {
		t.Skip("makes hundreds of answers")
	}
	q, model, budget := aScore(), aModel(), privacy.Budget{EpsilonMillionths: 1_000_000, DeltaTrillionths: 1_000_000}
	q.Epsilon, q.Delta = "1", "0.000001"
	records := make([]record.Record, 4_000)
	for i := range records {
		records[i] = record.Record{1, uint32(5_000 + i), 0, uint32(i / 2), 0, 0, uint32(300 + i/8), 0}
	}
	e := approved(q, uint64(len(records)))
	lanes, err := query.Lanes(q.Schema, map[string]string{"state_of_health": "5", "peak_temperature": "10"})
	if err != nil {
		t.Fatal(err)
	}
	open, err := model.Clear(lanes, query.ScoreRecords(e, chunked(records, 64)))
	if err != nil {
		t.Fatal(err)
	}
	shape := model.Shape()
	owner := &score.Owner{Lanes: lanes, Least: 10, Noise: func(sums []float64) error {
		noised, _, err := privacy.Noise(sums, len(sums), 1, budget)
		copy(sums, noised)
		return err
	}}
	const trials = 60
	total, stated := [2]float64{}, [2]float64{}
	for range trials {
		request, secret, err := score.Seal(model, score.Context{1})
		if err != nil {
			t.Fatal(err)
		}
		moments, err := owner.Collect(shape, query.ScoreRecords(e, chunked(records, 64)))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := owner.Answer(request, score.Context{1}, moments)
		if err != nil {
			t.Fatal(err)
		}
		result, err := secret.Open(answer)
		if err != nil {
			t.Fatal(err)
		}
		a, err := query.ScoreAnswer(e, session(e), model, result)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{open.Mean, open.Deviation} {
			got := 0.0 // a deviation that is not defined
			if a.Figures[i].Value != "" {
				got = number(t, a.Figures[i].Value)
			}
			total[i] += (got - want) * (got - want)
			stated[i] += math.Pow(number(t, a.Figures[i].Noise), 2)
		}
	}
	for i := range total {
		is, says := math.Sqrt(total[i]/trials), math.Sqrt(stated[i]/trials)
		t.Logf("figure %d: noise %.2g, stated %.2g", i, is, says)
		if is > 1.3*says || is < says/100 {
			t.Errorf("figure %d has noise of %g, and says at most %g", i, is, says)
		}
	}
}
