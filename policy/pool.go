package policy

import (
	"fmt"
	"slices"
)

// Pooled is a query over several owners' fleets at one epoch. Those of which the
// sum that they open was named count, for ever.
type Pooled struct {
	Query string `json:"query"`
	// Fleets are sorted, and hold nothing twice.
	Fleets []string `json:"fleets"`
	Cohort Cohort   `json:"cohort"`
	// Opened are the fleets whose parts are in the sum, sorted; none as long as
	// the sum is not named.
	Opened []string `json:"opened,omitempty"`
}

// Pools says why a query over several fleets may not be answered beside those
// of the same epoch; nothing when it may. It takes all that count and have a fleet
// in common with next, whoever asked.
func Pools(earlier []Pooled, next Pooled) []string {
	if problem := next.Cohort.problem(); problem != "" {
		return []string{"the cohort " + problem}
	}
	var reasons []string
	for i := range earlier {
		if reason := earlier[i].stops(&next); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return sorted(reasons)
}

// stops says why next may not be answered beside e.
func (e *Pooled) stops(next *Pooled) string {
	common := slices.ContainsFunc(e.Fleets, func(f string) bool { return slices.Contains(next.Fleets, f) })
	switch {
	case !common:
		return ""
	case !slices.Equal(e.Fleets, next.Fleets):
		return fmt.Sprintf("query %s pools one of the fleets with others than these", e.Query)
	}
	switch relate(e.Cohort, next.Cohort) {
	case disjoint:
		return ""
	case same:
		if len(next.Opened) > 0 && !slices.Equal(e.Opened, next.Opened) {
			return fmt.Sprintf("query %s was answered about the same cohort with other owners' parts than these", e.Query)
		}
		return ""
	}
	return fmt.Sprintf("the cohort overlaps that of query %s and is not the same", e.Query)
}
