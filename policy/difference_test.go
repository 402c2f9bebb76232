package policy

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// box makes a cohort of lo, hi pairs.
func box(bounds ...uint32) Cohort {
	var c Cohort
	for i := 0; i < len(bounds); i += 2 {
		c.Lo, c.Hi = append(c.Lo, bounds[i]), append(c.Hi, bounds[i+1])
	}
	return c
}

func answered(request string, c Cohort, minimum, count uint64) Answered {
	return Answered{Request: request, Cohort: c, Minimum: minimum, Shown: true, Count: &count}
}

func hidden(request string, c Cohort, minimum uint64) Answered {
	return Answered{Request: request, Cohort: c, Minimum: minimum}
}

func TestRelate(t *testing.T) {
	for name, c := range map[string]struct {
		a, b Cohort
		want relation
	}{
		"same":                      {box(1, 5, 0, 9), box(1, 5, 0, 9), same},
		"inside in one lane":        {box(1, 5, 0, 8), box(1, 5, 0, 9), inside},
		"inside in all":             {box(2, 4, 1, 8), box(1, 5, 0, 9), inside},
		"outside":                   {box(1, 5, 0, 9), box(2, 4, 1, 8), outside},
		"disjoint, next each other": {box(1, 5, 0, 9), box(6, 8, 0, 9), disjoint},
		"one value shared":          {box(1, 5, 0, 9), box(5, 8, 0, 9), crossing},
		"a cross":                   {box(1, 5, 3, 4), box(3, 4, 1, 5), crossing},
		"narrower and wider":        {box(1, 5, 3, 4), box(1, 4, 3, 5), crossing},
		"other lanes":               {box(1, 5), box(1, 5, 0, 9), crossing},
		"no lanes":                  {box(), box(1, 5), crossing},
		"turned round":              {box(5, 1), box(0, 9), crossing},
		"unequal bounds":            {Cohort{Lo: []uint32{1, 2}, Hi: []uint32{3}}, box(0, 9), crossing},
	} {
		if got := relate(c.a, c.b); got != c.want {
			t.Errorf("%s: relation %d, want %d", name, got, c.want)
		}
	}
}

func TestOverlaps(t *testing.T) {
	earlier := []Answered{
		answered("healthy", box(70, 100, 0, 99), 10, 500),
		hidden("new", box(0, 60, 0, 10), 10),
		{Request: "approved", Cohort: box(0, 60, 20, 30), Minimum: 10, Shown: true},
		{Request: "begun", Cohort: box(80, 90, 50, 60), Minimum: 10, Shown: true, Started: true},
	}
	for name, c := range map[string]struct {
		next Answered
		want []string
	}{
		"the same again":              {answered("x", box(70, 100, 0, 99), 10, 1), nil},
		"beside them":                 {hidden("x", box(61, 69, 0, 99), 10), nil},
		"within, both shown":          {answered("x", box(95, 100, 70, 99), 10, 1), []string{"begun", "lie in one that was answered", "not recorded"}},
		"around one that is begun":    {answered("x", box(65, 100, 0, 99), 10, 1), []string{"begun", "hold one another", "not recorded"}},
		"within one only approved":    {answered("x", box(0, 60, 21, 30), 10, 1), []string{"approved", "not recorded"}},
		"the approved one again":      {answered("x", box(0, 60, 20, 30), 10, 1), nil},
		"the begun one again":         {answered("x", box(80, 90, 50, 60), 10, 1), nil},
		"beside one only approved":    {answered("x", box(0, 60, 31, 40), 10, 1), nil},
		"within, hidden":              {hidden("x", box(80, 100, 0, 99), 10), []string{"healthy", "does not disclose count"}},
		"within one hidden":           {answered("x", box(0, 50, 0, 10), 10, 1), []string{"new", "did not disclose count"}},
		"one step to the side":        {answered("x", box(69, 99, 0, 99), 10, 1), []string{"healthy", "in part"}},
		"across another lane":         {answered("x", box(65, 100, 0, 98), 10, 1), []string{"healthy", "in part"}},
		"across one only approved":    {answered("x", box(0, 60, 25, 35), 10, 1), []string{"approved", "in part"}},
		"of another number of lanes":  {answered("x", box(70, 100), 10, 1), []string{"approved", "healthy", "new"}},
		"no box":                      {answered("x", box(9, 1, 0, 99), 10, 1), []string{"9 > 1 in lane 0"}},
		"everything, one is hidden":   {answered("x", box(0, 100, 0, 99), 10, 1), []string{"new", "did not disclose"}},
		"bounds of different lengths": {Answered{Cohort: Cohort{Lo: []uint32{1}}}, []string{"1 lower and 0 upper"}},
	} {
		expectReasons(t, name, Overlaps(earlier, c.next), c.want)
	}
}

// expectReasons: nil wants no reason, else each text occurs.
func expectReasons(t *testing.T, name string, got, want []string) {
	t.Helper()
	all := strings.Join(got, "; ")
	if (len(got) == 0) != (len(want) == 0) {
		t.Errorf("%s: reasons %q, want %q", name, got, want)
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("%s: reasons %q do not say %q", name, got, w)
		}
	}
}

func TestIsolates(t *testing.T) {
	all := func(count uint64) Answered { return answered("all", box(0, 100), 10, count) }
	for name, c := range map[string]struct {
		earlier []Answered
		next    Answered
		want    []string
	}{
		"alone":                           {nil, all(10), nil},
		"alone and too small":             {nil, all(9), []string{"fewer than 10"}},
		"alone and empty":                 {nil, all(0), nil},
		"hidden and alone":                {nil, hidden("x", box(0, 100), 10), nil},
		"not counted":                     {nil, Answered{Request: "x", Cohort: box(0, 1), Shown: true}, []string{"does not show the count"}},
		"overlapping":                     {[]Answered{all(100)}, answered("x", Cohort{Lo: []uint32{50}, Hi: []uint32{101}}, 10, 50), []string{"in part"}},
		"one battery between":             {[]Answered{all(100)}, answered("x", box(1, 100), 10, 99), []string{"fewer than 10", "cohort of request all"}},
		"nine between":                    {[]Answered{all(100)}, answered("x", box(1, 100), 10, 91), []string{"fewer than 10"}},
		"ten between":                     {[]Answered{all(100)}, answered("x", box(1, 100), 10, 90), nil},
		"none between":                    {[]Answered{all(100)}, answered("x", box(1, 100), 10, 100), nil},
		"one between, asked around":       {[]Answered{answered("x", box(1, 100), 10, 99)}, all(100), []string{"fewer than 10"}},
		"the inner demands more":          {[]Answered{all(100)}, answered("x", box(1, 100), 20, 85), []string{"fewer than 20"}},
		"beside two, three are left":      {[]Answered{all(43), answered("a", box(0, 10), 10, 20)}, answered("b", box(20, 30), 10, 20), []string{"fewer than 10"}},
		"beside two, none is left":        {[]Answered{all(40), answered("a", box(0, 10), 10, 20)}, answered("b", box(20, 30), 10, 20), nil},
		"an approved one is in the way":   {[]Answered{{Request: "a", Cohort: box(1, 100), Minimum: 10, Shown: true}}, all(100), []string{"not recorded"}},
		"its own repetition is not":       {[]Answered{{Request: "a", Cohort: box(0, 100), Minimum: 50, Shown: true}}, all(10), nil},
		"one begun passes its minimum on": {[]Answered{{Request: "a", Cohort: box(0, 100), Minimum: 50, Shown: true, Started: true}}, all(49), []string{"fewer than 50"}},
		"once it is known it is compared": {
			[]Answered{{Request: "lost", Cohort: box(0, 100), Minimum: 50, Shown: true, Started: true}, all(100)},
			answered("x", box(1, 100), 10, 60), []string{"fewer than 50"},
		},
		"what never began has no minimum": {
			[]Answered{{Request: "failed", Cohort: box(0, 100), Minimum: 50, Shown: true}, all(100)},
			answered("x", box(1, 100), 10, 60), nil,
		},
		"beside one that was lost": {
			[]Answered{all(100), {Request: "lost", Cohort: box(0, 40), Minimum: 10, Shown: true, Started: true}},
			answered("x", box(41, 99), 10, 40), []string{"lost", "not recorded"},
		},
		"in between":                  {[]Answered{all(100), answered("a", box(10, 20), 10, 10)}, answered("b", box(9, 30), 10, 15), []string{"cohort of request b"}},
		"the same, counted otherwise": {[]Answered{all(100)}, answered("x", box(0, 100), 10, 99), []string{"different counts"}},
		"more within than without":    {[]Answered{all(100)}, answered("x", box(1, 100), 10, 101), []string{"do not add up"}},
		// a holds what the whole holds, so the whole's minimum is a's as well.
		"by way of an equal": {
			[]Answered{answered("all", box(0, 100), 50, 100), answered("a", box(1, 100), 5, 100)},
			answered("b", box(2, 100), 5, 95), []string{"fewer than 50", "cohort of request a"},
		},
		"another tree is not asked": {
			[]Answered{answered("a", box(0, 10), 1, 3), answered("b", box(20, 30), 1, 3)},
			answered("c", box(40, 50), 10, 30), nil,
		},
	} {
		got := Isolates(c.earlier, c.next)
		expectReasons(t, name, got, c.want)
		reversed := slices.Clone(c.earlier)
		slices.Reverse(reversed)
		if again := Isolates(reversed, c.next); !slices.Equal(got, again) {
			t.Errorf("%s: reasons depend on the order of answers: %q, %q", name, got, again)
		}
		for _, r := range got {
			for _, number := range []string{"99", "91", "85", "95", "101", " 3 "} {
				if strings.Contains(r, number) {
					t.Errorf("%s: the reason %q tells a count", name, r)
				}
			}
		}
	}
}

// What a lender that moves a bound by one step gets to see.
func TestMovingBoundFindsNoBattery(t *testing.T) {
	const fleet, minimum = 1000, 25
	var book []Answered
	var counts []uint64
	for bound := uint32(0); bound <= 100; bound++ {
		count := uint64(fleet - 7*bound)
		next := answered("bound", box(bound, 100), minimum, count)
		if len(Isolates(book, next)) == 0 {
			book, counts = append(book, next), append(counts, count)
		}
	}
	for i := 1; i < len(counts); i++ {
		if between := counts[i-1] - counts[i]; between < minimum {
			t.Errorf("two answers differ by %d batteries", between)
		}
	}
	if len(book) < 20 {
		t.Errorf("%d answers only", len(book))
	}
}

func TestWaits(t *testing.T) {
	pending := Answered{Request: "pending", Cohort: box(0, 40), Minimum: 10, Shown: true, Pending: true}
	begun := Answered{Request: "begun", Cohort: box(0, 40), Minimum: 10, Shown: true, Pending: true, Started: true}
	lost := Answered{Request: "lost", Cohort: box(0, 40), Minimum: 10, Shown: true, Started: true}
	all := answered("all", box(0, 100), 10, 100)
	for name, c := range map[string]struct {
		earlier []Answered
		next    Cohort
		want    bool
	}{
		"nothing is in the way":      {[]Answered{pending}, box(41, 100), false},
		"the same":                   {[]Answered{pending}, box(0, 40), false},
		"around one that may come":   {[]Answered{pending}, box(0, 100), true},
		"within one that may come":   {[]Answered{begun}, box(1, 40), true},
		"beside one that may come":   {[]Answered{all, begun}, box(41, 90), true},
		"around one that never will": {[]Answered{lost}, box(0, 100), false},
		"across one that may come":   {[]Answered{pending}, box(20, 60), false},
		"one may come, one will not": {[]Answered{pending, lost}, box(0, 100), false},
	} {
		if got := Waits(c.earlier, Answered{Request: "x", Cohort: c.next, Minimum: 10, Shown: true}); got != c.want {
			t.Errorf("%s: waits %t", name, got)
		}
	}
}

// A thousand batteries, of which a bound is moved until the few above it are
// found. What fails costs an answer; it must not be free of consequences.
func TestRefusedProofsFindNoExtreme(t *testing.T) {
	const minimum, oldest = 50, uint32(3995)
	book := []Answered{answered("all", box(0, 1<<16), minimum, 1000)}
	lo, hi, bits := uint32(0), uint32(1<<16), 0
	for i := 0; lo+1 < hi && i < 40; i++ {
		bound := (lo + hi) / 2
		next := Answered{Request: "probe", Cohort: box(0, bound), Minimum: minimum, Shown: true}
		if len(Overlaps(book, next)) > 0 {
			break
		}
		count := uint64(1000)
		if bound < oldest {
			count = 999
		}
		bits++
		next.Count = &count
		if len(Isolates(book, next)) > 0 {
			next.Count = nil // it failed before a proof was begun, and counts
			lo = bound
		} else {
			hi = bound
		}
		book = append(book, next)
	}
	if hi-lo < 1<<10 {
		t.Errorf("%d answers find the oldest battery between %d and %d days", bits, lo, hi)
	}
}

func TestDrawn(t *testing.T) { rapid.Check(t, func(t *rapid.T) { newWorld(t, false).play(t) }) }

func TestDrawnWithManyMinima(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { newWorld(t, true).play(t) })
}
