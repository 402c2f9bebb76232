package ledgertest

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

// publishesKeys pins the SRS, unless the ledger has it, and the keys of the circuits if the run can prove with them. Any other would stay for ever, so none is published: the
// one that is well-formed here lacks consent.
func (s *suite) publishesKeys(t *testing.T) {
	key := contracttest.SRSKey(s.SRS)
	badDigest := key
	badDigest.Digest[0] ^= 1
	otherPowers := bytes.Clone(key.Key)
	otherPowers[0] ^= 1 // the digest of the powers, which nothing else in the key shows
	by := func(org string, k verify.PublishedKey) call {
		return call{by: org, function: ledger.FnPublishKey, args: k}
	}
	var c checks
	for _, org := range s.withoutRole(ledger.RoleRegulator) {
		c.add(org+" is no regulator", func() error { return s.refused(ledger.Forbidden, by(org, key)) })
	}
	for name, bad := range map[string]verify.PublishedKey{
		"digest of something else": badDigest,
		"unknown circuit":          verify.NewPublishedKey("chunk-65/v1", verify.SetupUnsafe, key.Key),
		"key of another circuit":   verify.NewPublishedKey(verify.FleetCircuit, verify.SetupUnsafe, key.Key),
		"unknown setup":            verify.NewPublishedKey(verify.SRSKey, "ceremony of nobody", key.Key),
		"cut short":                verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, key.Key[:40]),
		"empty":                    verify.NewPublishedKey(verify.ChunkCircuit(64), verify.SetupUnsafe, nil),
		"another SRS":              verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, otherPowers),
	} {
		c.add(name, func() error { return s.refused(ledger.Invalid, by(s.regulator, bad)) })
	}
	c.must(t)
	s.pinSRS(t, key)
	if s.Agree != nil {
		checks{{"nobody agreed", func() error { return s.refused(ledger.NotEndorsed, by(s.regulator, contracttest.FleetKey(s.SRS))) }}}.must(t)
	}
	s.pinCircuits(t)
	checks{{"twice", func() error { return s.refused(ledger.Conflict, by(s.regulator, key)) }}}.must(t)
}

func (s *suite) pinSRS(t *testing.T, key verify.PublishedKey) {
	t.Helper()
	find := func() *verify.PublishedKey { return s.keyOf(t, verify.SRSKey) }
	s.consent(t, key.Pin())
	if find() == nil {
		r := s.mustSubmit(t, call{by: s.regulator, function: ledger.FnPublishKey, args: key})
		if diff := cmp.Diff(key, result[verify.PublishedKey](t, r)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(&key, find()); diff != "" {
		t.Fatalf("the SRS on the ledger is another: %s", diff)
	}
}
