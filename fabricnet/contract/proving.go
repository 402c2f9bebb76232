package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// startProof says that the owner of an approved request is at work on it. From then on somebody else may see the proof, recorded or not, so the cohort counts for ever;
// a proof that was not begun so is not taken. What has just become not allowed is not begun.
func startProof(r *run, a *ledger.RequestRef) (*ledger.Proving, error) {
	q, d, err := r.approvedRequest(a.Request)
	if err != nil {
		return nil, err
	}
	key := ledger.ProvingKey(a.Request)
	started, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if started {
		return nil, ledger.Refuse(ledger.Conflict, "request %s is being proven", a.Request)
	}
	if err := r.provable(q.Fleet); err != nil {
		return nil, err
	}
	if _, err := r.answerable(a.Request, q, d); err != nil {
		return nil, err
	}
	answered, err := r.answered(a.Request, q)
	if err != nil {
		return nil, err
	}
	answered.Started = true
	if err := put(r.state, ledger.AnsweredKey(q.Fleet, q.Epoch, a.Request), answered); err != nil {
		return nil, err
	}
	p := &ledger.Proving{Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, key, p); err != nil {
		return nil, err
	}
	r.event(ledger.EventProving, ledger.EventPayload{Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request, Grant: d.Grant})
	return p, nil
}

// fail ends an approved request without an answer: what would have been shown must not be, or cannot be proven. What the approval spent stays spent, and the cohort
// goes on to count: that it failed tells something of it.
func fail(r *run, a *ledger.Fail) (*ledger.Failure, error) {
	q, d, err := r.approvedRequest(a.Request)
	if err != nil {
		return nil, err
	}
	if err := checkReasons(a.Reasons, true); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	answered, err := r.answered(a.Request, q)
	if err != nil {
		return nil, err
	}
	answered.Failed = true
	if err := put(r.state, ledger.AnsweredKey(q.Fleet, q.Epoch, a.Request), answered); err != nil {
		return nil, err
	}
	f := &ledger.Failure{Reasons: a.Reasons, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.FailureKey(a.Request), f); err != nil {
		return nil, err
	}
	r.event(ledger.EventFailed, ledger.EventPayload{Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request, Grant: d.Grant})
	return f, nil
}

// approvedRequest reads an open request about a fleet of the caller's, and its approval.
func (r *run) approvedRequest(id commit.Digest) (*ledger.Request, *ledger.Decision, error) {
	q, err := r.ownRequest(id)
	if err != nil {
		return nil, nil, err
	}
	d, err := get[ledger.Decision](r.state, ledger.DecisionKey(id))
	if err != nil {
		return nil, nil, err
	}
	if d == nil || !d.Approved {
		return nil, nil, ledger.Refuse(ledger.Conflict, "request %s is not approved", id)
	}
	return q, d, nil
}

// answered reads the cohort that an approval noted.
func (r *run) answered(id commit.Digest, q *ledger.Request) (*ledger.Answered, error) {
	a, err := get[ledger.Answered](r.state, ledger.AnsweredKey(q.Fleet, q.Epoch, id))
	if err == nil && a == nil {
		return nil, fmt.Errorf("state of request %s is approved and has no cohort", id)
	}
	return a, err
}
