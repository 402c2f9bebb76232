package desk

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

// decide refuses or approves an open request, or leaves it to a person.
func (d *Desk) decide(ctx context.Context, t *task, entry *ledger.RequestEntry) {
	a, err := d.book.Assess(ctx, t.id)
	if err != nil {
		d.setBack(ctx, t, err)
		return
	}
	log := d.Logger.With("request", t.id, "requester", entry.Request.Requester, "fleet", entry.Request.Fleet, "epoch", entry.Request.Epoch, "grant", a.Grant)
	if a.Allowed && (a.Approval == policy.Person || d.Approve == ByPerson) {
		if d.leave(t) {
			log.Info("a request waits for a person to approve it", "policies", a.PolicyIDs)
		}
		d.postpone(t, lookAgain)
		return
	}
	if a.Wait {
		d.postpone(t, lookAgain) // another answer is on its way, and wakes this when it is there
		return
	}
	args := ledger.Decide{Request: t.id, Approve: a.Allowed, Reasons: []string{}, Automatic: true} // should a policy that wants a person overtake it, the contract refuses it
	if !a.Allowed {
		args.Reasons = Told(a.Reasons)
	}
	receipt, err := d.book.Decide(ctx, args)
	if err != nil {
		d.setBack(ctx, t, err)
		return
	}
	d.metrics.decisions.WithLabelValues(map[bool]string{true: "approved", false: "refused"}[a.Allowed]).Inc()
	if !a.Allowed {
		log.Info("a request is refused", "reasons", args.Reasons, "tx", receipt.TxID)
		d.forget(t)
		return
	}
	log.Info("a request is approved", "policies", a.PolicyIDs, "cost", a.Cost, "tx", receipt.TxID)
	d.postpone(t, 0)
}

// leave reports whether a request is newly a person's.
func (d *Desk) leave(t *task) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.person {
		return false
	}
	t.person = true
	d.metrics.waiting.Inc()
	return true
}

// stillAllowed holds an approved request against the contract again, and fails it if its grant or the policies no longer allow it, or want a person by now and none approved it.
func (d *Desk) stillAllowed(ctx context.Context, t *task, entry *ledger.RequestEntry) (bool, error) {
	a, err := d.book.Assess(ctx, t.id)
	if err != nil || a.Allowed {
		return a.Allowed, err
	}
	if a.Wait {
		d.postpone(t, d.Retry)
		return false, nil
	}
	return false, d.fail(ctx, t, entry, a.Reasons)
}

// fail ends an approved request without an answer.
func (d *Desk) fail(ctx context.Context, t *task, entry *ledger.RequestEntry, reasons []string) error {
	reasons = Told(reasons)
	receipt, err := d.book.Fail(ctx, ledger.Fail{Request: t.id, Reasons: reasons})
	if err != nil {
		return err
	}
	d.metrics.answers.WithLabelValues("failed").Inc()
	d.Logger.Info("a request fails", "request", t.id, "fleet", entry.Request.Fleet, "epoch", entry.Request.Epoch, "reasons", reasons, "tx", receipt.TxID)
	d.forget(t)
	return nil
}

// Told makes reasons fit for the ledger: at least one, few, short and printable.
func Told(reasons []string) []string {
	out := []string{}
	for i, reason := range reasons {
		if i == ledger.MaxReasons-1 && len(reasons) > ledger.MaxReasons {
			return append(out, fmt.Sprintf("and for %d other reasons", len(reasons)-i))
		}
		out = append(out, ledger.Printable(reason, ledger.MaxReason))
	}
	if len(out) == 0 {
		out = append(out, "the ledger does not allow it")
	}
	return out
}
