package evidence_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// What the ledger has of a request, whatever became of it, verifies from the file alone.
func TestEvidenceIsSound(t *testing.T) {
	w := populated(t)
	withdrawn := w.Ask(nil)
	w.Done(w.Book(contracttest.Lender).Withdraw(t.Context(), withdrawn))
	open := w.Ask(nil)
	failed := w.Ask(nil)
	owner := w.Book(contracttest.Operator)
	w.Done(owner.Decide(t.Context(), ledger.Decide{Request: failed, Approve: true, Reasons: []string{}}))
	w.Done(owner.Fail(t.Context(), ledger.Fail{Request: failed, Reasons: []string{"the records are gone"}}))
	w.Done(owner.Revoke(t.Context(), ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"}))
	for id, want := range map[commit.Digest]struct {
		status ledger.Status
		shown  []string
	}{
		w.first:   {ledger.StatusVerified, []string{"request", "grant", "revocation", "policy", "decision", "proving", "facts", "proof"}},
		w.refused: {ledger.StatusRefused, []string{"request", "decision"}},
		withdrawn: {ledger.StatusWithdrawn, []string{"request", "withdrawal"}},
		open:      {ledger.StatusOpen, []string{"request"}},
		failed:    {ledger.StatusFailed, []string{"request", "grant", "policy", "decision", "failure"}},
	} {
		for _, org := range []string{contracttest.Operator, contracttest.Lender, contracttest.Regulator} {
			b, err := w.exporter(org).Evidence(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			e, err := evidence.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			r := evidence.Verify(e, evidence.Options{Blocks: w.blocks, Ledger: w.ID()})
			if !r.Sound || r.Status != want.status || r.ExportedBy != org || (r.Verdict != nil) != (want.status == ledger.StatusVerified) {
				t.Errorf("%s, by %s: %+v", want.status, org, r)
			}
			for _, subject := range want.shown {
				if !has(r, evidence.Shown, subject) {
					t.Errorf("%s: nothing is shown of %s: %v", want.status, subject, r.Lines)
				}
			}
		}
	}
}

func has(r *evidence.Report, kind evidence.Kind, subject string) bool {
	for _, l := range r.Lines {
		if l.Kind == kind && l.Subject == subject {
			return true
		}
	}
	return false
}

// A file of which any byte is another is not read.
func TestChangedByteIsFound(t *testing.T) {
	w := newWorld(t)
	b, err := w.exporter(contracttest.Regulator).Evidence(t.Context(), w.Refused("no"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Parse(b); err != nil {
		t.Fatal(err)
	}
	step := max(1, len(b)/700)
	for i := 0; i < len(b); i += step {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if _, err := evidence.Parse(changed); err == nil {
			t.Errorf("byte %d, %q, may be another", i, b[max(0, i-20):min(len(b), i+20)])
		}
	}
	for _, cut := range [][]byte{nil, b[:len(b)-1], append(bytes.Clone(b), '\n'), bytes.Repeat([]byte(","), 1<<21)} {
		if _, err := evidence.Parse(cut); err == nil {
			t.Errorf("%d of %d bytes are read", len(cut), len(b))
		}
	}
}

// Only an organisation of the genesis signs, under its own name.
func TestStrangersSignatureIsRefused(t *testing.T) {
	w := newWorld(t)
	e := w.collect(w.Refused("no"))
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Sign(contracttest.Operator, stranger, w.Now()); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("signed for an organisation: %v", err)
	}
	b, err := e.Marshal() // it keeps the signature
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Parse(b); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("a stranger's signature: %v", err)
	}
	if err := e.Sign("stranger", w.key(contracttest.Operator), w.Now()); err == nil || !strings.Contains(err.Error(), "exported_by") {
		t.Errorf("signed for nobody: %v", err)
	}
	if err := e.Sign(contracttest.Lender, w.key(contracttest.Operator), w.Now()); err == nil {
		t.Error("signed for another organisation")
	}
}

// An organisation that signs what it likes is found out by the blocks, the policy and the proof. Every forgery is signed properly.
func TestForgedEvidence(t *testing.T) {
	w := populated(t)
	other := w.collect(w.second)
	elsewhere := desktest.New(t)
	elsewhere.Refused("no")
	refusal := w.collect(w.refused)
	for name, test := range map[string]struct {
		forge         func(*evidence.Evidence)
		subject, text string
	}{
		"another request's proof": {func(e *evidence.Evidence) { e.Bundle = other.Bundle }, "proof", "other arguments"},
		"another request's proof and verdict": {func(e *evidence.Evidence) {
			e.Bundle, e.Request.Verdict = other.Bundle, other.Request.Verdict
			e.Transactions, e.Blocks = other.Transactions, other.Blocks
		}, "proof", "other arguments"},
		"a wrong verdict": {func(e *evidence.Evidence) {
			v := *e.Request.Verdict
			v.Holds, v.Verdict = !v.Holds, bytes.Replace(v.Verdict, []byte(`"holds":true`), []byte(`"holds":false`), 1)
			e.Request.Verdict = &v
		}, "proof", "not the one"},
		"a verdict without its block": {func(e *evidence.Evidence) { without(e, e.Request.Verdict.TxID) }, "proof", "no block"},
		"a policy text of another digest": {func(e *evidence.Evidence) {
			e.Policies[0].Text = append(bytes.Clone(e.Policies[0].Text), "// and more\n"...)
		}, "policy", "digest"},
		"a policy text that was never published": {func(e *evidence.Evidence) {
			p := &e.Policies[0]
			p.Text = append(bytes.Clone(p.Text), "// and more\n"...)
			p.Digest = sha256.Sum256(p.Text)
			e.Grant.Terms.Policy, e.Request.Decision.Policies = p.Digest.String(), []commit.Digest{p.Digest}
		}, "policy", "other arguments"},
		"a grant of another owner": {func(e *evidence.Evidence) { e.Grant.Owner = contracttest.Rival }, "grant", "is by rival"},
		"a grant with other terms": {func(e *evidence.Evidence) { e.Grant.Terms.MinimumCohort = 1 }, "grant", "other arguments"},
		"no grant":                 {func(e *evidence.Evidence) { e.Grant = nil }, "grant", "not here"},
		"no decision":              {func(e *evidence.Evidence) { e.Request.Decision = nil }, "decision", "no approval"},
		"a decision that cost less": {func(e *evidence.Evidence) {
			d := *e.Request.Decision
			d.Cost = "0"
			e.Request.Decision = &d
		}, "decision", "cost"},
		"a revocation that never was": {func(e *evidence.Evidence) {
			e.Revocation = &ledger.Revocation{Reason: "over", Time: w.Now().Unix(), TxID: strings.Repeat("0", 64)}
		}, "revocation", "no block"},
		"facts that differ": {func(e *evidence.Evidence) { e.Facts.Chunks[0].Attested-- }, "facts", "chunk 0"},
		"facts of another commitment, without the anchor": {func(e *evidence.Evidence) {
			g := w.Keys.SRS().G1(1)
			point := g.Bytes()
			e.Facts.Chunks[0].Commitment = point[:]
			without(e, e.Facts.Chunks[0].TxID)
		}, "proof", ""},
		"a block of another ledger": {func(e *evidence.Evidence) {
			block, err := elsewhere.Book(contracttest.Lender).Block(t.Context(), e.Blocks[0].Height)
			if err != nil {
				t.Fatal(err)
			}
			e.Blocks[0].Data = block
		}, "blocks", "seal"},
		"a block at another height":    {func(e *evidence.Evidence) { e.Blocks[0].Data, e.Blocks[1].Data = e.Blocks[1].Data, e.Blocks[0].Data }, "blocks", "is block"},
		"a block with another byte":    {func(e *evidence.Evidence) { e.Blocks[0].Data[len(e.Blocks[0].Data)/2] ^= 1 }, "blocks", ""},
		"blocks in another format":     {func(e *evidence.Evidence) { e.Format = "fabric-block/v3" }, "blocks", "cannot be read"},
		"a proof that was never begun": {func(e *evidence.Evidence) { e.Request.Proving = nil }, "proof", "begun is not here"},
		"another question": {func(e *evidence.Evidence) {
			e.Request.Request.Statement = bytes.Replace(e.Request.Request.Statement, []byte(`"a loan"`), []byte(`"a boat"`), 1)
		}, "request", "id"},
		"another requester":  {func(e *evidence.Evidence) { e.Request.Request.Requester = contracttest.Rival }, "request", "requester"},
		"a revoked key":      {func(e *evidence.Evidence) { withKeys(e, verify.StateRevoked) }, "proof", "revoked since"},
		"said to be refused": {func(e *evidence.Evidence) { e.Request.Status = ledger.StatusRefused }, "request", "is verified"},
		"a refusal with other reasons": {func(e *evidence.Evidence) {
			*e = *refusal
			d := *e.Request.Decision
			d.Reasons = []string{"because"}
			e.Request.Decision = &d
		}, "decision", "other arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			e := w.collect(w.first)
			test.forge(e)
			r := w.verify(e)
			if r.Sound {
				t.Fatalf("it is sound: %v", r.Lines)
			}
			faulty(t, r, test.subject, test.text)
		})
	}
}

// A key that was retired after the proof was recorded takes nothing from it.
func TestEvidenceUnderARetiredKey(t *testing.T) {
	w := populated(t)
	e := w.collect(w.first)
	withKeys(e, verify.StateRetired)
	r := w.verify(e)
	if !r.Sound {
		t.Fatalf("it is not sound: %v", r.Lines)
	}
	for _, k := range r.Verdict.Keys {
		if k.Status.State != verify.StateRetired {
			t.Errorf("the key of %s is %s", k.CircuitID, k.Status)
		}
	}
}

// withKeys are keys that are no longer active.
func withKeys(e *evidence.Evidence, state verify.KeyState) {
	e.Keys = slices.Clone(e.Keys)
	for i := range e.Keys {
		e.Keys[i].Status = verify.KeyStatus{State: state, Reason: "replaced", Time: e.Request.Verdict.Time}
	}
}

// without leaves out where a transaction is.
func without(e *evidence.Evidence, txID string) {
	e.Transactions = slices.DeleteFunc(e.Transactions, func(t evidence.Transaction) bool { return t.TxID == txID })
}

// Evidence of another ledger is not what was asked for, and without an id to compare with the report says so.
func TestEvidenceOfAnotherLedger(t *testing.T) {
	w := newWorld(t)
	e := w.collect(w.Refused("no"))
	faulty(t, evidence.Verify(w.read(e), evidence.Options{Blocks: w.blocks, Ledger: commit.Digest{1}}), "ledger", "not of")
	r := evidence.Verify(w.read(e), evidence.Options{Blocks: w.blocks})
	if !r.Sound || !has(r, evidence.Assumed, "ledger") {
		t.Errorf("%v", r.Lines)
	}
	e.Genesis.Name = "another"
	b, err := w.exporter(contracttest.Operator).Signed(e)
	if err == nil {
		_, err = evidence.Parse(b)
	}
	if err == nil || !strings.Contains(err.Error(), "genesis") {
		t.Errorf("another genesis: %v", err)
	}
}

// What is exported comes back as it was.
func TestRoundTrip(t *testing.T) {
	w := newWorld(t)
	w.Permit(contracttest.PermissivePolicy(), func(terms *policy.Terms) { terms.Answers = 3 })
	e := w.collect(w.Answered(nil))
	again := w.read(e)
	if diff := cmp.Diff(string(ledger.Encode(e)), string(ledger.Encode(again))); diff != "" {
		t.Error(diff)
	}
	if r := w.verify(e); !has(r, evidence.Shown, "grant") || !strings.Contains(joined(r), "answer 1 of 3") {
		t.Errorf("%v", r.Lines)
	}
}

func joined(r *evidence.Report) string {
	var b strings.Builder
	for _, l := range r.Lines {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}
