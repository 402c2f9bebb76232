package review

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// sets says which few batteries an answer sets apart, with the answers about the same fleet and epoch that came before it.
func (r *Reviewer) sets(ctx context.Context, e *evidence.Evidence) ([]string, error) {
	asked, err := r.book.Asked(ctx, ledger.EpochRef{Fleet: e.Request.Request.Fleet, Epoch: e.Request.Request.Epoch})
	if err != nil {
		return nil, err
	}
	next, population, err := answered(&e.Request, &e.Grant.Terms)
	if err != nil {
		return []string{err.Error()}, nil
	}
	var earlier []policy.Answered
	for i := range asked {
		if asked[i].ID == e.Request.ID || asked[i].Status != ledger.StatusVerified {
			continue
		}
		entry, err := r.book.RequestEntry(ctx, asked[i].ID)
		if err != nil {
			return nil, err
		}
		if entry.Verdict == nil || entry.Decision == nil || entry.Verdict.Time > e.Request.Verdict.Time {
			continue // it came later, or its own review says what is wrong with it
		}
		g, err := r.book.GrantEntry(ctx, entry.Request.Owner, entry.Decision.Grant)
		if code := ledger.CodeOf(err); code == ledger.NotFound || code == ledger.Invalid {
			continue
		} else if err != nil {
			return nil, err
		}
		one, _, err := answered(&entry, &g.Grant.Terms)
		if err != nil {
			continue
		}
		earlier = append(earlier, one)
	}
	return append(policy.Isolates(earlier, next), policy.Outside(earlier, next, population)...), nil
}

// answered is a verified request as the rule for differences looks at it, and how many batteries there are.
func answered(entry *ledger.RequestEntry, terms *policy.Terms) (out policy.Answered, population uint64, err error) {
	s, err := statement.Parse(entry.Request.Statement)
	if err != nil {
		return out, 0, err
	}
	q, err := ledger.QuestionOf(s, ledger.Asker{})
	if err != nil {
		return out, 0, err
	}
	verdict := new(verify.Verdict)
	if err := json.Unmarshal(entry.Verdict.Verdict, verdict); err != nil {
		return out, 0, fmt.Errorf("verdict: %w", err)
	}
	shown, err := ledger.ShownBy(verdict)
	if err != nil {
		return out, 0, err
	}
	out = policy.Answered{Request: entry.ID.String(), Cohort: q.Cohort, Minimum: terms.MinimumCohort, Shown: q.Count == policy.CountExact}
	if out.Shown {
		out.Count = shown.CountOf(q)
	}
	return out, shown.Population, nil
}
