package ledgertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// pinCircuits pins the keys with which proofs verify, unless the ledger has them.
func (s *suite) pinCircuits(t *testing.T) {
	t.Helper()
	if s.Keys == nil {
		return
	}
	pinned := map[string]commit.Digest{}
	for _, k := range must[[]verify.PublishedKey](t)(s.as(s.owner).Keys(s.ctx)) {
		pinned[k.CircuitID] = k.Digest
	}
	for _, k := range must[[]verify.PublishedKey](t)(s.Keys.Published(contracttest.ChunkSize)) {
		if _, there := pinned[k.CircuitID]; !there {
			s.consent(t, k.Pin())
			s.mustSubmit(t, call{by: s.regulator, function: ledger.FnPublishKey, args: k})
		} else if pinned[k.CircuitID] != k.Digest {
			t.Fatalf("the key of %s on the ledger is another", k.CircuitID)
		}
	}
}

// verifies answers questions about the settled fleet, whose four batteries have a state of health of 95.00, 94.99, 94.98 and 94.97 %. The grant asks for cohorts of two.
func (s *suite) verifies(t *testing.T) {
	if s.Keys == nil {
		t.Skip("nobody can prove with this SRS")
	}
	healthy := func(least string) func(*statement.Statement) {
		return func(q *statement.Statement) {
			q.Cohort, q.Disclose = []statement.Range{{Lane: "state_of_health", Min: least}}, []string{"count"}
		}
	}
	s.answers(t, nil)
	s.answers(t, healthy("94.99"))
	s.givesUp(t, "fewer than", func(q *statement.Statement) {
		q.Cohort, q.Disclose = []statement.Range{{Lane: "state_of_health", Max: "94.97"}}, []string{"count"}
	})
	s.answers(t, healthy("94.99"))
	s.withholds(t, "difference", healthy("94.98")) // three of the four
	s.denied(t, "not recorded", s.asks(t, s.financier, healthy("94.96")))
	s.answers(t, nil)
}

// givesUp asks something of which the answer must not be given, which its owner knows before it proves.
func (s *suite) givesUp(t *testing.T, why string, change func(*statement.Statement)) {
	t.Helper()
	q := s.approvedNow(t, change)
	parameters := must[*statement.Parameters](t)(q.statement.Parameters())
	shown := must[ledger.Shown](t)(ledger.ShownOf(q.statement, parameters.Sum(s.opened(t, s.closed, 0, s.over).Records)))
	a := must[ledger.Assessment](t)(s.as(s.owner).AssessShown(s.ctx, q.id, shown))
	if a.Allowed || !strings.Contains(strings.Join(a.Reasons, "; "), why) {
		t.Errorf("before the proof: %+v, must be refused for %q", a, why)
	}
	s.mustSubmit(t, s.fail(q, "too few"))
	s.showsRequest(t, q, ledger.StatusFailed)
}

// answers has a question answered, and compares what everybody is told with what was sent.
func (s *suite) answers(t *testing.T, change func(*statement.Statement)) {
	t.Helper()
	q := s.approvedNow(t, change)
	bundle, verdict := s.proveHere(t, q)
	if a := must[ledger.Assessment](t)(s.as(s.owner).AssessProof(s.ctx, q.id, verdict)); !a.Allowed {
		t.Errorf("before the proof: %+v", a)
	}
	if err := s.as(s.owner).StartProof(s.ctx, q.id); err != nil {
		t.Error(err)
	}
	got, r, err := s.as(s.owner).SubmitProof(s.ctx, q.id, bundle)
	if err != nil {
		t.Fatal(err)
	}
	e := s.showsRequest(t, q, ledger.StatusVerified)
	if e.Verdict == nil || e.Verdict.TxID != r.TxID || e.Verdict.Bundle != sha256.Sum256(bundle) || e.Verdict.Holds != verdict.Holds() || got.Bundle != e.Verdict.Bundle {
		t.Errorf("the verdict is %+v", e.Verdict)
	}
	// Heights of blocks are not known to the contract.
	for i := range verdict.Chunks {
		verdict.Chunks[i].Height = 0
	}
	if want := must[[]byte](t)(json.Marshal(verdict)); !bytes.Equal(want, e.Verdict.Verdict) {
		t.Errorf("the recorded verdict is %s, must be %s", e.Verdict.Verdict, want)
	}
	for _, org := range s.all {
		if b := must[[]byte](t)(s.as(org).Bundle(s.ctx, q.id)); !bytes.Equal(b, bundle) {
			t.Errorf("%s is told of another proof", org)
		}
	}
	checks{
		{"proving again", func() error { return s.refused(ledger.Conflict, s.prove(s.owner, q.id, bundle)) }},
		{"failing what is verified", func() error { return s.refused(ledger.Conflict, s.fail(q, "x")) }},
	}.must(t)
}

// withholds asks something of which the answer must not be given.
func (s *suite) withholds(t *testing.T, why string, change func(*statement.Statement)) {
	t.Helper()
	q := s.approvedNow(t, change)
	bundle, verdict := s.proveHere(t, q)
	checks{{"proving what was not begun", func() error { return s.refused(ledger.Conflict, s.prove(s.owner, q.id, bundle)) }}}.must(t)
	if err := s.as(s.owner).StartProof(s.ctx, q.id); err != nil {
		t.Error(err)
	}
	checks{{"proving " + why, func() error { return s.refused(ledger.Forbidden, s.prove(s.owner, q.id, bundle)) }}}.must(t)
	a := must[ledger.Assessment](t)(s.as(s.owner).AssessProof(s.ctx, q.id, verdict))
	if a.Allowed || !strings.Contains(strings.Join(a.Reasons, "; "), why) {
		t.Errorf("before the proof: %+v, must be refused for %q", a, why)
	}
	if _, err := s.as(s.owner).Fail(s.ctx, ledger.Fail{Request: q.id, Reasons: a.Reasons}); err != nil {
		t.Error(err)
	}
	s.showsRequest(t, q, ledger.StatusFailed)
}

// proveHere proves something about the settled fleet, and verifies it as everybody can.
func (s *suite) proveHere(t *testing.T, q question) ([]byte, *verify.Verdict) {
	t.Helper()
	facts := must[ledger.FactsEntry](t)(s.as(s.owner).Facts(s.ctx, s.closed, s.over)).Facts
	source := func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) {
		return s.opened(t, s.closed, 0, s.over), nil
	}
	proven := must[*verify.Bundle](t)(zk.Prove(s.ctx, s.Keys, q.statement, &facts, source, nil))
	b := must[[]byte](t)(proven.Marshal())
	ring := must[*verify.Keyring](t)(verify.NewKeyring(must[[]verify.PublishedKey](t)(s.as(s.financier).Keys(s.ctx))))
	return b, must[*verify.Verdict](t)(verify.VerifyBundle(b, &facts, ring))
}

// opened is a chunk as its owner knows it.
func (s *suite) opened(t *testing.T, fleet string, chunk uint32, epoch uint64) *zk.Chunk {
	t.Helper()
	place := s.place(fleet, chunk, epoch)
	out := &zk.Chunk{Index: chunk, Records: make([]record.Record, place.Size), R: make([]fr.Element, place.Size)}
	for _, e := range s.active(t, fleet, chunk, epoch) {
		out.Records[e.Slot] = committest.Record(int(e.Slot))
		out.R[e.Slot] = place.At(e.Slot).Blinding(s.device(e.Enrolment.Device).Secret, out.Records[e.Slot].Pack())
	}
	return out
}
