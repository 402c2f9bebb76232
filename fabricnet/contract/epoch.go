package contract

import (
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// openEpoch records that an epoch has begun. A call's effect is decided by the time it was proposed at, but on Fabric nothing holds how long after that its caller lets it be
// committed. Enrolments and retirements read the opened epoch and are taken only while it is the current one, so those that were endorsed before
// are void as soon as the next is opened: nobody can keep retirements in reserve until an epoch's figures are known.
//
// A regulator opens epochs. An owner, or a lender that it controls, would have its opening endorsed in time and keep that in reserve too. How late the regulator was is
// on the ledger; an epoch that was not opened soon after its start cannot be anchored, since who was enrolled when it began is then not known.
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
	for _, key := range []string{ledger.OpenedKey, ledger.OpenedEpochKey(a.Epoch)} {
		if err := put(r.state, key, o); err != nil {
			return nil, err
		}
	}
	r.event(ledger.EventEpochOpened, ledger.EventPayload{Epoch: &a.Epoch})
	return o, nil
}

// opened is the last epoch that was opened. Every call that changes the ledger reads it, so that none outlives the epoch in which it was endorsed for long: what
// an organisation consented to then, or an owner decided, it may have thought better of.
func (r *run) opened() (*ledger.OpenedEpoch, error) {
	if r.head == nil {
		head, err := get[ledger.OpenedEpoch](r.state, ledger.OpenedKey)
		if err != nil {
			return nil, err
		}
		r.head = &head
	}
	return *r.head, nil
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

// requireOpenedInTime refuses an epoch that was opened later than anchors for the one before were taken, or not at all.
func (r *run) requireOpenedInTime(epoch uint64) error {
	o, err := get[ledger.OpenedEpoch](r.state, ledger.OpenedEpochKey(epoch))
	if err != nil {
		return err
	}
	latest := r.tx.Genesis.EpochStart(epoch).Add(time.Duration(r.tx.Genesis.AnchorWindowSeconds) * time.Second)
	if o == nil || o.Time > latest.Unix() {
		return ledger.Refuse(ledger.Expired, "epoch %d was not opened on the ledger by %s: who was enrolled when it began is not known", epoch, latest.Format(time.RFC3339))
	}
	return nil
}

// settle closes a fleet's epoch without a proof. Anyone may: the owner of an anchor that was held back should not. When the time for anchors is over, nothing of the
// fleet's is read, or the fleet's owner could keep changing it.
func settle(r *run, a *ledger.EpochRef) (*ledger.Closing, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	if a.Epoch >= r.epoch {
		return nil, ledger.Refuse(ledger.Expired, "epoch %d is not over: it is epoch %d", a.Epoch, r.epoch)
	}
	closed, err := exists(r.state, ledger.ClosingKey(f.ID, a.Epoch))
	if err != nil {
		return nil, err
	}
	if closed {
		return nil, ledger.Refuse(ledger.Conflict, "fleet %s at epoch %d is closed", f.ID, a.Epoch)
	}
	if err := r.requireFinal(f, a.Epoch); err != nil {
		return nil, err
	}
	c := &ledger.Closing{Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.ClosingKey(f.ID, a.Epoch), c); err != nil {
		return nil, err
	}
	r.event(ledger.EventSettled, ledger.EventPayload{Fleet: f.ID, Owner: f.Owner, Epoch: &a.Epoch})
	return c, nil
}

func (r *run) requireFinal(f *ledger.Fleet, epoch uint64) error {
	over, err := r.over(epoch)
	if err != nil || over && r.late(epoch) {
		return err
	}
	entry, err := r.facts(f, epoch)
	if err != nil {
		return err
	}
	if !entry.Final {
		return r.tooEarly(f.ID, epoch)
	}
	return nil
}

// late reports whether anchors for the epoch have had their time to arrive.
func (r *run) late(epoch uint64) bool { return r.now > r.tx.Genesis.SettledAfter(epoch).Unix() }

func (r *run) tooEarly(fleet string, epoch uint64) error {
	return ledger.Refuse(ledger.Expired, "too early: until %s, or until all its chunks are anchored, fleet %s may still anchor for epoch %d, and a later epoch must be opened",
		r.tx.Genesis.SettledAfter(epoch).Format(time.RFC3339), fleet, epoch)
}
