package policy

import "testing"

func TestOutside(t *testing.T) {
	healthy := answered("healthy", box(70, 100), 10, 900)
	for name, c := range map[string]struct {
		earlier    []Answered
		next       Answered
		population uint64
		want       []string
	}{
		"enough":                  {nil, healthy, 910, nil},
		"none":                    {nil, healthy, 900, nil},
		"too few beside one":      {nil, healthy, 909, nil},
		"the same again":          {[]Answered{healthy}, answered("again", box(70, 100), 10, 900), 909, nil},
		"too few beside two":      {[]Answered{healthy}, answered("x", box(80, 100), 10, 800), 909, []string{"fewer than 10 batteries lie in none"}},
		"the whole fleet":         {[]Answered{healthy}, answered("all", box(0, 100), 10, 1000), 1000, nil},
		"of two cohorts":          {[]Answered{healthy}, answered("x", box(0, 50), 10, 95), 1000, []string{"fewer than 10"}},
		"the stricter of two":     {[]Answered{healthy}, answered("x", box(0, 50), 50, 80), 1000, []string{"fewer than 50"}},
		"one within the other":    {[]Answered{healthy}, answered("x", box(80, 100), 10, 800), 1000, nil},
		"hidden":                  {[]Answered{healthy}, hidden("x", box(0, 50), 10), 905, nil},
		"hidden earlier":          {[]Answered{hidden("x", box(0, 50), 10)}, healthy, 1000, nil},
		"more than there are":     {nil, healthy, 899, []string{"do not add up"}},
		"not counted":             {nil, Answered{Shown: true, Cohort: box(0, 1)}, 5, []string{"does not show the count"}},
		"overlapping":             {[]Answered{healthy}, answered("x", box(60, 90), 10, 500), 1000, []string{"in part"}},
		"by way of an equal node": {[]Answered{answered("a", box(1, 100), 50, 980)}, answered("x", box(0, 100), 5, 980), 1000, []string{"fewer than 50"}},
	} {
		expectReasons(t, name, Outside(c.earlier, c.next, c.population), c.want)
	}
}

// One battery of a thousand lies at 47. A lender lowers a bound as long as it
// is answered.
func TestMovingBoundFindsNobodyOutside(t *testing.T) {
	find := func(allowed func(earlier []Answered, next Answered) bool) (reached uint32) {
		var book []Answered
		for bound := uint32(90); bound > 0; bound-- {
			count := uint64(999)
			if bound <= 47 {
				count = 1000
			}
			next := answered("bound", box(bound, 100), 50, count)
			if !allowed(book, next) {
				return bound
			}
			book = append(book, next)
		}
		return 0
	}
	differences := func(earlier []Answered, next Answered) bool { return len(Isolates(earlier, next)) == 0 }
	if at := find(differences); at != 47 {
		t.Errorf("differences alone stopped at %d", at)
	}
	both := func(earlier []Answered, next Answered) bool {
		return differences(earlier, next) && len(Outside(earlier, next, 1000)) == 0
	}
	if at := find(both); at != 89 {
		t.Errorf("stopped at %d, not at the second cohort", at)
	}
}
