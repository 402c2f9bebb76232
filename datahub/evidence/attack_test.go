package evidence_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
)

// What is signed is what a file says, not its bytes: one that says it in another way, or twice, is not read, though its signature verifies.
func TestOneFormOnly(t *testing.T) {
	w := newWorld(t)
	b, err := w.exporter(contracttest.Operator).Evidence(t.Context(), w.Refused("no"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a field twice":             {`"status": "refused"`, `"status": "verified",` + "\n  " + `"status": "refused"`},
		"a field in another case":   {`"policies"`, `"Policies"`},
		"another case and the same": {` "policies": [],`, ` "Policies": [],` + "\n" + ` "policies": [],`},
		"a field of its own":        {` "policies": [],`, ` "policies": [],` + "\n" + ` "approved": true,`},
		"a field of its own, deep":  {`"approved": false`, `"approved": false, "really": true`},
		"another spelling":          {`"refused"`, `"\u0072efused"`},
		"other white space":         {`"policies": []`, `"policies":  []`},
		"other line ends":           {",\n", ",\r\n"},
		"another order":             {` "keys": [],` + "\n" + ` "height"`, ` "height"`},
		"a null list":               {`"policies": []`, `"policies": null`},
		"a number with a fraction":  {`"exported_at": `, `"exported_at": 0.`},
		"a block with a line break": {`"data": "`, `"data": "\n`},
		"a block of another base64": {`="`, `"`},
	} {
		changed := bytes.Replace(b, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, b) {
			t.Errorf("%s: the file has no %q", name, change[0])
		}
		if _, err := evidence.Parse(changed); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	for name, changed := range map[string][]byte{
		"something behind it": append(bytes.Clone(b), `{}`...), "a mark before it": append([]byte("\xef\xbb\xbf"), b...), "half of it": b[:len(b)/2], "deep nesting": bytes.Repeat([]byte("["), 1<<20),
	} {
		if _, err := evidence.Parse(changed); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// The signature is Verify's business as well, for whoever came by evidence in another way than by Parse.
func TestVerifyLooksAtTheSignature(t *testing.T) {
	w := newWorld(t)
	e := w.read(w.collect(w.Refused("no")))
	for name, forge := range map[string]func(*evidence.Evidence){
		"another exporter":       func(e *evidence.Evidence) { e.ExportedBy = contracttest.Regulator },
		"a stranger":             func(e *evidence.Evidence) { e.ExportedBy = "stranger" },
		"another height":         func(e *evidence.Evidence) { e.Height++ },
		"no signature":           func(e *evidence.Evidence) { e.Signature = nil },
		"a stranger's signature": func(e *evidence.Evidence) { e.Signature = strangers(t, e) },
	} {
		forged := *e
		forge(&forged)
		t.Run(name, func(t *testing.T) {
			faulty(t, evidence.Verify(&forged, evidence.Options{Blocks: w.blocks, Ledger: w.ID()}), "file", "")
		})
	}
}

func strangers(t *testing.T, e *evidence.Evidence) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.SigningBytes()
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.Sign(key, b)
}

// An owner that leaves out what followed shows that something was recorded, and the report says whose word it is that it was all.
func TestWhatIsLeftOutIsSomebodysWord(t *testing.T) {
	w := populated(t)
	w.Done(w.Book(contracttest.Operator).Revoke(t.Context(), ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"}))
	for name, test := range map[string]struct {
		leave func(*evidence.Evidence)
		text  string
	}{
		"the proof": {func(e *evidence.Evidence) {
			without(e, e.Request.Verdict.TxID)
			e.Request.Verdict, e.Request.Status, e.Bundle, e.Facts, e.Keys = nil, ledger.StatusProving, nil, nil, e.Keys[:0]
		}, "that it is proving and nothing followed, an answer for one: operator says so"},
		"the revocation": {func(e *evidence.Evidence) {
			without(e, e.Revocation.TxID)
			e.Revocation = nil
		}, "that nothing else concerns it, such as a revocation of the grant or a regulator's alert: operator says so"},
	} {
		e := w.collect(w.first)
		test.leave(e)
		r := w.verify(e)
		if !strings.Contains(joined(r), fmt.Sprintf("%-8s %-10s %s", evidence.Assumed, "request", test.text)) {
			t.Errorf("%s is left out: %v", name, r.Lines)
		}
	}
}

// A request is expired when its time is over, not when its owner says so.
func TestExpiredBeforeItsTime(t *testing.T) {
	w := newWorld(t)
	id := w.Ask(func(s *statement.Statement) { s.Expiry = w.Now().Add(time.Hour).UTC() })
	e := w.collect(id)
	e.Request.Status = ledger.StatusExpired
	faulty(t, w.verify(e), "request", "said to be expired")
	w.Pass(2 * time.Hour)
	e = w.collect(id)
	if r := w.verify(e); !r.Sound || r.Status != ledger.StatusExpired || !has(r, evidence.Assumed, "request") {
		t.Errorf("%+v", r)
	}
}

// What another consortium of the same name and members has on its ledger is worth nothing on this one, even with this ledger's genesis around it.
func TestAnotherLedgersAnswer(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	e := other.collect(other.Answered(nil))
	e.Ledger, e.Genesis = w.ID(), *w.Genesis()
	r := w.verify(e)
	if r.Sound {
		t.Fatalf("it is sound: %v", r.Lines)
	}
	faulty(t, r, "request", "id")
	faulty(t, r, "blocks", "seal")
	faulty(t, r, "facts", "are of ledger")
}
