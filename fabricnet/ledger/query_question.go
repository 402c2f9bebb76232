package ledger

import (
	"slices"

	"github.com/assay-net/assay/policy"
)

// Question is a part of a query as policies and grants look at it, with the settled epoch of its fleet. It is derived from the query alone but for that and what the asker
// holds, so a node, a tool and every peer come to the same.
func (q *Query) Question(p QueryPart, by Asker, settled *SettledEpoch) (*policy.Question, error) {
	out, err := QuestionOf(q.statement(p), by)
	if err != nil {
		return nil, err
	}
	out.Action, out.Owners, out.Pool, out.Degree = policy.Aggregate, uint64(q.MinimumInputs()), q.Fleets(), uint64(q.Degree)
	if q.Kind == QueryScore {
		out.Action, out.Owners, out.Pool = policy.Score, 1, nil
	}
	if out.Epsilon, out.Delta, err = q.Privacy(); err != nil {
		return nil, err
	}
	out.MinimumCohort, out.MinimumCoverage = q.MinimumCohort, settled.Coverage()
	out.Totals, out.TotalCount = q.shows()
	out.Disclose = q.disclosed()
	return out, nil
}

// shows lists the kinds of what is shown, and counts the numbers.
func (q *Query) shows() ([]string, uint64) {
	switch {
	case q.Kind == QueryFederated && slices.Contains(q.Totals, policy.TotalHistogram):
		return slices.Clone(q.Totals), uint64(len(q.Totals) + len(q.Edges)) // a band more than edges
	case q.Kind == QueryFederated:
		return slices.Clone(q.Totals), uint64(len(q.Totals))
	case q.Spread:
		return []string{policy.TotalScore, policy.TotalSpread}, 2
	}
	return []string{policy.TotalScore}, 1
}

// disclosed are what exact totals are of. With noise nothing is exact; a score shows no total.
func (q *Query) disclosed() (out []string) {
	if q.Kind == QueryScore || q.Epsilon != "" {
		return nil
	}
	if slices.Contains(q.Totals, policy.TotalCount) || slices.Contains(q.Totals, policy.TotalHistogram) {
		out = append(out, totalCount)
	}
	if q.Subject != "" {
		out = append(out, q.Subject)
	}
	return out
}
