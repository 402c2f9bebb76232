package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// answer records an owner's yes or no to its part of a query, once. A yes counts if the grant, its policy, the policy in force and what was answered before allow it, and spends as
// the approval of a request does: whatever comes of it, one answer of the grant, and the part's cost and delta from the fleet's budgets: for all sessions of the query, and also if the owner declines in them, which tells as
// much.
func answer(r *run, a *ledger.Answer) (*ledger.QueryAnswer, error) {
	q, err := r.openQuery(a.Query)
	if err != nil {
		return nil, err
	}
	i, err := partOf(a.Query, q, a.Fleet)
	if err != nil {
		return nil, err
	}
	if owner := q.Owners[i]; owner != r.caller() {
		return nil, ledger.Refuse(ledger.Forbidden, "fleet %s belongs to %s, not to %s", a.Fleet, owner, r.caller())
	}
	if err := checkReasons(a.Reasons, !a.Approve); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	key := ledger.QueryAnswerKey(a.Query, a.Fleet)
	decided, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if decided {
		return nil, ledger.Refuse(ledger.Conflict, "the part of query %s about fleet %s is decided", a.Query, a.Fleet)
	}
	out := &ledger.QueryAnswer{Fleet: a.Fleet, Decision: ledger.Decision{Approved: a.Approve, Reasons: a.Reasons, Automatic: a.Automatic, Time: r.now, TxID: r.tx.ID}}
	if a.Approve {
		if err := r.approvePart(a.Query, q, i, out); err != nil {
			return nil, err
		}
	}
	if err := put(r.state, key, out); err != nil {
		return nil, err
	}
	r.event(ledger.EventQueryAnswered, ledger.EventPayload{
		Fleet: a.Fleet, Owner: r.caller(), Requester: q.Query.Requester, Query: &a.Query, Approved: &a.Approve, Grant: out.Decision.Grant,
	})
	return out, nil
}

func partOf(id commit.Digest, q *ledger.QueryRecord, fleet string) (int, error) {
	for i := range q.Query.Parts {
		if q.Query.Parts[i].Fleet == fleet {
			return i, nil
		}
	}
	return 0, ledger.Refuse(ledger.NotFound, "query %s is not about fleet %.80q", id, fleet)
}

// approvePart spends, and of a score notes the cohort.
func (r *run) approvePart(id commit.Digest, q *ledger.QueryRecord, i int, out *ledger.QueryAnswer) error {
	j, settled, err := r.judgePart(id, q, i, nil)
	if err != nil {
		return err
	}
	if err := r.spend(j, &out.Decision); err != nil {
		return err
	}
	out.Settled = settled
	if q.Query.Kind != ledger.QueryScore {
		return nil
	}
	return put(r.state, ledger.AnsweredKey(j.fleet, j.epoch, id), j.record())
}

// judgePart is judge for the i-th part of a query, with the owner's approval if there is one.
func (r *run) judgePart(id commit.Digest, q *ledger.QueryRecord, i int, approved *ledger.QueryAnswer) (*judgement, *ledger.SettledEpoch, error) {
	part := q.Query.Parts[i]
	j := newJudgement(subject{"query", id, part.Fleet, q.Owners[i], q.Query.Epoch, part.Grant, q.Query.Expiry})
	by, err := r.asker(part.Fleet, q.Query.Requester, q.Attributes)
	if err != nil {
		return nil, nil, err
	}
	settled, approval, err := r.settledPart(by, q.Query.Epoch, approved)
	if err != nil {
		return nil, nil, err
	}
	if j.question, err = q.Query.Question(part, *by, settled); err != nil {
		return nil, nil, err
	}
	if err := r.limit(j, approval); err != nil || j.terms == nil {
		return j, settled, err
	}
	if settled.Anchors.Chunks == 0 {
		j.refuse(fmt.Sprintf("fleet %s has no anchor for epoch %d: there is nothing to answer from", j.fleet, j.epoch))
	}
	if q.Query.Kind == ledger.QueryScore {
		err = r.compareScore(j, settled)
	} else {
		err = r.comparePool(j, q)
	}
	if err != nil {
		return nil, nil, err
	}
	j.Allowed = len(j.Reasons) == 0
	return j, settled, nil
}

// settledPart is what the fleet's closed epoch has: as it was when the part was approved, for it cannot change.
func (r *run) settledPart(by *ledger.Asker, epoch uint64, approved *ledger.QueryAnswer) (*ledger.SettledEpoch, *ledger.Decision, error) {
	if approved != nil {
		if approved.Settled == nil {
			return nil, nil, fmt.Errorf("state of fleet %s: an approved part has no settled epoch", by.Fleet.ID)
		}
		return approved.Settled, &approved.Decision, nil
	}
	entry, err := r.facts(&by.Fleet, epoch)
	if err != nil {
		return nil, nil, err
	}
	out := &ledger.SettledEpoch{Enrolled: entry.Facts.Enrolled}
	for i := range entry.Facts.Chunks {
		out.Attested += uint64(entry.Facts.Chunks[i].Attested)
	}
	anchors, err := queryAnchors(r, &ledger.EpochRef{Fleet: by.Fleet.ID, Epoch: epoch})
	if err != nil {
		return nil, nil, err
	}
	out.Anchors = ledger.ReferTo(by.Fleet.ID, epoch, anchors)
	return out, nil, nil
}

// compareScore holds a score's cohort against the others of the fleet's epoch. Its count is shown if it is the whole fleet, whose size is on the ledger.
func (r *run) compareScore(j *judgement, settled *ledger.SettledEpoch) error {
	if !j.question.Cohort.All {
		return r.compare(j, false, nil)
	}
	if err := r.compare(j, true, &settled.Attested); err != nil || len(j.Reasons) > 0 {
		return err
	}
	if least := j.terms.Terms.MinimumCohort; settled.Attested < least {
		j.refuse(fmt.Sprintf("the fleet has fewer than the %d batteries for which grant %s asks", least, j.grant))
	}
	j.refuse(policy.Isolates(j.earlier, j.next)...)
	j.refuse(policy.Outside(j.earlier, j.next, settled.Attested)...)
	return nil
}

// comparePool holds a federated query against the others whose sums were named about the fleet's epoch.
func (r *run) comparePool(j *judgement, q *ledger.QueryRecord) error {
	earlier, err := r.pooledAt(j.fleet, j.epoch, j.id)
	if err != nil {
		return err
	}
	j.refuse(policy.Pools(earlier, pooled(j.id, q, j.question.Cohort, nil))...)
	return nil
}

func pooled(id commit.Digest, q *ledger.QueryRecord, cohort policy.Cohort, opened []string) policy.Pooled {
	return policy.Pooled{Query: id.String(), Fleets: q.Query.Fleets(), Cohort: cohort, Opened: opened}
}

// pooledAt lists the queries, but for one, that count about a fleet's epoch.
func (r *run) pooledAt(fleet string, epoch uint64, but commit.Digest) (out []policy.Pooled, err error) {
	err = scan(r.state, ledger.PooledPrefix(fleet, epoch), func(rest string, p *ledger.Pooled) error {
		id, err := hexDigest(rest)
		if err != nil {
			return fmt.Errorf("state key of a pooled query: %w", err)
		}
		if id != but {
			out = append(out, policy.Pooled{Query: id.String(), Fleets: p.Fleets, Cohort: p.Cohort, Opened: p.Opened})
		}
		return nil
	})
	return out, err
}

// queryAssessQuery says what an approval, or the answer to an approved part, would meet.
func queryAssessQuery(r *run, a *ledger.AssessQuery) (*ledger.Assessment, error) {
	q, err := queryOf(r.state, a.Query)
	if err != nil {
		return nil, err
	}
	i, err := partOf(a.Query, q, a.Fleet)
	if err != nil {
		return nil, err
	}
	approved, err := get[ledger.QueryAnswer](r.state, ledger.QueryAnswerKey(a.Query, a.Fleet))
	if err != nil {
		return nil, err
	}
	if approved != nil && !approved.Decision.Approved {
		approved = nil
	}
	j, _, err := r.judgePart(a.Query, q, i, approved)
	if err != nil {
		return nil, err
	}
	if r.now >= q.Query.Expiry {
		j.refuse("the query expired at " + stamp(q.Query.Expiry))
		j.Wait = false
	}
	j.Reasons = told(j.Reasons)
	return &j.Assessment, nil
}
