package ledger

import (
	"crypto/sha256"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// SetKeyStatus retires or revokes the key that is pinned for a circuit.
type SetKeyStatus struct {
	CircuitID string `json:"circuit_id"`
	// Key is the pinned key's digest, so that nobody consents to an end of a key that they did not mean.
	Key    commit.Digest   `json:"key"`
	State  verify.KeyState `json:"state"`
	Reason string          `json:"reason"`
}

// Digest is what peers consent to.
func (a *SetKeyStatus) Digest() commit.Digest {
	return sha256.Sum256(Tagged("assay/v1/key-status", []byte(a.CircuitID), a.Key[:], []byte(a.State), []byte(a.Reason)))
}

// StatusAt is the status that the call gives the key at a time of the ledger, in Unix seconds.
func (a *SetKeyStatus) StatusAt(now int64) (verify.KeyStatus, error) {
	s := verify.KeyStatus{State: a.State, Reason: a.Reason, Time: now}
	if s == (verify.KeyStatus{}) {
		return s, fmt.Errorf("state: must be %q or %q", verify.StateRetired, verify.StateRevoked)
	}
	return s, s.Check()
}
