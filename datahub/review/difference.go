package review

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// sets says which few batteries an answer sets apart, with what stood about the same fleet and epoch when it was recorded. That goes by blocks: the contract voids an answer
// about which anything changed in its own block.
func (r *Reviewer) sets(ctx context.Context, e *evidence.Evidence) ([]string, error) {
	asked, err := r.book.Asked(ctx, ledger.EpochRef{Fleet: e.Request.Request.Fleet, Epoch: e.Request.Request.Epoch})
	if err != nil {
		return nil, err
	}
	next, err := cohort(&e.Request, &e.Grant.Terms)
	if err != nil {
		return []string{err.Error()}, nil
	}
	population, err := counted(&e.Request, &next)
	if err != nil {
		return []string{err.Error()}, nil
	}
	at, err := r.book.Locate(ctx, e.Request.Verdict.TxID)
	if err != nil {
		return nil, err
	}
	earlier, err := r.earlier(ctx, asked, moment{e.Request.Request.Fleet, e.Request.Request.Epoch, e.Request.ID, at, e.Request.Verdict.Time})
	if err != nil {
		return nil, err
	}
	return append(policy.Isolates(earlier, next), policy.Outside(earlier, next, population)...), nil
}

// moment is when something was told about a fleet's epoch: in a block, at a time.
type moment struct {
	fleet string
	epoch uint64
	by    commit.Digest // the request or query itself
	at    uint64
	now   int64
}

// earlier are the other requests and scores that counted at a moment.
func (r *Reviewer) earlier(ctx context.Context, asked []ledger.TrustRequest, m moment) (out []policy.Answered, err error) {
	for i := range asked {
		switch asked[i].Status {
		case ledger.StatusOpen, ledger.StatusRefused, ledger.StatusWithdrawn:
			continue
		}
		if asked[i].ID == m.by {
			continue
		}
		one, err := r.stood(ctx, asked[i].ID, m.at, m.now)
		if err != nil {
			return nil, err
		}
		if one != nil {
			out = append(out, *one)
		}
	}
	scores, err := r.scored(ctx, m)
	return append(out, scores...), err
}

// stood is what another request was to an answer in a block, recorded at a time; nil if it did not count, or its own review says what is wrong with it.
func (r *Reviewer) stood(ctx context.Context, id commit.Digest, at uint64, now int64) (*policy.Answered, error) {
	entry, err := r.book.RequestEntry(ctx, id)
	if err != nil {
		return nil, err
	}
	d := entry.Decision
	if d == nil || !d.Approved {
		return nil, nil
	}
	approved, err := r.before(ctx, d.TxID, at)
	if err != nil || !approved {
		return nil, err
	}
	g, err := r.book.GrantEntry(ctx, entry.Request.Owner, d.Grant)
	if code := ledger.CodeOf(err); code == ledger.NotFound || code == ledger.Invalid {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	one, err := cohort(&entry, &g.Grant.Terms)
	if err != nil {
		return nil, nil
	}
	var verified, failed bool
	if p := entry.Proving; p != nil {
		if one.Started, err = r.before(ctx, p.TxID, at); err != nil {
			return nil, err
		}
	}
	if f := entry.Failure; f != nil {
		if failed, err = r.before(ctx, f.TxID, at); err != nil {
			return nil, err
		}
	}
	if v := entry.Verdict; v != nil {
		if verified, err = r.before(ctx, v.TxID, at); err != nil {
			return nil, err
		}
	}
	if verified {
		if _, err := counted(&entry, &one); err != nil {
			return nil, nil
		}
	}
	if !one.Started && !failed && !verified && now >= entry.Request.Expiry {
		return nil, nil
	}
	return &one, nil
}

// before reports whether a transaction is in a block below a height.
func (r *Reviewer) before(ctx context.Context, txID string, at uint64) (bool, error) {
	height, err := r.book.Locate(ctx, txID)
	if ledger.CodeOf(err) == ledger.NotFound {
		return false, nil
	}
	return err == nil && height < at, err
}

// cohort is an approved request as the rule for differences looks at it.
func cohort(entry *ledger.RequestEntry, terms *policy.Terms) (policy.Answered, error) {
	s, err := statement.Parse(entry.Request.Statement)
	if err != nil {
		return policy.Answered{}, err
	}
	q, err := ledger.QuestionOf(s, ledger.Asker{})
	if err != nil {
		return policy.Answered{}, err
	}
	return policy.Answered{Request: entry.ID.String(), Cohort: q.Cohort, Minimum: terms.MinimumCohort, Shown: q.Count == policy.CountExact}, nil
}

// counted adds what the verdict shows, and gives how many batteries there are.
func counted(entry *ledger.RequestEntry, a *policy.Answered) (population uint64, err error) {
	verdict := new(verify.Verdict)
	if err := json.Unmarshal(entry.Verdict.Verdict, verdict); err != nil {
		return 0, fmt.Errorf("verdict: %w", err)
	}
	shown, err := ledger.ShownBy(verdict)
	if err != nil {
		return 0, err
	}
	if a.Shown {
		a.Count = shown.CountOf(&policy.Question{Cohort: a.Cohort})
	}
	return shown.Population, nil
}
