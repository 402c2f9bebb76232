package ledgertest

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func (s *suite) prove(by string, request commit.Digest, bundle []byte) call {
	return call{by: by, function: ledger.FnSubmitProof, args: ledger.SubmitProof{Request: request, Bundle: bundle}}
}

func (s *suite) refusesProofs(t *testing.T) {
	q := s.asked.approved
	good := bundle(t, q.statement)
	other := *q.statement
	other.MinimumCoverage = "0"
	var c checks
	for _, org := range s.but(s.owner) {
		c.add("not the fleet's owner", func() error { return s.refused(ledger.Forbidden, s.prove(org, q.id, good)) })
	}
	c.add("no such request", func() error { return s.refused(ledger.NotFound, s.prove(s.owner, commit.Digest{1}, good)) })
	for name, b := range map[string][]byte{"none": nil, "garbage": []byte("bundle"), "of another statement": bundle(t, &other), "cut short": good[:len(good)-1]} {
		c.add("bundle: "+name, func() error { return s.refused(ledger.Invalid, s.prove(s.owner, q.id, b)) })
	}
	for name, not := range map[string]question{"not decided": s.asked.open, "refused": s.asked.refused, "withdrawn": s.asked.withdrawn} {
		b := bundle(t, not.statement)
		c.add("request: "+name, func() error { return s.refused(ledger.Conflict, s.prove(s.owner, not.id, b)) })
	}
	for _, begun := range []question{q, s.asked.settled} {
		c.add("not begun", func() error {
			return s.refused(ledger.Conflict, s.prove(s.owner, begun.id, bundle(t, begun.statement)))
		})
	}
	c.must(t)
	for _, begun := range []question{q, s.asked.settled} {
		if err := s.as(s.owner).StartProof(s.ctx, begun.id); err != nil {
			t.Fatal(err)
		}
	}
	c = nil
	// Every chunk of this fleet is anchored, so the bundle is looked at: it proves none of them.
	settled := bundle(t, s.asked.settled.statement)
	c.add("bundle: without proofs", func() error { return s.refused(ledger.Invalid, s.prove(s.owner, s.asked.settled.id, settled)) })
	c.must(t)
	s.refusesEarlyProof(t, q, good)
	s.showsRequest(t, q, ledger.StatusProving)
}

// refusesEarlyProof proves something about the fleet that can still anchor, as long as it can.
func (s *suite) refusesEarlyProof(t *testing.T, q question, good []byte) {
	err := s.refused(ledger.Expired, s.prove(s.owner, q.id, good))
	if err != nil && s.Now().Before(s.Genesis.SettledAfter(s.over)) {
		t.Error(err)
	}
}

// settles closes the epoch of the fleet whose chunks are all anchored, and not of the other.
func (s *suite) settles(t *testing.T) {
	by := func(org, fleet string) call {
		return call{by: org, function: ledger.FnSettle, args: ledger.EpochRef{Fleet: fleet, Epoch: s.over}}
	}
	err := s.refused(ledger.Expired, by(s.regulator, s.fleet))
	if err != nil && s.Now().Before(s.Genesis.SettledAfter(s.over)) {
		t.Error(err)
	}
	checks{{"no such fleet", func() error { return s.refused(ledger.NotFound, by(s.regulator, "none-"+s.run)) }}}.must(t)
	r := s.mustSubmit(t, by(s.financier, s.closed))
	if c := result[ledger.Closing](t, r); c.TxID != r.TxID {
		t.Errorf("closing is %+v", c)
	}
	var c checks
	for _, org := range s.all {
		c.add("settling again", func() error { return s.refused(ledger.Conflict, by(org, s.closed)) })
	}
	if s.Now().Before(s.Genesis.AnchorDeadline(s.over)) {
		c.add("anchoring what is settled", func() error {
			err := s.refused(ledger.Conflict, s.anchorCall(s.closed, 9, s.over, nil))
			if s.Now().Before(s.Genesis.AnchorDeadline(s.over)) {
				return err
			}
			return nil // the window was over meanwhile
		})
	}
	c.must(t)
	f := must[ledger.FactsEntry](t)(s.as(s.owner).Facts(s.ctx, s.closed, s.over))
	if !f.Final || !f.Closed {
		t.Errorf("after settling: final %v, closed %v", f.Final, f.Closed)
	}
	s.factsAgree(t, f)
}

// bundle is well-formed and proves nothing.
func bundle(t *testing.T, q *statement.Statement) []byte {
	t.Helper()
	return must[[]byte](t)((&verify.Bundle{Statement: q}).Marshal())
}
