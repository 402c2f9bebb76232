package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// grid is where clips may end: 100, 601, 1 102 and so on.
const grid = 501

// lanes are an owner's, with values in the middle of the bounds.
func lanes(n int) []Lane {
	l := make([]Lane, n)
	for i := range l {
		l[i] = Lane{Name: fmt.Sprintf("lane_%d", i), Low: 100, High: 10_100, Narrowest: grid}
	}
	return l
}

// fleet is a deterministic fleet; some values lie beyond the lanes' bounds.
func fleet(seed uint64, batteries, lanes int) [][]uint32 {
	r := rand.New(rand.NewPCG(seed, 1))
	f := make([][]uint32, batteries)
	for i := range f {
		f[i] = make([]uint32, lanes)
		for j := range f[i] {
			v := 5_000 + 600*float64(j%4) + 2_000*r.NormFloat64()
			f[i][j] = uint32(min(max(v, 0), 12_000))
		}
	}
	return f
}

func records(f [][]uint32) Records {
	return func(yield func([]uint32, error) bool) {
		for _, l := range f {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// model is a random model over n lanes. Its weighted sum reaches about 1.5 intervals.
func model(seed uint64, kind Kind, n, degree int, spread bool) *Model {
	r := rand.New(rand.NewPCG(seed, 2))
	m := &Model{Kind: kind, Degree: degree, Spread: spread}
	size := 100.0
	if kind == Logistic {
		m.Interval, size = 8, 12
	}
	for i := range n {
		low := 100 + grid*r.Uint32N(8)
		f := Feature{Lane: fmt.Sprintf("lane_%d", i%7), Low: low, High: low + grid*(2+r.Uint32N(8))}
		for slices.ContainsFunc(m.Features, func(w Weighted) bool { return w.Feature == f }) {
			f.High += grid
		}
		half := float64(f.High-f.Low) / 2
		w := (2*r.Float64() - 1) * size / float64(n) / half
		m.Features = append(m.Features, Weighted{f, w})
		m.Intercept -= w * (float64(f.Low) + half)
	}
	m.Intercept += 2*r.Float64() - 1
	return m
}

func owner() *Owner { return &Owner{Lanes: lanes(7), Least: 10} }

// play is the whole protocol over the encodings.
func play(t testing.TB, m *Model, o *Owner, f [][]uint32) Result {
	t.Helper()
	context := Context{1, 2, 3}
	q, s, err := Seal(m, context)
	must(t, err)
	sent, err := q.MarshalBinary()
	must(t, err)
	if len(sent) != RequestSize(m.Shape()) || len(sent) > MaxRequest {
		t.Fatalf("request has %d bytes, want %d", len(sent), RequestSize(m.Shape()))
	}
	got, err := ParseRequest(sent)
	must(t, err)
	moments, err := o.Collect(got.Shape, records(f))
	must(t, err)
	a, err := o.Answer(got, context, moments)
	must(t, err)
	back, err := a.MarshalBinary()
	must(t, err)
	if len(back) != AnswerSize(m.Shape()) || len(back) > MaxAnswer {
		t.Fatalf("answer has %d bytes, want %d", len(back), AnswerSize(m.Shape()))
	}
	b, err := ParseAnswer(back)
	must(t, err)
	r, err := s.Open(b)
	must(t, err)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEqualsTwin(t *testing.T) {
	for _, c := range []struct {
		kind             Kind
		features, degree int
		spread           bool
		batteries        int
	}{
		{Linear, 1, 1, false, 10},
		{Linear, 16, 1, true, 200},
		{Logistic, 1, 7, true, 40},
		{Logistic, 3, 5, false, 80},
		{Logistic, 8, 3, false, 1_000},
		{Logistic, 8, 3, true, 3_004},
		{Logistic, 16, 3, false, 1_100},
		{Logistic, 8, 7, false, 6_500},
	} {
		name := fmt.Sprintf("%s-%d-%d-%v", c.kind, c.features, c.degree, c.spread)
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				m := model(seed, c.kind, c.features, c.degree, c.spread)
				f := fleet(seed, c.batteries, 7)
				checkAgainstTwin(t, m, f)
			}
		})
	}
}

func checkAgainstTwin(t *testing.T, m *Model, f [][]uint32) {
	t.Helper()
	o := owner()
	want, err := m.Clear(o.Lanes, records(f))
	must(t, err)
	got := play(t, m, o, f)
	if math.Abs(got.Mean-want.Mean) > got.MeanError {
		t.Errorf("mean %g, in the clear %g, bound %g", got.Mean, want.Mean, got.MeanError)
	}
	if got.MeanError > 1e-6*max(1, m.Reach()) {
		t.Errorf("bound %g is of no use", got.MeanError)
	}
	t.Logf("mean %.9f, off by %.1e, bound %.1e; exact %.6f", got.Mean, math.Abs(got.Mean-want.Mean), got.MeanError, want.Exact)
	deviation, bound := got.Deviation()
	if !m.Spread {
		if !math.IsNaN(deviation) || got.MeanSquare != 0 {
			t.Error("a spread that was not asked for")
		}
		return
	}
	if math.Abs(got.MeanSquare-want.MeanSquare) > got.MeanSquareError || math.Abs(deviation-want.Deviation) > bound {
		t.Errorf("deviation %g, in the clear %g, bound %g", deviation, want.Deviation, bound)
	}
}
