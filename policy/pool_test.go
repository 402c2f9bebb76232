package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func boxOf(lo, hi uint32) Cohort { return Cohort{Lo: []uint32{0, lo}, Hi: []uint32{0, hi}} }

func TestPools(t *testing.T) {
	abc := Pooled{Query: "first", Fleets: []string{"a", "b", "c"}, Cohort: boxOf(0, 9)}
	opened := abc
	opened.Opened = abc.Fleets
	for name, c := range map[string]struct {
		next Pooled
		want string
	}{
		"the same":            {opened, ""},
		"not yet opened":      {abc, ""},
		"disjoint cohorts":    {Pooled{Fleets: abc.Fleets, Cohort: boxOf(10, 20)}, ""},
		"disjoint fleets":     {Pooled{Fleets: []string{"d", "e", "f"}, Cohort: boxOf(5, 20)}, ""},
		"one more":            {Pooled{Fleets: []string{"a", "b", "c", "d"}, Cohort: boxOf(0, 9)}, "query first pools one of the fleets"},
		"one in common":       {Pooled{Fleets: []string{"c", "d", "e"}, Cohort: boxOf(10, 20)}, "query first pools one of the fleets"},
		"inside":              {Pooled{Fleets: abc.Fleets, Cohort: boxOf(0, 8)}, "overlaps that of query first"},
		"around":              {Pooled{Fleets: abc.Fleets, Cohort: boxOf(0, 10)}, "overlaps that of query first"},
		"crossing":            {Pooled{Fleets: abc.Fleets, Cohort: boxOf(9, 10)}, "overlaps that of query first"},
		"other parts":         {Pooled{Fleets: abc.Fleets, Cohort: boxOf(0, 9), Opened: []string{"a", "b"}}, "with other owners' parts"},
		"other parts, beside": {Pooled{Fleets: abc.Fleets, Cohort: boxOf(10, 11), Opened: []string{"a", "b"}}, ""},
		"no box":              {Pooled{Fleets: abc.Fleets}, "the cohort has 0 lower"},
		"other lanes":         {Pooled{Fleets: abc.Fleets, Cohort: Cohort{Lo: []uint32{0}, Hi: []uint32{0}}}, "overlaps"},
	} {
		reasons := Pools([]Pooled{opened}, c.next)
		if got := strings.Join(reasons, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	crossing := Pooled{Query: "second", Fleets: abc.Fleets, Cohort: boxOf(5, 20), Opened: abc.Fleets}
	if reasons := Pools([]Pooled{crossing, opened}, Pooled{Fleets: abc.Fleets, Cohort: boxOf(0, 8)}); len(reasons) != 2 {
		t.Errorf("%q", reasons)
	}
}

// Whatever is drawn and taken, no sum or difference of exact answers is a total over one owner's batteries alone, nor over a part of a cohort: for each owner and
// place on the line, the answers' coefficients are the same as those of at least two other owners, and of all places of one cohort.
func TestPooledAnswersTellNobodyApart(t *testing.T) {
	const fleets, places = 6, 6
	names := []string{"a", "b", "c", "d", "e", "f"}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // draws questions
	taken := 0
	for range 400 {
		var answered []Pooled
		for range 12 {
			set := slices.Clone(names)
			random.Shuffle(fleets, func(i, j int) { set[i], set[j] = set[j], set[i] })
			set = set[:3+random.IntN(fleets-2)]
			slices.Sort(set)
			lo := random.Uint32N(places)
			next := Pooled{Fleets: set, Cohort: boxOf(lo, lo+random.Uint32N(places-lo)), Opened: set}
			if drop := random.IntN(2 * len(set)); len(set) > 3 && drop < len(set) {
				next.Opened = slices.Delete(slices.Clone(set), drop, drop+1)
			}
			if len(Pools(answered, next)) == 0 {
				answered, taken = append(answered, next), taken+1
			}
		}
		// The column of an owner at a place: in which answers its batteries there are counted.
		column := func(f string, at uint32) string {
			b := make([]byte, len(answered))
			for i, a := range answered {
				b[i] = '0'
				if slices.Contains(a.Opened, f) && a.Cohort.Lo[1] <= at && at <= a.Cohort.Hi[1] {
					b[i] = '1'
				}
			}
			return string(b)
		}
		for at := range uint32(places) {
			same := map[string]int{}
			for _, f := range names {
				same[column(f, at)]++
			}
			for c, n := range same {
				if strings.Contains(c, "1") && n < 3 {
					t.Fatalf("at %d the answers %+v tell %d owners from the others", at, answered, n)
				}
			}
		}
		for _, a := range answered {
			for at := a.Cohort.Lo[1]; at < a.Cohort.Hi[1]; at++ {
				if f := a.Opened[0]; column(f, at) != column(f, at+1) {
					t.Fatalf("the answers %+v tell %d from %d", answered, at, at+1)
				}
			}
		}
	}
	if taken < 400 {
		t.Errorf("only %d answers were taken", taken)
	}
}

// homomorphic makes the question a query that the grant is for.
func homomorphic(a Action, cohort, epsilon uint64) func(*Terms, *Question, *Spent) {
	return func(t *Terms, q *Question, _ *Spent) {
		t.Actions, q.Action, q.MinimumCohort, q.Epsilon = []Action{a}, a, cohort, epsilon
	}
}
