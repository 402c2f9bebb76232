package contract

import (
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// openEpoch records that an epoch has begun. A call's effect is decided by the time it was proposed at, but on Fabric nothing holds how long after that its caller lets it be
// committed. Enrolments and retirements read the opened epoch and are taken only while it is the current one, so those that were endorsed before
// are void as soon as the next is opened: nobody can keep retirements in reserve until an epoch's figures are known. Any organisation may open an epoch, and anchors for an
// epoch are taken after a later one is opened.
func openEpoch(r *run, a *ledger.OpenEpoch) (*ledger.OpenedEpoch, error) {
	if a.Epoch != r.epoch {
		return nil, ledger.Refuse(ledger.Expired, "epoch %d cannot be opened: it is epoch %d", a.Epoch, r.epoch)
	}
	before, err := r.opened()
	if err != nil {
		return nil, err
	}
	if before != nil && before.Epoch >= a.Epoch {
		return nil, ledger.Refuse(ledger.Conflict, "epoch %d is open", before.Epoch)
	}
	o := &ledger.OpenedEpoch{Epoch: a.Epoch, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.OpenedKey, o); err != nil {
		return nil, err
	}
	r.event(ledger.EventEpochOpened, ledger.EventPayload{Epoch: &a.Epoch})
	return o, nil
}

func (r *run) opened() (*ledger.OpenedEpoch, error) {
	return get[ledger.OpenedEpoch](r.state, ledger.OpenedKey)
}

// requireOpen refuses to change who is enrolled unless the epoch that the call is in is the opened one.
func (r *run) requireOpen() error {
	o, err := r.opened()
	if err != nil {
		return err
	}
	if o == nil || o.Epoch < r.epoch {
		return ledger.Refuse(ledger.Expired, "epoch %d is not opened on the ledger yet", r.epoch)
	}
	if o.Epoch > r.epoch {
		return ledger.Refuse(ledger.Expired, "epoch %d is opened on the ledger, the call was proposed in epoch %d", o.Epoch, r.epoch)
	}
	return nil
}

// over reports whether a later epoch is opened, so that who was enrolled in this one can no longer change.
func (r *run) over(epoch uint64) (bool, error) {
	o, err := r.opened()
	return o != nil && o.Epoch > epoch, err
}

// settle closes a fleet's epoch without a proof. Anyone may: the owner of an anchor that was held back should not.
func settle(r *run, a *ledger.EpochRef) (*ledger.Closing, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	if a.Epoch >= r.epoch {
		return nil, ledger.Refuse(ledger.Expired, "epoch %d is not over: it is epoch %d", a.Epoch, r.epoch)
	}
	entry, err := r.facts(f, a.Epoch)
	if err != nil {
		return nil, err
	}
	if entry.Closed {
		return nil, ledger.Refuse(ledger.Conflict, "fleet %s at epoch %d is closed", f.ID, a.Epoch)
	}
	if !entry.Final {
		return nil, r.tooEarly(f.ID, a.Epoch)
	}
	c := &ledger.Closing{Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.ClosingKey(f.ID, a.Epoch), c); err != nil {
		return nil, err
	}
	r.event(ledger.EventSettled, ledger.EventPayload{Fleet: f.ID, Owner: f.Owner, Epoch: &a.Epoch})
	return c, nil
}

func (r *run) tooEarly(fleet string, epoch uint64) error {
	return ledger.Refuse(ledger.Expired, "too early: until %s, or until all its chunks are anchored, fleet %s may still anchor for epoch %d, and a later epoch must be opened",
		r.tx.Genesis.SettledAfter(epoch).Format(time.RFC3339), fleet, epoch)
}
