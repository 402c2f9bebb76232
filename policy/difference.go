package policy

import (
	"fmt"
	"slices"
)

// Answered is a cohort of one fleet and epoch that was answered, or approved
// and neither failed nor expired.
type Answered struct {
	Request string `json:"request"`
	Cohort  Cohort `json:"cohort"`
	// Minimum is minimum_cohort of the grant that it was asked under.
	Minimum uint64 `json:"minimum"`
	// Shown: its verdict shows the count, by disclosing it or because the
	// cohort is the whole fleet.
	Shown bool `json:"shown"`
	// Count is what the verdict shows: nil until it is verified, and for good
	// when it is not Shown.
	Count *uint64 `json:"count,omitempty"`
}

// Overlaps says why a question may not be approved beside those of the same
// fleet and epoch, by the bounds of the cohorts alone; nothing when it may. It
// takes all of them, whoever asked: every member sees every verdict.
func Overlaps(earlier []Answered, next Answered) []string {
	if problem := next.Cohort.problem(); problem != "" {
		return []string{"the cohort " + problem}
	}
	var reasons []string
	for i := range earlier {
		e := &earlier[i]
		switch relate(next.Cohort, e.Cohort) {
		case same, disjoint:
		case inside, outside:
			if !next.Shown {
				reasons = append(reasons, fmt.Sprintf("the cohort and that of request %s hold one another, and the question does not disclose count", e.Request))
			} else if !e.Shown {
				reasons = append(reasons, fmt.Sprintf("the cohort and that of request %s hold one another, and that request did not disclose count", e.Request))
			}
		default:
			reasons = append(reasons, fmt.Sprintf("the cohort overlaps that of request %s in part", e.Request))
		}
	}
	return sorted(reasons)
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
	f, problem := forestOf(family(earlier, next))
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
