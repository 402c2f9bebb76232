package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// decide records the owner's answer to a request, once. An approval counts if the grant that the request names, its policy, the policy in force and what was answered before
// allow it, and spends: whatever comes of it, one answer of the grant and the question's cost. Two approvals that race for the last of either write one key.
func decide(r *run, a *ledger.Decide) (*ledger.Decision, error) {
	q, err := r.ownRequest(a.Request)
	if err != nil {
		return nil, err
	}
	if err := checkReasons(a.Reasons, !a.Approve); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	key := ledger.DecisionKey(a.Request)
	decided, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if decided {
		return nil, ledger.Refuse(ledger.Conflict, "request %s is decided", a.Request)
	}
	d := &ledger.Decision{Approved: a.Approve, Reasons: a.Reasons, Automatic: a.Automatic, Time: r.now, TxID: r.tx.ID}
	if a.Approve {
		if err := r.approve(a.Request, q, d); err != nil {
			return nil, err
		}
	}
	if err := put(r.state, key, d); err != nil {
		return nil, err
	}
	r.event(ledger.EventDecided, ledger.EventPayload{
		Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request, Approved: &a.Approve, Grant: d.Grant,
	})
	return d, nil
}

// approve spends, and notes the cohort.
func (r *run) approve(id commit.Digest, q *ledger.Request, d *ledger.Decision) error {
	j, err := r.judge(id, q, nil)
	if err != nil {
		return err
	}
	if err := r.spend(j, d); err != nil {
		return err
	}
	return put(r.state, ledger.AnsweredKey(q.Fleet, q.Epoch, id), j.record())
}

// spend takes what an approval costs, for good, if it is allowed, and notes in the decision what it rests on.
func (r *run) spend(j *judgement, d *ledger.Decision) error {
	if !j.Allowed {
		return j.refusal()
	}
	if d.Automatic && j.Approval == policy.Person {
		return ledger.Refuse(ledger.Forbidden, "%s %s: a policy wants a person to approve it, and none did", j.what, j.id)
	}
	sum, err := j.spent.Of(j.fleet).Add(j.units, j.question.Delta)
	if err != nil {
		return ledger.Refuse(ledger.Forbidden, "grant %s of %s: %v", j.grant, j.owner, err)
	}
	spent := j.spent.With(j.fleet, sum)
	d.Grant, d.Policies, d.PolicyIDs, d.Cost, d.Approval = j.grant, j.Policies, j.PolicyIDs, j.Cost, j.Approval
	return put(r.state, ledger.SpentKey(j.owner, j.grant), spent)
}

func checkReasons(reasons []string, required bool) error {
	if len(reasons) > ledger.MaxReasons || required && len(reasons) == 0 {
		return fmt.Errorf("%d reasons, at most %d, and a refusal or failure needs one", len(reasons), ledger.MaxReasons)
	}
	for _, reason := range reasons {
		if err := ledger.CheckText("reason", reason, ledger.MaxReason, true); err != nil {
			return err
		}
	}
	return nil
}

// withdraw takes a request back before it is decided. What was asked stays on the ledger. Who endorses a proof has seen what it discloses, and with few organisations that is
// the requester itself: it must not be able to void the verdict then.
func withdraw(r *run, a *ledger.RequestRef) (*ledger.Withdrawal, error) {
	q, err := requestOf(r.state, a.Request)
	if err != nil {
		return nil, err
	}
	if q.Requester != r.caller() {
		return nil, ledger.Refuse(ledger.Forbidden, "request %s is by %s, not by %s", a.Request, q.Requester, r.caller())
	}
	if _, err := r.openRequest(a.Request); err != nil {
		return nil, err
	}
	decision, err := get[ledger.Decision](r.state, ledger.DecisionKey(a.Request))
	if err != nil {
		return nil, err
	}
	if decision != nil {
		outcome := ledger.StatusRefused
		if decision.Approved {
			outcome = ledger.StatusApproved
		}
		return nil, ledger.Refuse(ledger.Conflict, "request %s is %s", a.Request, outcome)
	}
	w := &ledger.Withdrawal{Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.WithdrawalKey(a.Request), w); err != nil {
		return nil, err
	}
	r.event(ledger.EventWithdrawn, ledger.EventPayload{Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request})
	return w, nil
}
