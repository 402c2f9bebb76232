package review

import (
	"bytes"
	"context"
	"crypto/sha256"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// forger is a ledger of which somebody changed what it gives.
type forger struct {
	ledger.Client
	// query changes the results of queries by function.
	query    map[string]func(args, result []byte) ([]byte, error)
	recorded func(txID string, r ledger.Recorded) ledger.Recorded
	block    func(height uint64, b []byte) []byte
	event    func(ledger.Event) ledger.Event
}

func (f *forger) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	result, err := f.Client.Evaluate(ctx, function, args)
	if forge := f.query[function]; forge != nil && err == nil {
		return forge(args, result)
	}
	return result, err
}

func (f *forger) Recorded(ctx context.Context, txID string) (ledger.Recorded, error) {
	r, err := f.Client.Recorded(ctx, txID)
	if f.recorded != nil && err == nil {
		r = f.recorded(txID, r)
	}
	return r, err
}

func (f *forger) Block(ctx context.Context, height uint64) ([]byte, error) {
	b, err := f.Client.Block(ctx, height)
	if f.block != nil && err == nil {
		b = f.block(height, b)
	}
	return b, err
}

func (f *forger) Events(ctx context.Context, from, to uint64) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for e, err := range f.Client.Events(ctx, from, to) {
			if f.event != nil && err == nil {
				e = f.event(e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// replacing changes a query's result of one request as text.
func replacing(of commit.Digest, from, to string) func(args, result []byte) ([]byte, error) {
	return func(args, result []byte) ([]byte, error) {
		if of.IsZero() || bytes.Contains(args, []byte(of.String())) {
			result = bytes.Replace(result, []byte(from), []byte(to), 1)
		}
		return result, nil
	}
}

// A regulator's node that is fed a forged export of the ledger, of whatever kind, raises an alert, and keeps what it was fed.
func TestForgedLedgerRaisesAnAlert(t *testing.T) {
	w, first, second := populated(t)
	w.Answered(desktest.Healthiest(30))
	book := w.Book(contracttest.Regulator)
	verdict := w.Entry(second).Verdict.TxID
	for name, test := range map[string]struct {
		forger
		text string
	}{
		"wrong verdict recorded": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryRequest: replacing(first, `"holds":true,"verdict"`, `"holds":false,"verdict"`),
		}}, "proof"},
		"bundle swapped": {forger{recorded: func(txID string, r ledger.Recorded) ledger.Recorded {
			if other, err := book.Recorded(t.Context(), verdict); err == nil && r.Call.Function == ledger.FnSubmitProof {
				return other
			}
			return r
		}}, "proof"},
		"decision without grant": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryGrant: func([]byte, []byte) ([]byte, error) { return nil, ledger.Refuse(ledger.NotFound, "there is none") },
		}}, "grant"},
		"grant with other terms": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryGrant: replacing(commit.Digest{}, `"minimum_cohort":10`, `"minimum_cohort":1`),
		}}, "grant"},
		"facts that differ": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryFacts: func(_, result []byte) ([]byte, error) {
				return bytes.ReplaceAll(result, []byte(`"attested":40`), []byte(`"attested":39`)), nil
			},
		}}, "facts"},
		"no approval": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryRequest: replacing(first, `"approved":true`, `"approved":false`),
		}}, "decision"},
		"keys that are not pinned": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryKeys: func([]byte, []byte) ([]byte, error) { return []byte("[]"), nil },
		}}, "proof"},
		"another policy": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryPolicy: func(_, result []byte) ([]byte, error) {
				p, err := ledger.Decode[ledger.PolicyRecord](ledger.QueryPolicy, result, ledger.MaxRecord)
				if err != nil {
					return nil, err
				}
				p.Text = []byte(`@id("anything") permit (principal, action, resource); // but`)
				return ledger.Encode(p), nil
			},
		}}, "policy"},
		"another answer's count": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryRequest: replacing(second, `"value":"20"`, `"value":"25"`),
		}}, "difference"},
		"block swapped": {forger{block: func(uint64, []byte) []byte {
			b, err := book.Block(t.Context(), 1)
			if err != nil {
				t.Error(err)
			}
			return b
		}}, "blocks"},
		"block without endorsements that count": {forger{block: func(_ uint64, b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(contracttest.Regulator), []byte("legislato"))
		}}, "blocks"},
		"what is no record": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryRequest: func([]byte, []byte) ([]byte, error) { return []byte("{}"), nil },
		}}, "request"},
		"what cannot be read": {forger{query: map[string]func(args, result []byte) ([]byte, error){
			ledger.QueryRequest: func([]byte, []byte) ([]byte, error) { return []byte("nonsense"), nil },
		}}, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			w.Pass(time.Second) // alerts are in the order of their times
			before := alerts(w)
			test.Client = book.Client
			dir := t.TempDir()
			run(w, reviewer(w, contracttest.Regulator, &test.forger, filepath.Join(dir, "cursor"), nil))
			raised := alerts(w)[len(before):]
			if len(raised) == 0 {
				t.Fatal("no alert was raised")
			}
			if !strings.Contains(joined(raised), test.text) {
				t.Errorf("alerts say nothing of %q: %s", test.text, joined(raised))
			}
			shown(t, dir, raised)
			again := len(alerts(w))
			if run(w, reviewer(w, contracttest.Regulator, &test.forger, filepath.Join(dir, "another"), nil)); len(alerts(w)) != again {
				t.Error("alerts are raised again after a restart without a position")
			}
		})
	}
}

// shown wants the evidence behind every digest that an alert names to be kept, but where there was none.
func shown(t *testing.T, dir string, raised []ledger.AlertRecord) {
	t.Helper()
	kept := map[commit.Digest]bool{}
	paths, err := filepath.Glob(filepath.Join(dir, "kept", "*.evidence.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.Parse(b); err != nil {
			t.Error(err)
		}
		kept[sha256.Sum256(b)] = true
	}
	for _, a := range raised {
		if !kept[a.Digest] && a.Digest != commit.Digest(sha256.Sum256([]byte(a.Text))) {
			t.Errorf("what the alert %q is about is not kept", a.Text)
		}
	}
}

func joined(list []ledger.AlertRecord) string {
	var texts []string
	for _, a := range list {
		texts = append(texts, a.Text)
	}
	return strings.Join(texts, "\n")
}

// An event of a verdict that is none, and of a request that there is none of.
func TestForgedEvents(t *testing.T) {
	w, first, _ := populated(t)
	refused := w.Refused("no")
	f := &forger{Client: w.Book(contracttest.Regulator).Client, event: func(e ledger.Event) ledger.Event {
		if e.Name == ledger.EventDecided && e.Payload.Request != nil && *e.Payload.Request == refused {
			e.Name = ledger.EventVerified
		}
		if e.Name == ledger.EventVerified && *e.Payload.Request == first {
			e.Payload.Request = &commit.Digest{1}
		}
		return e
	}}
	run(w, reviewer(w, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil))
	got := alerts(w)
	if len(got) != 1 || got[0].Request != refused || !strings.Contains(got[0].Text, "tells of a verdict") {
		t.Errorf("alerts: %+v", got)
	}
}
