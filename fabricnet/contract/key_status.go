package contract

import (
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

// setKeyStatus ends a key: proofs are no longer begun or taken under it, and under a revoked one nothing verifies any more.
func setKeyStatus(r *run, a *ledger.SetKeyStatus) (*verify.PublishedKey, error) {
	status, err := a.StatusAt(r.now)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if err := r.agree("key status", a.Digest()); err != nil {
		return nil, err
	}
	key := ledger.PublishedKeyKey(a.CircuitID)
	k, err := get[verify.PublishedKey](r.state, key)
	if err != nil {
		return nil, err
	}
	switch {
	case k == nil:
		return nil, ledger.Refuse(ledger.NotFound, "no key is pinned for %q", a.CircuitID)
	case k.Digest != a.Key:
		return nil, ledger.Refuse(ledger.Conflict, "the key that is pinned for %q is %s, not %s", a.CircuitID, k.Digest, a.Key)
	case !k.Status.Current().May(a.State):
		return nil, ledger.Refuse(ledger.Conflict, "the key for %q is %s, and does not become %s", a.CircuitID, k.Status, a.State)
	}
	k.Status = status
	if err := put(r.state, key, k); err != nil {
		return nil, err
	}
	r.event(ledger.EventKeyStatusSet, ledger.EventPayload{CircuitID: a.CircuitID, Digest: &k.Digest})
	return k, nil
}

// checkActive refuses what is to rest on a key that is no longer active.
func checkActive(circuitID string, s verify.KeyStatus) error {
	if s.Current() == verify.StateActive {
		return nil
	}
	return ledger.Refuse(ledger.Conflict, "the key for %q is %s", circuitID, s)
}

// provable refuses to have a proof begun about a fleet that could not be taken. A key that is not pinned yet may still be.
func (r *run) provable(fleetID string) error {
	f, err := fleet(r.state, fleetID)
	if err != nil {
		return err
	}
	for _, id := range []string{verify.SRSKey, verify.ChunkCircuit(f.ChunkSize), verify.FleetCircuit} {
		k, err := get[verify.PublishedKey](r.state, ledger.PublishedKeyKey(id))
		if err != nil {
			return err
		}
		if k == nil {
			continue
		}
		if err := checkActive(id, k.Status); err != nil {
			return err
		}
	}
	return nil
}
