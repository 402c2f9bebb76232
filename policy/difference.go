package policy

import (
	"fmt"
	"slices"
)

// Answered is a cohort of one fleet and epoch that counts: it was answered, or
// its answer was begun or failed, or it is approved and may yet be answered.
// Only an approval that expired before anything was done about it does not.
type Answered struct {
	Request string `json:"request"`
	Cohort  Cohort `json:"cohort"`
	// Minimum is minimum_cohort of the grant that it was asked under.
	Minimum uint64 `json:"minimum"`
	// Shown: its verdict shows the count, by disclosing it or because the
	// cohort is the whole fleet.
	Shown bool `json:"shown"`
	// Count is what the verdict shows: nil until it is verified, and for good
	// when it is not Shown or no verdict was recorded.
	Count *uint64 `json:"count,omitempty"`
	// Started: a proof was begun, so that others may know its totals whether a
	// verdict was recorded or not. Pending: a verdict may yet be recorded.
	Started bool `json:"started,omitempty"`
	Pending bool `json:"pending,omitempty"`
}

// Overlaps says why a question may not be approved beside those of the same
// fleet and epoch, by the bounds of the cohorts alone; nothing when it may. It
// takes all of them, whoever asked: every member sees every verdict.
func Overlaps(earlier []Answered, next Answered) []string {
	if problem := next.Cohort.problem(); problem != "" {
		return []string{"the cohort " + problem}
	}
	var reasons []string
	known := settled(earlier)
	again := slices.ContainsFunc(known, func(e Answered) bool { return e.shows() && relate(e.Cohort, next.Cohort) == same })
	for i := range known {
		if reason := conflict(known, &known[i], &next, again); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return sorted(reasons)
}

// conflict says why next may not stand beside e, which is one of earlier. What
// asks again about a cohort whose count is recorded brings no difference that
// was not looked at when e was begun.
func conflict(earlier []Answered, e, next *Answered, again bool) string {
	switch relate(next.Cohort, e.Cohort) {
	case same:
	case disjoint:
		if !again && e.unknown() && e.Started && together(earlier, e, next) {
			return fmt.Sprintf("the cohort and that of request %s lie in one that was answered, and the count of that request is not recorded", e.Request)
		}
	case inside, outside:
		switch {
		case !next.Shown:
			return fmt.Sprintf("the cohort and that of request %s hold one another, and the question does not disclose count", e.Request)
		case !e.Shown:
			return fmt.Sprintf("the cohort and that of request %s hold one another, and that request did not disclose count", e.Request)
		case !again && e.unknown():
			return fmt.Sprintf("the cohort and that of request %s hold one another, and the count of that request is not recorded", e.Request)
		}
	default:
		return fmt.Sprintf("the cohort overlaps that of request %s in part", e.Request)
	}
	return ""
}

// unknown: a count is to be shown, and no verdict has.
func (a *Answered) unknown() bool { return a.Shown && a.Count == nil }

// together: some cohort holds both.
func together(earlier []Answered, a, b *Answered) bool {
	return slices.ContainsFunc(earlier, func(e Answered) bool {
		return relate(e.Cohort, a.Cohort) == outside && relate(e.Cohort, b.Cohort) == outside
	})
}

// settled fills in counts that another answer about the same cohort shows. What
// was never begun has shown nothing, so that its minimum is nobody's.
func settled(earlier []Answered) []Answered {
	out := slices.Clone(earlier)
	for i := range out {
		a := &out[i]
		if !a.unknown() {
			continue
		}
		at := slices.IndexFunc(earlier, func(e Answered) bool { return e.shows() && relate(e.Cohort, a.Cohort) == same })
		if at < 0 {
			continue
		}
		a.Count = earlier[at].Count
		if !a.Started {
			a.Minimum = 0
		}
	}
	return out
}

// Waits reports whether nothing is in the way of next but counts that may yet
// be recorded: asked again later, it may be allowed.
func Waits(earlier []Answered, next Answered) bool {
	if len(Overlaps(earlier, next)) == 0 {
		return false
	}
	later := slices.DeleteFunc(slices.Clone(earlier), func(e Answered) bool {
		return e.Pending && e.unknown() && relate(e.Cohort, next.Cohort) != crossing
	})
	return len(Overlaps(later, next)) == 0
}

// Isolates says why an answer may not be given, now that its count is known:
// the batteries between two cohorts that hold one another would be too few. It
// demands what Overlaps demands, too. Reasons never say how many there are,
// for they are published.
func Isolates(earlier []Answered, next Answered) []string {
	if reasons := Overlaps(earlier, next); len(reasons) > 0 || !next.Shown {
		return reasons // a cohort whose count is hidden holds no other
	}
	if next.Count == nil {
		return []string{"the answer does not show the count of its cohort"}
	}
	for i := range earlier {
		if e := &earlier[i]; e.unknown() && e.Started && relate(e.Cohort, next.Cohort) == same {
			next.Minimum = max(next.Minimum, e.Minimum) // its totals, which may be known, are next's
		}
	}
	f, problem := forestOf(family(settled(earlier), next))
	if problem != "" {
		return []string{problem}
	}
	return f.isolated()
}

// family keeps what can bear on next: verified answers that show their count
// and lie in the largest cohort that holds next.
func family(earlier []Answered, next Answered) []Answered {
	root := next.Cohort
	for _, e := range earlier {
		if e.shows() && relate(e.Cohort, root) == outside {
			root = e.Cohort
		}
	}
	kept := []Answered{next}
	for _, e := range earlier {
		if r := relate(e.Cohort, root); e.shows() && r != disjoint {
			kept = append(kept, e)
		}
	}
	return kept
}

func (a *Answered) shows() bool { return a.Shown && a.Count != nil }

// node is a cohort of the forest; answers about one and the same are one node.
type node struct {
	cohort   Cohort
	request  string // the first of its requests, by name
	count    uint64
	minimum  uint64 // the largest of its requests
	children []int
	// atom counts the batteries of the cohort that lie in no child.
	atom uint64
}

type forest []node

// forestOf orders cohorts by which holds which, and counts what each holds
// beyond its children. It fails where the answers do not fit together.
func forestOf(answers []Answered) (forest, string) {
	var f forest
	for i := range answers {
		if problem := f.add(&answers[i]); problem != "" {
			return nil, problem
		}
	}
	for i := range f {
		if parent := f.parent(i); parent >= 0 {
			f[parent].children = append(f[parent].children, i)
		}
	}
	for i := range f {
		f[i].atom = f[i].count
		for _, c := range f[i].children {
			if f[c].count > f[i].atom {
				return nil, fmt.Sprintf("the counts of the cohorts within that of request %s do not add up", f[i].request)
			}
			f[i].atom -= f[c].count
		}
	}
	return f, ""
}

func (f *forest) add(a *Answered) string {
	for i := range *f {
		n := &(*f)[i]
		switch relate(n.cohort, a.Cohort) {
		case crossing:
			return fmt.Sprintf("the cohorts of requests %s and %s overlap in part", n.request, a.Request)
		case same:
			if n.count != *a.Count {
				return fmt.Sprintf("requests %s and %s show different counts of one cohort", n.request, a.Request)
			}
			n.minimum, n.request = max(n.minimum, a.Minimum), min(n.request, a.Request)
			return ""
		}
	}
	*f = append(*f, node{cohort: a.Cohort, request: a.Request, count: *a.Count, minimum: a.Minimum})
	return ""
}

// parent is the smallest cohort that holds node i, or -1. Those that hold it
// hold one another.
func (f forest) parent(i int) int {
	parent := -1
	for j := range f {
		if relate(f[i].cohort, f[j].cohort) == inside && (parent < 0 || relate(f[j].cohort, f[parent].cohort) == inside) {
			parent = j
		}
	}
	return parent
}

// isolated lists the atoms that are neither empty nor as large as the minimum
// of every cohort from which they follow.
func (f forest) isolated() (reasons []string) {
	strictest := f.strictest()
	for i := range f {
		demand := strictest[i]
		for _, c := range f[i].children {
			demand = max(demand, strictest[c])
		}
		if f[i].atom == 0 || f[i].atom >= demand {
			continue
		}
		if len(f[i].children) == 0 {
			reasons = append(reasons, fmt.Sprintf("the cohort of request %s has fewer than %d batteries", f[i].request, demand))
			continue
		}
		reasons = append(reasons, fmt.Sprintf("fewer than %d batteries lie in the cohort of request %s and in none of those within it: the difference would single them out",
			demand, f[i].request))
	}
	slices.Sort(reasons)
	return reasons
}

// strictest is the largest minimum of each node and those that it can stand
// in for: a cohort with nothing beyond its children is their sum, so that each
// of them follows from the others.
func (f forest) strictest() []uint64 {
	group := make([]int, len(f))
	for i := range group {
		group[i] = i
	}
	find := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	for i := range f {
		for _, c := range f[i].children {
			if f[i].atom == 0 {
				group[find(c)] = find(i)
			}
		}
	}
	of := make([]uint64, len(f))
	for i := range f {
		of[find(i)] = max(of[find(i)], f[i].minimum)
	}
	for i := range of {
		of[i] = of[find(i)]
	}
	return of
}
