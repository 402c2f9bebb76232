package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// asked is a world in which the lender asks about epoch 11 of fleet-a, until noon of epoch 14. It is the first hour of epoch 12.
func asked(t *testing.T) (*world, *statement.Statement) {
	w, _ := anchorable(t)
	return w, contracttest.Statement(fleetID, 11, 1, w.genesis.EpochStart(14).Add(12*time.Hour))
}

func (w *world) ask(s *statement.Statement) commit.Digest {
	w.t.Helper()
	w.must(lender, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()})
	return s.Digest(w.id)
}

func (w *world) status(id commit.Digest) ledger.Status {
	w.t.Helper()
	return query[ledger.RequestEntry](w, ledger.QueryRequest, ledger.RequestRef{Request: id}).Status
}

func TestRequest(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	e := query[ledger.RequestsPage](w, ledger.QueryRequests, ledger.RequestsQuery{}).Entries
	if len(e) != 1 || e[0].ID != id || e[0].Status != ledger.StatusOpen || e[0].Request.Owner != operator || e[0].Request.Requester != lender {
		t.Errorf("requests are %+v", e)
	}
	w.at(14, 12*time.Hour)
	if got := w.status(id); got != ledger.StatusExpired {
		t.Errorf("an old request is %s", got)
	}
}

func TestRequestRefusals(t *testing.T) {
	w, s := asked(t)
	change := func(f func(*statement.Statement)) ledger.Ask {
		c := *s
		f(&c)
		return ledger.Ask{Statement: c.Canonical()}
	}
	good := ledger.Ask{Statement: s.Canonical()}
	for _, org := range []string{operator, rival} {
		w.refused(ledger.Forbidden, org, org, ledger.FnRequest, good)
	}
	w.refused(ledger.Forbidden, "neither a financier nor a regulator", rival, ledger.FnRequest, change(func(s *statement.Statement) { s.Requester = rival }))
	w.refused(ledger.Forbidden, "requester", regulator, ledger.FnRequest, good)
	w.refused(ledger.Invalid, "canonical", lender, ledger.FnRequest, ledger.Ask{Statement: append(s.Canonical(), '\n')})
	w.refused(ledger.Invalid, "statement", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Purpose = "" }))
	w.refused(ledger.NotFound, "fleet-x", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Fleet = "fleet-x" }))
	w.refused(ledger.Invalid, "fleet", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Fleet = "fleet-a/" }))
	w.refused(ledger.Invalid, "schema", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Schema = "charger/v1" }))
	w.refused(ledger.Invalid, "epoch 12 is not over", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Epoch = 12 }))
	w.refused(ledger.Invalid, "is not over", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Epoch = 1 << 62 }))
	w.refused(ledger.Expired, "expired", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Expiry = w.now }))
	w.must(lender, ledger.FnRequest, good)
	w.refused(ledger.Conflict, "nonce", lender, ledger.FnRequest, good)
	w.refused(ledger.Conflict, "nonce", lender, ledger.FnRequest, change(func(s *statement.Statement) { s.Purpose = "another loan" }))
	w.grants("supervision", func(t *policy.Terms) { t.Grantee = regulator })
	w.must(regulator, ledger.FnRequest, change(func(s *statement.Statement) { s.Requester, s.Grant = regulator, "supervision" }))
}

func TestDecide(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	yes := ledger.Decide{Request: id, Approve: true}
	w.refused(ledger.Forbidden, "fleet of operator", rival, ledger.FnDecide, yes)
	for _, org := range []string{lender, regulator} {
		w.refused(ledger.Forbidden, "role of owner", org, ledger.FnDecide, yes)
	}
	w.refused(ledger.NotFound, "not known", operator, ledger.FnDecide, ledger.Decide{Approve: true})
	w.refused(ledger.Invalid, "reasons", operator, ledger.FnDecide, ledger.Decide{Request: id})
	w.refused(ledger.Invalid, "reason", operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true, Reasons: []string{""}})
	w.must(operator, ledger.FnDecide, yes)
	w.refused(ledger.Conflict, "is decided", operator, ledger.FnDecide, ledger.Decide{Request: id, Reasons: []string{"no more"}})
	if got := w.status(id); got != ledger.StatusApproved {
		t.Errorf("an approved request is %s", got)
	}
}

func TestDecideComesTooLate(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	w.at(14, 12*time.Hour)
	w.refused(ledger.Expired, "expired", operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true})
}

// The requester's own peer may have seen the answer before it is recorded.
func TestAnApprovedRequestIsNotWithdrawn(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true})
	w.refused(ledger.Conflict, "is approved", lender, ledger.FnWithdraw, ledger.RequestRef{Request: id})
}

func TestWithdraw(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	for _, org := range []string{operator, regulator} {
		w.refused(ledger.Forbidden, "is by lender", org, ledger.FnWithdraw, ledger.RequestRef{Request: id})
	}
	w.must(lender, ledger.FnWithdraw, ledger.RequestRef{Request: id})
	w.refused(ledger.Conflict, "withdrawn", lender, ledger.FnWithdraw, ledger.RequestRef{Request: id})
	w.refused(ledger.Conflict, "withdrawn", operator, ledger.FnSubmitProof, ledger.SubmitProof{Request: id})
	if got := w.status(id); got != ledger.StatusWithdrawn {
		t.Errorf("a withdrawn request is %s", got)
	}
}

// bundle is well-formed and proves nothing.
func bundle(t *testing.T, s *statement.Statement) []byte {
	t.Helper()
	b, err := (&verify.Bundle{Statement: s}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSubmitProofRefusals(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	submit := func(b []byte) ledger.SubmitProof { return ledger.SubmitProof{Request: id, Bundle: b} }
	b := bundle(t, s)
	w.refused(ledger.NotFound, "not known", operator, ledger.FnSubmitProof, ledger.SubmitProof{Bundle: b})
	w.refused(ledger.Conflict, "not approved", operator, ledger.FnSubmitProof, submit(b))
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true})
	w.refused(ledger.Forbidden, "fleet of operator", rival, ledger.FnSubmitProof, submit(b))
	for _, org := range []string{lender, regulator} {
		w.refused(ledger.Forbidden, "role of owner", org, ledger.FnSubmitProof, submit(b))
	}
	w.refused(ledger.Invalid, "bundle", operator, ledger.FnSubmitProof, submit([]byte("bundle")))
	w.refused(ledger.Invalid, "bundle", operator, ledger.FnSubmitProof, submit(nil))
	other := *s
	other.MinimumCoverage = "0"
	w.refused(ledger.Invalid, "not request", operator, ledger.FnSubmitProof, submit(bundle(t, &other)))
	w.begins(id)
	w.refused(ledger.Expired, "may still anchor", operator, ledger.FnSubmitProof, submit(b))
	w.at(13, 0) // past the window: nothing was anchored
	w.refused(ledger.Invalid, "12", operator, ledger.FnSubmitProof, submit(b))
	w.at(14, 12*time.Hour)
	w.refused(ledger.Expired, "expired", operator, ledger.FnSubmitProof, submit(b))
	if got := w.status(id); got != ledger.StatusExpired {
		t.Errorf("after refusals the request is %s", got)
	}
}

func TestVerifiedRequestIsClosed(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true})
	verdict := w.state.Begin()
	if err := verdict.Put(ledger.VerdictKey(id), ledger.Encode(ledger.ProofVerdict{Verdict: []byte("{}")})); err != nil {
		t.Fatal(err)
	}
	verdict.Commit()
	w.at(13, 0)
	w.refused(ledger.Conflict, "is verified", operator, ledger.FnSubmitProof, ledger.SubmitProof{Request: id, Bundle: bundle(t, s)})
	w.refused(ledger.Conflict, "is verified", lender, ledger.FnWithdraw, ledger.RequestRef{Request: id})
	w.at(14, 12*time.Hour)
	if got := w.status(id); got != ledger.StatusVerified {
		t.Errorf("a verified request is %s", got)
	}
}

func TestRefusedRequestIsNotProven(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Reasons: []string{"no grant"}})
	w.refused(ledger.Conflict, "not approved", operator, ledger.FnSubmitProof, ledger.SubmitProof{Request: id, Bundle: bundle(t, s)})
	if got := w.status(id); got != ledger.StatusRefused {
		t.Errorf("a refused request is %s", got)
	}
}

// A proof is verified with the ledger's keys: without a pinned one none is accepted, whatever the caller brings.
func TestProofNeedsPinnedKeys(t *testing.T) {
	w, d := anchorable(t)
	w.anchor(11, w.attested(11, 0, d))
	s := contracttest.Statement(fleetID, 11, 1, w.genesis.EpochStart(14))
	id := w.ask(s)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true})
	w.begins(id)
	w.refused(ledger.Invalid, "bundle proves 0 chunks, the ledger anchors 1", operator, ledger.FnSubmitProof, ledger.SubmitProof{Request: id, Bundle: bundle(t, s)})
}

// Lists for exports read no verdict, however long verdicts are.
func TestAskedReadsNoVerdicts(t *testing.T) {
	w := settled(t)
	open, _ := w.asks(nil)
	verified, _ := w.approved(nil)
	state := w.state.Begin()
	for key, record := range map[string]any{
		ledger.VerdictKey(verified): ledger.ProofVerdict{Verdict: []byte("{}")}, ledger.AnsweredKey(fleetID, 11, verified): ledger.Answered{Started: true, Verified: true},
	} {
		if err := state.Put(key, ledger.Encode(record)); err != nil {
			t.Fatal(err)
		}
	}
	state.Commit()
	state = w.state.Begin()
	b, err := contract.Query(w.environment(), w.tx(lender), state, ledger.QueryAsked, ledger.Encode(ledger.EpochRef{Fleet: fleetID, Epoch: 11}))
	if err != nil {
		t.Fatal(err)
	}
	list, err := ledger.Decode[[]ledger.TrustRequest](ledger.QueryAsked, b, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	got := map[commit.Digest]ledger.Status{}
	for _, r := range *list {
		got[r.ID] = r.Status
	}
	if got[open] != ledger.StatusOpen || got[verified] != ledger.StatusVerified || len(got) != 2 {
		t.Errorf("listed are %+v", *list)
	}
	if state.Reads[ledger.VerdictKey(verified)] {
		t.Error("a verdict is read")
	}
}
