package review

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// A peer that answers while the contract beside it is away, for an upgrade say, is no reason for an alert.
func TestContractThatIsAwayIsNoDisagreement(t *testing.T) {
	w, _, _ := populated(t)
	f := &absent{Client: w.Book(contracttest.Regulator).Client, contractAlone: true}
	f.left.Store(12)
	run(w, reviewer(w, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), func(o *Options) { o.Attempts = 2 }))
	if got := alerts(w); len(got) != 0 || f.left.Load() > 0 {
		t.Errorf("%d left, alerts: %+v", f.left.Load(), got)
	}
}

// behind is a peer that tells of what it does not show yet, so many times.
func behind(left int64, old func(*ledger.RequestEntry)) func(args, result []byte) ([]byte, error) {
	var n atomic.Int64
	n.Store(left)
	return func(_, result []byte) ([]byte, error) {
		e, err := ledger.Decode[ledger.RequestEntry](ledger.QueryRequest, result, ledger.MaxRecord)
		if err != nil || n.Add(-1) < 0 {
			return result, err
		}
		if old == nil {
			return nil, ledger.Refuse(ledger.NotFound, "request %s is not known", e.ID)
		}
		old(e)
		return ledger.Encode(e), nil
	}
}

// What a peer tells of and does not show yet is waited for; if it never shows it, that is a disagreement, of an approval no less than of a verdict.
func TestPeerThatIsBehind(t *testing.T) {
	w, _, _ := populated(t)
	for name, test := range map[string]struct {
		old  func(*ledger.RequestEntry)
		text string
	}{
		"without the verdict": {func(e *ledger.RequestEntry) { e.Status, e.Verdict = ledger.StatusProving, nil }, "tells of a verdict"},
		"without a decision": {func(e *ledger.RequestEntry) {
			e.Status, e.Decision, e.Proving, e.Verdict = ledger.StatusOpen, nil, nil, nil
		}, "tells of an approval"},
		"without the request": {nil, "does not have it"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(alerts(w))
			again := func(left int64) string {
				f := &forger{Client: w.Book(contracttest.Regulator).Client, query: map[string]func(args, result []byte) ([]byte, error){ledger.QueryRequest: behind(left, test.old)}}
				run(w, reviewer(w, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil))
				return joined(alerts(w)[before:])
			}
			if got := again(2); got != "" {
				t.Errorf("it caught up, and an alert was raised: %s", got)
			}
			w.Pass(time.Second)
			if got := again(1 << 20); !strings.Contains(got, test.text) {
				t.Errorf("alerts say nothing of %q: %s", test.text, got)
			}
		})
	}
}

// What makes the review panic is a disagreement, and what comes behind it is reviewed.
func TestPanicIsADisagreement(t *testing.T) {
	w, first, second := populated(t)
	c := &counting{Client: w.Book(contracttest.Regulator).Client}
	f := &forger{Client: c, query: map[string]func(args, result []byte) ([]byte, error){
		ledger.QueryRequest: func(args, result []byte) ([]byte, error) {
			if strings.Contains(string(args), first.String()) {
				panic("nobody thought of that")
			}
			return result, nil
		},
	}}
	run(w, reviewer(w, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil))
	got := alerts(w)
	if len(got) == 0 || c.read.Load() == 0 {
		t.Fatalf("%d read, alerts: %+v", c.read.Load(), got)
	}
	for _, a := range got { // the second answer is held against the first as well, which cannot be read
		if a.Request != first && a.Request != second || !strings.Contains(a.Text, "nobody thought of that") {
			t.Errorf("alert %+v", a)
		}
	}
}

// unwilling takes no alert for a while.
type unwilling struct {
	forger
	left   atomic.Int64
	no     error
	before func()
}

func (u *unwilling) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	if c.Function == ledger.FnAlert && u.left.Add(-1) >= 0 {
		u.before()
		return ledger.Receipt{}, u.no
	}
	return u.Client.Submit(ctx, c)
}

// An alert that is not taken is raised later, whatever was in the way, and its evidence is kept once.
func TestAlertIsRaisedLater(t *testing.T) {
	w := desktest.New(t)
	for name, test := range map[string]struct {
		no    error
		times int64
	}{
		"the certificate is not accepted":     {ledger.Refuse(ledger.Forbidden, "a peer does not accept the caller's certificate"), 5},
		"not enough endorse":                  {ledger.Refuse(ledger.NotEndorsed, "a peer is away"), 5},
		"the ledger is away":                  {errAway, 5},
		"the peers found it invalid, for now": {ledger.Refuse(ledger.Invalid, "EXPIRED_CHAINCODE"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.Answered(nil)
			before := len(alerts(w))
			u := &unwilling{no: test.no, before: func() { w.Pass(time.Second) }, forger: forger{Client: w.Book(contracttest.Regulator).Client, query: map[string]func(args, result []byte) ([]byte, error){
				ledger.QueryRequest: replacing(id, `"holds":true,"verdict"`, `"holds":false,"verdict"`),
			}}}
			u.left.Store(test.times)
			dir := t.TempDir()
			run(w, reviewer(w, contracttest.Regulator, u, filepath.Join(dir, "cursor"), nil))
			raised := alerts(w)[before:]
			if len(raised) != 1 || u.left.Load() > 0 {
				t.Errorf("%d left, alerts: %+v", u.left.Load(), raised)
			}
			shown(t, dir, raised)
			if kept, err := os.ReadDir(filepath.Join(dir, "kept")); err != nil || len(kept) != 1 {
				t.Errorf("%d files are kept, %v", len(kept), err)
			}
		})
	}
}

// Without alerts the kept file is all there is: it is tried until it is there.
func TestSilentReviewKeepsUntilItCan(t *testing.T) {
	w, first, _ := populated(t)
	f := &forger{Client: w.Book(contracttest.Lender).Client, query: map[string]func(args, result []byte) ([]byte, error){
		ledger.QueryRequest: replacing(first, `"holds":true,"verdict"`, `"holds":false,"verdict"`),
	}}
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil { // in the folder's place
		t.Fatal(err)
	}
	r := reviewer(w, contracttest.Lender, f, filepath.Join(dir, "cursor"), nil)
	found, err := r.Review(t.Context(), first)
	if err != nil || len(found.Faults) == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	d := &disagreement{Found: found, text: "it differs"}
	if _, err := r.tell(t.Context(), d); err == nil {
		t.Error("nothing was kept, and that was all")
	}
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if _, err := r.tell(t.Context(), d); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(kept); err != nil || len(files) != 1 {
		t.Errorf("%d files are kept, %v", len(files), err)
	}
}
