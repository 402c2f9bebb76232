package party_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
)

// futile is what the lender's node says, each time that it looks, of a query that no further session can answer.
const futile = "no session of a query is begun"

// stopAt ends a node when the ledger has its entry of a round.
func stopAt(w *partytest.World, org string, round ledger.Round) {
	w.SetFault(func(c partytest.Call) partytest.Fault {
		if p, err := ledger.Decode[ledger.Post]("post", c.Call.Args, ledger.MaxArgsOf(ledger.FnPost)); c.Call.Function == ledger.FnPost && err == nil && c.By == org && p.Round == round {
			return partytest.KillAfter
		}
		return partytest.NoFault
	})
}

// TestTrapRestoredFolder puts a folder back that is from before the owner spoke in a session: the node refuses it for good, and takes part in the next.
func TestTrapRestoredFolder(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.East)
	backup := w.Backup(partytest.East)
	stopAt(w, partytest.East, ledger.RoundReady)
	w.Start(partytest.North, partytest.South, partytest.Lender, partytest.Regulator)
	id := w.Ask(nil)
	w.Until("east to be gone", func() bool { return w.Killed(partytest.East) })
	w.SetFault(nil)
	w.Kill(partytest.East)
	w.Restore(partytest.East, backup)
	w.Start(partytest.East)
	first := w.Entry(id).Sessions[0].ID
	w.Until("east to refuse", func() bool {
		s, ok := w.Node(partytest.East).State(first)
		return ok && s.Phase == "refused" && strings.Contains(s.Reason, "restored backup")
	})
	given := recorded(w, id, 0, partytest.Lender, ledger.RoundAbort)
	w.Until("the lender to give up", func() bool { w.Pass(2 * time.Second); return given() }) // others may still be on their way, and are waited for
	w.Pass(2 * time.Minute)
	a := answered(w, id)
	wantTruth(w, a, partytest.Owners()...)
	if s := w.Session(id, 0); a.Session == first || s.Entry(partytest.East, ledger.RoundInput) != nil {
		t.Errorf("the answer is of %s, east said %v", a.Session, s.Entry(partytest.East, ledger.RoundInput))
	}
}

// TestTrapRestoredPart puts a folder back from before the owner's noised part was made, which the ledger has a commitment to: no other is drawn.
func TestTrapRestoredPart(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.East)
	backup := w.Backup(partytest.East)
	stopAt(w, partytest.East, ledger.RoundInput)
	read := counted(w, partytest.North, partytest.South, partytest.Regulator)
	heard := startHeard(w, partytest.Lender)
	id := w.Ask(noised)
	w.Until("east to be gone", func() bool { return w.Killed(partytest.East) })
	w.SetFault(nil)
	w.Kill(partytest.East)
	w.Restore(partytest.East, backup)
	read.start(partytest.East)
	w.Until("the inputs to be closed", recorded(w, id, 0, partytest.Lender, ledger.RoundClose))
	w.Pass(2 * time.Minute)
	w.Until("the lender to give up", recorded(w, id, 0, partytest.Lender, ledger.RoundAbort))
	w.Pass(2 * time.Minute)
	w.Until("east to decline", func() bool {
		return recorded(w, id, 1, partytest.East, ledger.RoundInput)() && entryOf(w, id, 1, partytest.East).Declined()
	})
	if n := read.all()[partytest.East]; n != 0 {
		t.Errorf("east read its records %d times after the restoration", n)
	}
	w.Until("the lender to end it", func() bool { s := w.Session(id, 1); return s.Status == ledger.SessionAborted })
	w.Pass(10 * time.Minute)
	said := heard.says(futile)
	w.Until("the lender to see that it is futile", func() bool { return heard.says(futile) > said+1 })
	if e := w.Entry(id); len(e.Sessions) != 2 || e.Status != ledger.QueryApproved {
		t.Errorf("%d sessions began, the query is %s: no session can answer it", len(e.Sessions), e.Status)
	}
}

// TestHeldBack has a session begin whose time for inputs is nearly over when the nodes see it: they end it, and the lender begins another.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.Owners()...)
	id := w.Ask(nil)
	wantStatus(w, id, ledger.QueryApproved)
	w.Kill(partytest.Owners()...)
	_, receipt, err := w.Book(partytest.Lender).Begin(t.Context(), id)
	w.Done(receipt, err)
	w.Pass(6 * time.Minute)
	w.Start()
	w.Until("the session to be ended", func() bool { s := w.Session(id, 0); return s.Status == ledger.SessionAborted })
	w.Pass(2 * time.Minute)
	wantTruth(w, answered(w, id), partytest.Owners()...)
	if e := w.Entry(id); len(e.Sessions) != 2 {
		t.Errorf("%d sessions began", len(e.Sessions))
	}
	s := w.Session(id, 0)
	for _, e := range s.Entries {
		if e.Round == ledger.RoundAbort && e.Party == partytest.Lender && string(e.Detail) != "declined" {
			t.Errorf("%s ended it: %s", e.Party, e.Detail)
		}
	}
}

// TestTooFewBatteries is found out by one owner, once: it declines, and no further session is begun as none can be answered.
func TestTooFewBatteries(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.East, partytest.North, partytest.South, partytest.Regulator)
	heard := startHeard(w, partytest.Lender)
	id := w.Ask(func(q *ledger.Query) { // east has 39, of which 9 are in the cohort
		q.MinimumCohort, q.Cohort = 35, []statement.Range{{Lane: "state_of_health", Max: "94.70"}}
	})
	w.Until("the session to be ended", func() bool { return len(w.Entry(id).Sessions) > 0 && w.Session(id, 0).Status == ledger.SessionAborted })
	if e := entryOf(w, id, 0, partytest.East); e == nil || !e.Declined() {
		t.Errorf("east said %v", e)
	}
	w.Pass(10 * time.Minute)
	said := heard.says(futile)
	w.Until("the lender to see that it is futile", func() bool { return heard.says(futile) > said+1 })
	if e := w.Entry(id); len(e.Sessions) != 1 {
		t.Errorf("%d sessions began", len(e.Sessions))
	}
}

// TestNothingIsLeft of a query that expired, but what its requester learned.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start()
	id := w.Ask(nil)
	answered(w, id)
	w.Pass(25 * time.Hour)
	for _, org := range partytest.Members() {
		want := 0
		if org == partytest.Lender {
			want = 1
		}
		w.Until(org+" to destroy what it has", func() bool { return len(content(t, w.Home(org))) == want })
	}
	if got := content(t, w.Home(partytest.Lender)); len(got) != 1 || filepath.Base(got[0]) != "result" {
		t.Errorf("the lender has %v", got)
	}
	for org := range map[string]bool{partytest.Lender: true, partytest.East: true} {
		w.Until(org+" to be done", func() bool { _, ok := w.Node(org).State(w.Entry(id).Sessions[0].ID); return !ok })
		w.Kill(org)
		w.Start(org)
	}
	wantTruth(w, answered(w, id), partytest.Owners()...)
	if _, err := w.Node(partytest.East).Result(t.Context(), id); !errors.Is(err, party.ErrNoResult) {
		t.Errorf("east has a result: error %v", err)
	}
}

// content lists the files that are not empty.
func content(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // it went away meanwhile
		}
		if info, err := d.Info(); err == nil && info.Size() > 0 {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
