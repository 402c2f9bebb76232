package contract

import (
	"bytes"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// publishKey pins a verifying key to a circuit id, once and for ever: a key that could be replaced would let a proof verify under another setup
// than the one its verdict names. What can change is its status.
func publishKey(r *run, k *verify.PublishedKey) (*verify.PublishedKey, error) {
	if err := verify.CheckKey(*k); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	srs, err := r.checkOrigin(k)
	if err != nil {
		return nil, err
	}
	if err := r.checkCeremony(k, srs); err != nil {
		return nil, err
	}
	if err := checkSRSKey(r.env.SRS, k); err != nil {
		return nil, err
	}
	if err := r.agree("key", k.Pin()); err != nil {
		return nil, err
	}
	key := ledger.PublishedKeyKey(k.CircuitID)
	taken, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, ledger.Refuse(ledger.Conflict, "a key is pinned for %q", k.CircuitID)
	}
	if err := put(r.state, key, k); err != nil {
		return nil, err
	}
	r.event(ledger.EventKeyPublished, ledger.EventPayload{CircuitID: k.CircuitID, Digest: &k.Digest})
	return k, nil
}

// checkOrigin has a circuit's key name its constraint system and the pinned SRS, whose key it gives, and any key come without a status.
func (r *run) checkOrigin(k *verify.PublishedKey) (srs *verify.PublishedKey, err error) {
	if k.Status != (verify.KeyStatus{}) {
		return nil, ledger.Refuse(ledger.Invalid, "status: a key is published as active")
	}
	if k.CircuitID == verify.SRSKey {
		if !k.SRS.IsZero() || !k.Circuit.IsZero() {
			return nil, ledger.Refuse(ledger.Invalid, "srs, circuit: the SRS's own key names neither")
		}
		return nil, nil
	}
	if k.Circuit.IsZero() {
		return nil, ledger.Refuse(ledger.Invalid, "circuit: the digest of the constraint system is missing")
	}
	if srs, err = get[verify.PublishedKey](r.state, ledger.PublishedKeyKey(verify.SRSKey)); err != nil {
		return nil, err
	}
	if srs == nil {
		return nil, ledger.Refuse(ledger.NotFound, "no key is pinned for %q, which comes first", verify.SRSKey)
	}
	if len(srs.Key) < len(commit.Digest{}) { // not by this contract; an audit goes on after what was forged
		return nil, fmt.Errorf("the key pinned for %q has %d bytes", verify.SRSKey, len(srs.Key))
	}
	if pinned := commit.Digest(srs.Key[:len(commit.Digest{})]); k.SRS != pinned {
		return nil, ledger.Refuse(ledger.Invalid, "srs: is %s, the pinned SRS is %s", k.SRS, pinned)
	}
	return srs, nil
}

// checkSRSKey lets a peer endorse no other SRS than its own, whose powers it checked when it loaded them: the published key shows only a few, and a key with
// another τ under the right digest would let whoever knows that τ open any anchor to anything.
func checkSRSKey(srs *commit.SRS, k *verify.PublishedKey) error {
	if k.CircuitID != verify.SRSKey {
		return nil
	}
	if srs == nil {
		return fmt.Errorf("this peer has no SRS to compare the key with")
	}
	want, err := verify.EncodeSRSKey(srs)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if !bytes.Equal(want, k.Key) {
		return ledger.Refuse(ledger.Invalid, "key is not of this peer's SRS %s", srs.Digest())
	}
	return nil
}

// publishedKeys lists all pinned keys, in the order of their circuit ids.
func publishedKeys(s State) ([]verify.PublishedKey, error) {
	keys := []verify.PublishedKey{}
	err := scan(s, ledger.KeyPrefix, func(_ string, k *verify.PublishedKey) error {
		keys = append(keys, *k)
		return nil
	})
	return keys, err
}
