package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/mpc/score"
)

// ScoreAnswer says what the opened answer to a score means, which was asked for with this model. What an owner can bring about is no error: it has answered, and there is no other answer.
func ScoreAnswer(e *ledger.QueryEntry, s *ledger.Session, model *score.Model, r score.Result) (*Answer, error) {
	shape, err := Shape(&e.Record.Query)
	if err == nil {
		err = CheckSession(e, s)
	}
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	own := model.Shape()
	if own.Degree != shape.Degree || own.Spread != shape.Spread || !slices.Equal(own.Features, shape.Features) {
		return nil, fmt.Errorf("query %s: the model is not of its shape", e.ID)
	}
	if !isBounded(r.Mean, r.MeanError) || shape.Spread && !isBounded(r.MeanSquare, r.MeanSquareError) {
		return nil, fmt.Errorf("query %s: the score's result is no number with a bound", e.ID)
	}
	inMean, inDeviation, err := scoreNoise(e, shape, model, r)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	a := newAnswer(e, s, s.Owners())
	a.MinimumCohort, a.Figures = leastCohort(&e.Record.Query), []Figure{scored(FigureScore, r.Mean, r.MeanError, inMean)}
	if shape.Spread {
		deviation, bound := r.Deviation()
		a.Figures = append(a.Figures, scored(FigureDeviation, deviation, bound, inDeviation))
	}
	if within, anywhere := model.Misfit(); model.Kind == score.Logistic {
		a.Misfit = &Misfit{Within: boundText(within), Anywhere: boundText(anywhere)}
	}
	return a, nil
}

func isBounded(value, bound float64) bool {
	return !math.IsNaN(value) && !math.IsInf(value, 0) && bound > 0 && !math.IsInf(bound, 0)
}

// scoreNoise bounds the standard deviation of the owner's noise in a score's mean and deviation; 0 where there is none. Of how many batteries they are is known if the cohort is the whole fleet. Else
// it is no fewer, by the noised number, than the least that an owner answers about.
func scoreNoise(e *ledger.QueryEntry, shape score.Shape, model *score.Model, r score.Result) (mean, deviation float64, err error) {
	q := &e.Record.Query
	b, err := budget(q)
	if err != nil || b == nil {
		return 0, 0, err
	}
	_, inSum, err := privacy.Noise(nil, shape.Monomials(), 1, *b)
	if err != nil {
		return 0, 0, err
	}
	batteries := leastCohort(q)
	if len(q.Cohort) == 0 {
		settled, err := settledPart(e, q.Parts[0].Fleet)
		if err != nil {
			return 0, 0, err
		}
		batteries = max(batteries, settled.Attested)
	}
	mean, deviation = model.NoiseIn(r, inSum, float64(batteries))
	return mean, deviation, nil
}

// scored shows as many digits as are worth something; what that rounds off is in the bound. A value that is not defined is left out.
func scored(kind FigureKind, value, bound, noise float64) Figure {
	f := Figure{Kind: kind}
	if noise > 0 {
		f.Noise = boundText(noise)
	}
	if isBounded(value, bound) {
		p := places(bound)
		f.Value, f.Error = strconv.FormatFloat(value, 'f', p, 64), boundText(bound+math.Pow10(-p)/2)
	}
	return f
}

func newAnswer(e *ledger.QueryEntry, s *ledger.Session, owners []string) *Answer {
	q := &e.Record.Query
	return &Answer{
		Version: AnswerVersion, Query: e.ID, Session: s.ID(), Kind: q.Kind, Owners: slices.Clone(owners), Schema: q.Schema, Epoch: q.Epoch,
		Cohort: slices.Clone(q.Cohort), MinimumCohort: q.MinimumCohort, Epsilon: q.Epsilon, Delta: q.Delta,
	}
}
