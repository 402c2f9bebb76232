package party_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// TestScore is asked with a model that only the lender's node has, and answered within the error that it states. Every word of both sides is said under fire.
func TestScore(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.East, partytest.Lender)
	id := w.AskScore(nil)
	k := &killer{w: w, times: map[string]int{}, orgs: []string{partytest.East, partytest.Lender}}
	w.SetFault(k.fault)
	k.raise("an answer", func() bool {
		n := w.Node(partytest.Lender)
		if n == nil {
			return false
		}
		_, err := n.Result(t.Context(), id)
		return err == nil && recorded(w, id, 0, partytest.Lender, ledger.RoundResult)()
	})
	a := answered(w, id)
	within(t, a, query.FigureScore, w.Clear().Mean)
	within(t, a, query.FigureDeviation, w.Clear().Deviation)
	if e := w.Entry(id); len(e.Sessions) != 1 || e.Status != ledger.QueryAnswered {
		t.Errorf("%d sessions began, the query is %s", len(e.Sessions), e.Status)
	}
	for _, what := range []string{"lender begin", "lender post request", "east post answer", "lender post result"} {
		if k.times[what] < 2 {
			t.Errorf("%s: killed %d times, want twice", what, k.times[what])
		}
	}
}

func within(t *testing.T, a *query.Answer, kind query.FigureKind, want float64) {
	t.Helper()
	for _, f := range a.Figures {
		if f.Kind != kind {
			continue
		}
		got, err := strconv.ParseFloat(f.Value, 64)
		bound, failed := strconv.ParseFloat(f.Error, 64)
		if err = errors.Join(err, failed); err != nil || math.Abs(got-want) > bound {
			t.Errorf("%s is %s within %s, want %v (error %v)", kind, f.Value, f.Error, want, err)
		}
		return
	}
	t.Errorf("no %s: %s", kind, a.Text())
}

// TestScoreGivenUp has the owner be gone for longer than the lender's node is patient: the session that answers is a fresh one.
func TestScoreGivenUp(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.East, partytest.Lender)
	id := w.AskScore(nil)
	wantStatus(w, id, ledger.QueryRunning)
	w.Kill(partytest.East)
	if w.Entry(id).Activated == nil {
		w.Until("the lender to ask", recorded(w, id, 0, partytest.Lender, ledger.RoundRequest))
		w.Pass(2 * time.Minute)
		w.Until("the lender to give up", recorded(w, id, 0, partytest.Lender, ledger.RoundAbort))
		w.Pass(2 * time.Minute)
	}
	w.Start(partytest.East)
	within(t, answered(w, id), query.FigureScore, w.Clear().Mean)
}

// TestScoreOffTheGrid is refused by the owner's node before anything is computed.
func TestScoreOffTheGrid(t *testing.T) {
	t.Parallel()
	w := world(t)
	o := w.Options(partytest.East)
	o.ClipSteps = map[string]map[string]string{partytest.FleetOf(partytest.East): {"state_of_health": "7"}}
	w.StartWith(partytest.East, o)
	w.Start(partytest.Lender)
	id := w.AskScore(nil)
	wantStatus(w, id, ledger.QueryRefused)
	if got := w.Entry(id).Answers[0].Decision.Reasons[0]; !strings.Contains(got, "this node does not answer it") {
		t.Errorf("refused as %q", got)
	}
	w.Until("the lender to destroy its model", func() bool { return len(content(t, w.Home(partytest.Lender))) == 0 })
}

// TestModelOfNothing is kept for a query that is never asked: not for ever.
func TestModelOfNothing(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.Lender)
	q := w.Scored(nil)
	lender := w.Node(partytest.Lender)
	w.OK(lender.KeepModel(t.Context(), q.ID(w.ID()), []byte(partytest.Model)))
	if err := lender.KeepModel(t.Context(), q.ID(w.ID()), []byte(strings.Replace(partytest.Model, "-3.25", "-3", 1))); err == nil {
		t.Error("another model is kept in the place of the first")
	}
	if err := lender.KeepModel(t.Context(), w.ID(), []byte("{}")); err == nil {
		t.Error("what is no model is kept")
	}
	if _, err := lender.Result(t.Context(), q.ID(w.ID())); !errors.Is(err, party.ErrNoResult) {
		t.Errorf("result: error %v", err)
	}
	w.Pass(2 * time.Hour)
	w.Until("the model to be destroyed", func() bool { return len(content(t, w.Home(partytest.Lender))) == 0 })
}
