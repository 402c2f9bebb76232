package score

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

// exactMoments computes in rational numbers.
func exactMoments(s Shape, f [][]uint32) []*big.Rat {
	list := listMonomials(len(s.Features), s.momentDegree())
	sums := make([]*big.Rat, len(list.parent))
	values := make([]*big.Rat, len(list.parent))
	for k := range sums {
		sums[k], values[k] = new(big.Rat), big.NewRat(1, 1)
	}
	for _, lane := range f {
		x := make([]*big.Rat, len(s.Features))
		for i, g := range s.Features {
			v := min(max(lane[i], g.Low), g.High)
			x[i] = big.NewRat(2*int64(v)-int64(g.Low)-int64(g.High), int64(g.High)-int64(g.Low))
		}
		for k := range list.parent {
			if k > 0 {
				values[k] = new(big.Rat).Mul(values[list.parent[k]], x[list.variable[k]])
			}
			sums[k].Add(sums[k], values[k])
		}
	}
	for _, v := range sums {
		v.Quo(v, big.NewRat(int64(len(f)), 1))
	}
	return sums
}

func TestMomentError(t *testing.T) {
	s := model(1, Logistic, 3, 3, true).Shape()
	f := fleet(3, 2_500, 7)
	m := moments(t, s, f)
	for k, want := range exactMoments(s, f) {
		got := new(big.Rat).SetFrac(big.NewInt(m.fixed[k]), pow2(momentBits))
		miss, _ := got.Sub(got, want).Float64()
		if math.Abs(miss) > MomentError {
			t.Errorf("moment %d is off by %g", k, miss)
		}
	}
	if m.Batteries() != len(f) || m.fixed[0] != 1<<momentBits {
		t.Errorf("%d batteries, constant %d", m.Batteries(), m.fixed[0])
	}
	if text := fmt.Sprintf("%v %+v %#v %s %+v", m, m, m, m, *m); strings.ContainsAny(text, "0123456789") {
		t.Errorf("moments print as %s", text)
	}
}

// What Collect allocates does not grow with the cohort.
func TestConstantMemory(t *testing.T) {
	s := plainShape(4, 3)
	lane := fleet(1, 1, 7)[0]
	measure := func(n int) float64 {
		return testing.AllocsPerRun(5, func() {
			_, err := owner().Collect(s, func(yield func([]uint32, error) bool) {
				for range n {
					if !yield(lane, nil) {
						return
					}
				}
			})
			must(t, err)
		})
	}
	if few, many := measure(100), measure(20_000); many > few+10 {
		t.Errorf("%g allocations for 100 batteries, %g for 20 000", few, many)
	}
}

func TestCollectRefuses(t *testing.T) {
	s := plainShape(1, 1)
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		o       *Owner
		s       Shape
		records Records
	}{
		"reader's error": {owner(), s, func(yield func([]uint32, error) bool) { yield(nil, broken) }},
		"short record":   {owner(), s, records([][]uint32{{1, 2, 3}})},
		"long record":    {owner(), s, records([][]uint32{{1, 2, 3, 4, 5, 6, 7, 8}})},
		"nobody":         {owner(), s, records(nil)},
		"nine of ten":    {owner(), s, records(fleet(1, 9, 7))},
		"no lanes":       {&Owner{Least: 1}, s, records(fleet(1, 10, 7))},
		"no minimum":     {&Owner{Lanes: lanes(7)}, s, records(fleet(1, 10, 7))},
		"lane twice":     {&Owner{Least: 1, Lanes: append(lanes(7), lanes(1)...)}, s, records(fleet(1, 10, 8))},
		"wide grid":      {&Owner{Least: 1, Lanes: []Lane{{Name: s.Features[0].Lane, High: 10_100, Narrowest: 10_101}}}, s, records(fleet(1, 10, 1))},
		"empty lane":     {&Owner{Least: 1, Lanes: append(lanes(7), Lane{Name: "x"})}, s, records(fleet(1, 10, 8))},
		"shape":          {owner(), Shape{Degree: 2, Features: s.Features}, records(fleet(1, 10, 7))},
	} {
		if _, err := c.o.Collect(c.s, c.records); err == nil {
			t.Errorf("%s: collected", name)
		} else if name == "reader's error" && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswerRefusesOtherMoments(t *testing.T) {
	q, _, err := Seal(model(1, Linear, 2, 1, false), Context{})
	must(t, err)
	if _, err := owner().Answer(q, Context{}, moments(t, plainShape(2, 1), fleet(1, 50, 7))); err == nil {
		t.Error("answered with moments of another shape")
	}
	changed := *q
	changed.Shape = plainShape(3, 1)
	if _, err := owner().Answer(&changed, Context{}, moments(t, changed.Shape, fleet(1, 50, 7))); err == nil {
		t.Error("answered a request whose shape was changed")
	}
	strict := owner()
	strict.Lanes[0].Narrowest = 9_999
	if _, err := strict.Answer(q, Context{}, moments(t, q.Shape, fleet(1, 50, 7))); err == nil {
		t.Error("answered what it does not admit")
	}
}

// One owner answers several lenders at once.
func TestConcurrentAnswers(t *testing.T) {
	o := owner()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := model(seed, Logistic, 2, 3, true)
			f := fleet(seed, 60, 7)
			want, err := m.Clear(o.Lanes, records(f))
			must(t, err)
			if got := play(t, m, o, f); math.Abs(got.Mean-want.Mean) > got.MeanError {
				t.Errorf("mean %g, in the clear %g", got.Mean, want.Mean)
			}
		})
	}
}

func TestNoiseHook(t *testing.T) {
	m := model(1, Linear, 2, 1, false)
	f := fleet(1, 100, 7)
	calls := 0
	o := owner()
	o.Noise = func(sums []float64) error {
		calls++
		if sums[0] != 100 || len(sums) != 3 {
			t.Errorf("the hook got %d sums, the first %g", len(sums), sums[0])
		}
		sums[0], sums[1], sums[2] = 90, 45, -1_000
		return nil
	}
	got := play(t, m, o, f)
	if calls != 1 {
		t.Errorf("the hook ran %d times", calls)
	}
	w := m.expand(false)
	if want := w[0] + w[1]/2 - w[2]; math.Abs(got.Mean-want) > got.MeanError {
		t.Errorf("mean %g, want %g", got.Mean, want)
	}

	s := m.Shape()
	for name, hook := range map[string]func([]float64) error{
		"error":    func([]float64) error { return errors.New("no noise today") },
		"NaN":      func(s []float64) error { s[1] = math.NaN(); return nil },
		"infinite": func(s []float64) error { s[2] = math.Inf(-1); return nil },
	} {
		o.Noise = hook
		if _, err := o.Collect(s, records(f)); err == nil {
			t.Errorf("%s: collected", name)
		}
	}
}

// It is the noised number of batteries that decides, and stays with the moments: the exact one is told by nothing.
func TestNoisedCohort(t *testing.T) {
	m := model(1, Linear, 2, 1, false)
	q, _, err := Seal(m, Context{})
	must(t, err)
	for _, c := range []struct {
		batteries int
		noised    float64
		want      int // 0: too few
	}{
		{100, 9.999, 0}, {100, -1e9, 0}, {100, 0, 0}, {100, 10, 10}, {100, 10.75, 10}, {9, 10, 10}, {9, 9.5, 0}, {0, 12, 12}, {100, 1e300, maxNoised},
	} {
		o := owner()
		o.Noise = func(s []float64) error { s[0] = c.noised; return nil }
		got, err := o.Collect(m.Shape(), records(fleet(1, c.batteries, 7)))
		if c.want == 0 {
			if !errors.Is(err, ErrCohort) {
				t.Errorf("%d batteries noised to %g: %v", c.batteries, c.noised, err)
			}
			continue
		}
		must(t, err)
		if got.Batteries() != c.want {
			t.Errorf("%d batteries noised to %g: %d", c.batteries, c.noised, got.Batteries())
		}
		_, err = o.Answer(q, Context{}, got)
		must(t, err)
	}
}
