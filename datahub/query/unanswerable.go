package query

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
)

// Unanswerable says why the owner of a fleet should not approve its part of a query, whatever its records hold: it could give nothing, or nobody would learn anything, and the approval would have been
// spent on it. enrolled and attested are its own fleet's numbers of the epoch, which the approval will have as its SettledEpoch; those of the parts that are approved are in the entry. As all of this
// is on the ledger, the reasons tell nothing of the records.
func Unanswerable(e *ledger.QueryEntry, enrolled, attested uint64) []string {
	q := &e.Record.Query
	if err := Check(q); err != nil {
		return []string{err.Error()}
	}
	var out []string
	if least := leastCohort(q); attested < least {
		out = append(out, fmt.Sprintf("it takes at least %d devices of the cohort, and %d are attested", least, attested))
	}
	if q.Kind == ledger.QueryScore {
		if attested > score.MaxCohort {
			out = append(out, fmt.Sprintf("%d devices are attested, at most %d can be scored", attested, score.MaxCohort))
		}
		return out
	}
	population := max(enrolled, q.MinimumCohort) // a fleet below the minimum has been refused, and others may be larger
	for i := range e.Answers {
		if s := e.Answers[i].Settled; s != nil {
			population = max(population, s.Enrolled)
		}
	}
	d, err := document(q, population)
	if err == nil {
		err = d.Check()
	}
	if err == nil {
		_, err = plan(q, d)
	}
	if err != nil {
		out = append(out, fmt.Sprintf("with the largest fleet so far, of %d devices: %v", population, err))
	}
	return out
}

// leastCohort is of how many batteries an owner's part is at least. The query must have passed Check.
func leastCohort(q *ledger.Query) uint64 {
	if q.Kind != ledger.QueryScore {
		return q.MinimumCohort
	}
	shape, err := Shape(q)
	if err != nil {
		return q.MinimumCohort
	}
	return max(q.MinimumCohort, uint64(shape.LeastCohort()))
}
