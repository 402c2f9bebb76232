package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// proof verifies the bundle again, and compares the verdict with the ledger's.
func (v *verification) proof() {
	recorded := v.Evidence.Request.Verdict
	if recorded == nil {
		if v.Facts != nil || len(v.Bundle) > 0 || len(v.Keys) > 0 {
			v.add(Wrong, "proof", "the request has no verdict, and yet a bundle, facts or keys")
		}
		return
	}
	if v.Evidence.Request.Proving == nil {
		v.add(Wrong, "proof", "a proof was recorded, and that it was begun is not here")
	}
	if got := commit.Digest(sha256.Sum256(v.Bundle)); got != recorded.Bundle {
		v.add(Wrong, "proof", "the bundle's digest is %s, the verdict is on %s", got, recorded.Bundle)
	}
	verdict := v.verified()
	if verdict == nil {
		return
	}
	again, err := json.Marshal(whenRecorded(verdict))
	if err != nil {
		v.add(Wrong, "proof", "%v", err)
		return
	}
	if !bytes.Equal(again, ledger.Encode(recorded.Verdict)) || recorded.Holds != verdict.Holds() {
		v.add(Wrong, "proof", "the verdict on the ledger is not the one that the proof gives")
		return
	}
	heights := map[uint32]uint64{}
	for i := range v.Facts.Chunks {
		heights[v.Facts.Chunks[i].Index] = v.Facts.Chunks[i].Height
	}
	for i := range verdict.Chunks {
		verdict.Chunks[i].Height = heights[verdict.Chunks[i].Index]
	}
	v.Report.Verdict = verdict
	v.add(Shown, "proof", "verifies against the anchors with the keys of the verdict, to the same verdict: every claim holds is %t", verdict.Holds())
	if verdict.Unsafe {
		v.add(Assumed, "proof", "that whoever made the proving keys forges none: they come from an unsafe single-party setup")
	}
	v.released(verdict)
}

// whenRecorded is the verdict as it was when the keys were active: the ledger takes no proof under others. Some may have been retired since.
func whenRecorded(verdict *verify.Verdict) *verify.Verdict {
	then := *verdict
	then.Keys = slices.Clone(verdict.Keys)
	for i := range then.Keys {
		then.Keys[i].Status = verify.KeyStatus{}
	}
	return &then
}

// verified verifies the bundle as the contract did, which does not know in which blocks the anchors are.
func (v *verification) verified() *verify.Verdict {
	if v.Facts == nil {
		v.add(Wrong, "proof", "there are no facts to verify it against")
		return nil
	}
	if v.Facts.Ledger != v.Evidence.Ledger || v.Facts.Owner != v.Evidence.Request.Request.Owner {
		v.add(Wrong, "facts", "are of ledger %s and a fleet of %.64s", v.Facts.Ledger, v.Facts.Owner)
		return nil
	}
	ring, err := verify.NewKeyring(v.Keys)
	if err != nil {
		v.add(Wrong, "keys", "%v", err)
		return nil
	}
	facts := *v.Facts
	facts.Chunks = slices.Clone(facts.Chunks)
	for i := range facts.Chunks {
		facts.Chunks[i].Height = 0
	}
	verdict, err := verify.VerifyBundle(v.Bundle, &facts, ring)
	if err != nil {
		v.add(Wrong, "proof", "%v", err)
		return nil
	}
	if got := commit.Digest(verdict.Statement.Digest(v.Evidence.Ledger)); got != v.Evidence.Request.ID {
		v.add(Wrong, "proof", "the proof answers request %s", got)
		return nil
	}
	return verdict
}

// released holds the answer against the grant as of when it was given: its limits, its policy, and the size of the cohort.
func (v *verification) released(verdict *verify.Verdict) {
	if v.approved == nil {
		return // said already
	}
	q, err := v.question(v.Evidence.Request.Verdict.Time)
	if err != nil {
		v.add(Wrong, "proof", "%v", err)
		return
	}
	for _, reason := range v.Grant.Terms.Limits(q, policy.Spent{}) {
		v.add(Wrong, "proof", "when it was recorded the grant did not cover it: %s", reason)
	}
	if len(v.Policies) > 0 { // which text was in force then besides the grant's is not in the evidence
		said := v.policy(&v.Policies[0], v.Policies[0].Digest, q)
		if d := v.Evidence.Request.Decision; said != nil && said.Approval == policy.Person && d.Automatic {
			v.add(Wrong, "proof", "when it was recorded the grant's policy wanted a person to approve it, and it was approved without one")
		}
	}
	shown, err := ledger.ShownBy(verdict)
	if err != nil {
		v.add(Wrong, "proof", "%v", err)
		return
	}
	least := v.Grant.Terms.MinimumCohort
	enough := false
	if q.Count == policy.CountExact {
		n := shown.CountOf(q)
		enough = n != nil && *n >= least
	} else if enough, err = shown.Proves(v.asked, least); err != nil {
		v.add(Wrong, "proof", "%v", err)
		return
	}
	if !enough {
		v.add(Wrong, "proof", "does not show a cohort of at least %d batteries, for which the grant asks", least)
		return
	}
	v.add(Shown, "proof", "is about at least %d batteries, as the grant asks for", least)
}
