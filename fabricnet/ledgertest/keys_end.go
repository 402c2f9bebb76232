package ledgertest

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// endsKeys retires and revokes a key that nothing is proven with, for chunks of a size that no fleet here has. A ledger that had an earlier run has it revoked.
func (s *suite) endsKeys(t *testing.T) {
	key := s.spareKey(t)
	by := func(org string, state verify.KeyState, reason string) call {
		return call{by: org, function: ledger.FnSetKeyStatus, args: ledger.SetKeyStatus{CircuitID: key.CircuitID, Key: key.Digest, State: state, Reason: reason}}
	}
	var c checks
	for _, org := range s.withoutRole(ledger.RoleRegulator) {
		c.add(org+" is no regulator", func() error { return s.refused(ledger.Forbidden, by(org, verify.StateRevoked, "mine")) })
	}
	c.add("active again", func() error { return s.refused(ledger.Invalid, by(s.regulator, verify.StateActive, "found")) })
	c.add("no reason", func() error { return s.refused(ledger.Invalid, by(s.regulator, verify.StateRevoked, "")) })
	if s.Agree != nil {
		c.add("nobody agreed", func() error {
			return s.refused(ledger.NotEndorsed, by(s.regulator, verify.StateRevoked, "nobody agreed "+random()))
		})
	}
	c.must(t)
	for _, state := range []verify.KeyState{verify.StateRetired, verify.StateRevoked} {
		a := by(s.regulator, state, "no longer needed")
		args := a.args.(ledger.SetKeyStatus)
		s.consent(t, args.Digest())
		if !key.Status.Current().May(state) {
			checks{{string(state) + " again", func() error { return s.refused(ledger.Conflict, a) }}}.must(t)
			continue
		}
		got := result[verify.PublishedKey](t, s.mustSubmit(t, a))
		if got.Status.State != state || got.Status.Reason != args.Reason || got.Digest != key.Digest {
			t.Errorf("%s: the key is %s", state, got.Status)
		}
		key = s.keyOf(t, key.CircuitID)
		if key.Status != got.Status {
			t.Errorf("%s: the ledger says %s", state, key.Status)
		}
	}
	checks{{"back from revoked", func() error {
		return s.refused(ledger.Conflict, by(s.regulator, verify.StateRetired, "no longer needed"))
	}}}.must(t)
}

// spareKey is pinned unless it is already.
func (s *suite) spareKey(t *testing.T) *verify.PublishedKey {
	t.Helper()
	spare := contracttest.ChunkKey(s.SRS, commit.MaxSize)
	if found := s.keyOf(t, spare.CircuitID); found != nil {
		return found
	}
	s.consent(t, spare.Pin())
	s.mustSubmit(t, call{by: s.regulator, function: ledger.FnPublishKey, args: spare})
	return s.keyOf(t, spare.CircuitID)
}

// keyOf is the key that is pinned for a circuit, or nil.
func (s *suite) keyOf(t *testing.T, circuit string) *verify.PublishedKey {
	t.Helper()
	keys := must[[]verify.PublishedKey](t)(s.as(s.owner).Keys(s.ctx))
	for i := range keys {
		if keys[i].CircuitID == circuit {
			return &keys[i]
		}
	}
	return nil
}
