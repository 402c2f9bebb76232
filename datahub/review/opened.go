package review

import (
	"bytes"
	"context"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

// opened looks at what a query tells, from the moment that its sum is named or its owner's answer is there: that the approvals still sufficed, and that no difference to another answer tells
// what neither does.
func (i *inquiry) opened(ctx context.Context) error {
	in, named := i.activation()
	if named == nil || i.found[named.TxID] == nil {
		return nil // nothing was told, or it was said already that nothing shows that it was
	}
	var first *policy.Question
	for n := range i.d.Query.Answers {
		a := &i.d.Query.Answers[n]
		if part := i.q.Part(a.Fleet); part != nil && a.Settled != nil && slices.Contains(given(in), a.Fleet) {
			if q := i.released(part, a, i.d.Grants[n], named); first == nil {
				first = q
			}
		}
	}
	if first == nil {
		i.add("query: none of the parts that are answered can be looked at")
		return nil
	}
	if i.q.Kind == ledger.QueryScore {
		return i.apart(ctx, first, named)
	}
	return i.pooled(ctx, in, first, named)
}

// released holds a part against its grant and the grant's policy as of when it was answered. Which text was in force then besides that one is not known here.
func (i *inquiry) released(part *ledger.QueryPart, a *ledger.QueryAnswer, g *ledger.GrantEntry, named *ledger.SessionEntry) *policy.Question {
	what, owner := "part of "+a.Fleet, i.d.ownerOf(a.Fleet)
	q, err := i.question(part, owner, a.Settled, named.Time)
	if err != nil {
		i.add("%s: %v", what, err)
		return nil
	}
	if g == nil || len(a.Decision.Policies) == 0 {
		return q // said already
	}
	for _, reason := range g.Grant.Terms.Limits(q, policy.Spent{}) {
		i.add("%s: when it was answered the grant did not cover it: %s", what, reason)
	}
	if g.Revocation != nil && i.behind(named.TxID, g.Revocation.TxID) {
		i.add("%s: when it was answered its grant was revoked", what)
	}
	if said := i.decide(what, owner, a.Decision.Policies[0], q); said != nil && said.Approval == policy.Person && a.Decision.Automatic {
		i.add("%s: when it was answered its policy wanted a person to approve it, and none had", what)
	}
	return q
}

// pooled holds a sum against the others about its fleets' epoch that were named before, in its own block as well: the contract names one at a time.
func (i *inquiry) pooled(ctx context.Context, in *ledger.SessionState, q *policy.Question, named *ledger.SessionEntry) error {
	id := i.d.Query.ID
	next := policy.Pooled{Query: id.String(), Fleets: i.q.Fleets(), Cohort: q.Cohort, Opened: given(in)}
	noted := ledger.Pooled{Fleets: next.Fleets, Cohort: next.Cohort, Opened: next.Opened}
	at, writes := i.found[named.TxID].Height, i.found[named.TxID].Writes
	var earlier []policy.Pooled
	for _, fleet := range next.Fleets {
		if !bytes.Equal(writes[ledger.PooledKey(fleet, i.q.Epoch, id)], ledger.Encode(noted)) {
			i.add("query: that its sum was named is not noted on the epoch of fleet %s", fleet)
		}
		others, err := i.book.Queries(ctx, ledger.QueriesQuery{Fleet: fleet})
		if err != nil {
			return err
		}
		for n := range others {
			one, err := i.pooledBefore(ctx, &others[n], at)
			if err != nil {
				return err
			}
			if one != nil {
				earlier = append(earlier, *one)
			}
		}
	}
	for _, reason := range policy.Pools(earlier, next) {
		i.add("difference: %s", reason)
	}
	return nil
}

// pooledBefore is another query over several fleets whose sum was named in a block, or one before it; nil if it is none.
func (i *inquiry) pooledBefore(ctx context.Context, e *ledger.QueryEntry, at uint64) (*policy.Pooled, error) {
	q := &e.Record.Query
	if e.ID == i.d.Query.ID || q.Kind != ledger.QueryFederated || q.Epoch != i.q.Epoch || e.Activated == nil || q.Check() != nil {
		return nil, nil
	}
	before, err := i.before(ctx, e.Activated.TxID, at+1)
	if err != nil || !before {
		return nil, err
	}
	asked, err := q.Question(q.Parts[0], ledger.Asker{Fleet: ledger.Fleet{ID: q.Parts[0].Fleet, Schema: q.Schema}}, &ledger.SettledEpoch{})
	if err != nil {
		return nil, nil // its own review says so
	}
	return &policy.Pooled{Query: e.ID.String(), Fleets: q.Fleets(), Cohort: asked.Cohort, Opened: e.Activated.Fleets}, nil
}

// apart holds a score's cohort against what else counted about its fleet's epoch.
func (i *inquiry) apart(ctx context.Context, q *policy.Question, named *ledger.SessionEntry) error {
	asked, err := i.book.Asked(ctx, ledger.EpochRef{Fleet: q.Fleet.ID, Epoch: i.q.Epoch})
	if err != nil {
		return err
	}
	m := moment{q.Fleet.ID, i.q.Epoch, i.d.Query.ID, i.found[named.TxID].Height, named.Time}
	earlier, err := i.earlier(ctx, asked, m)
	if err != nil {
		return err
	}
	next := scoredOf(&i.d.Query, q.Cohort, i.leastOf(0))
	reasons := policy.Overlaps(earlier, next)
	if population := next.Count; population != nil {
		reasons = append(policy.Isolates(earlier, next), policy.Outside(earlier, next, *population)...)
	}
	for _, reason := range reasons {
		i.add("difference: %s", reason)
	}
	return nil
}

// leastOf is the smallest cohort that the grant of a part allows.
func (i *inquiry) leastOf(n int) uint64 {
	if g := i.d.Grants[n]; g != nil {
		return g.Grant.Terms.MinimumCohort
	}
	return 0
}

// scoredOf is a score as the rule for differences looks at it: it shows its count if that is the whole fleet's.
func scoredOf(e *ledger.QueryEntry, cohort policy.Cohort, least uint64) policy.Answered {
	a := policy.Answered{Request: e.ID.String(), Cohort: cohort, Minimum: least, Shown: cohort.All}
	if settled := e.Answers[0].Settled; cohort.All && settled != nil {
		a.Count = &settled.Attested
	}
	return a
}

// scored are the other scores that counted at a moment.
func (r *Reviewer) scored(ctx context.Context, m moment) (out []policy.Answered, err error) {
	queries, err := r.book.Queries(ctx, ledger.QueriesQuery{Fleet: m.fleet})
	if err != nil {
		return nil, err
	}
	for n := range queries {
		e := &queries[n]
		q := &e.Record.Query
		if e.ID == m.by || q.Kind != ledger.QueryScore || q.Epoch != m.epoch || q.Check() != nil || len(e.Record.Owners) != 1 || len(e.Answers) != 1 || !e.Answers[0].Decision.Approved {
			continue
		}
		one, err := r.stoodScore(ctx, e, m)
		if err != nil {
			return nil, err
		}
		if one != nil {
			out = append(out, *one)
		}
	}
	return out, nil
}

// stoodScore is what a score was at a moment; nil if it did not count, or its own review says what is wrong with it.
func (r *Reviewer) stoodScore(ctx context.Context, e *ledger.QueryEntry, m moment) (*policy.Answered, error) {
	q, d := &e.Record.Query, &e.Answers[0].Decision
	approved, err := r.before(ctx, d.TxID, m.at)
	if err != nil || !approved {
		return nil, err
	}
	g, err := r.book.GrantEntry(ctx, e.Record.Owners[0], d.Grant)
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	asked, err := q.Question(q.Parts[0], ledger.Asker{Fleet: ledger.Fleet{ID: m.fleet, Schema: q.Schema}}, &ledger.SettledEpoch{})
	if err != nil {
		return nil, nil
	}
	one := scoredOf(e, asked.Cohort, g.Grant.Terms.MinimumCohort)
	if e.Activated != nil {
		if one.Started, err = r.before(ctx, e.Activated.TxID, m.at); err != nil {
			return nil, err
		}
	}
	if !one.Started && m.now >= q.Expiry {
		return nil, nil
	}
	return &one, nil
}
