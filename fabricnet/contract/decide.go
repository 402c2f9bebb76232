package contract

import (
	"github.com/assay-net/assay/fabricnet/ledger"
)

// maxReasons bounds the reasons of a decision.
const maxReasons = 16

// decide records the owner's answer to a request, once.
func decide(r *run, a *ledger.Decide) (*ledger.Decision, error) {
	q, err := r.ownRequest(a.Request)
	if err != nil {
		return nil, err
	}
	if err := checkReasons(a); err != nil {
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
	d := &ledger.Decision{Approved: a.Approve, Reasons: a.Reasons, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, key, d); err != nil {
		return nil, err
	}
	r.event(ledger.EventDecided, ledger.EventPayload{
		Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request, Approved: &a.Approve,
	})
	return d, nil
}

func checkReasons(a *ledger.Decide) error {
	if len(a.Reasons) > maxReasons || !a.Approve && len(a.Reasons) == 0 {
		return ledger.Refuse(ledger.Invalid, "%d reasons, at most %d, and a refusal needs one", len(a.Reasons), maxReasons)
	}
	for _, reason := range a.Reasons {
		if err := ledger.CheckText("reason", reason, ledger.MaxReason, true); err != nil {
			return err
		}
	}
	return nil
}

// withdraw takes a request back before it is approved. What was asked stays on the ledger. Who endorses a proof has seen what it discloses, and with few organisations that is
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
	if decision != nil && decision.Approved {
		return nil, ledger.Refuse(ledger.Conflict, "request %s is approved", a.Request)
	}
	w := &ledger.Withdrawal{Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.WithdrawalKey(a.Request), w); err != nil {
		return nil, err
	}
	r.event(ledger.EventWithdrawn, ledger.EventPayload{Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request})
	return w, nil
}
