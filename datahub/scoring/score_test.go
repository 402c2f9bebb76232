package scoring_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

type storeID = transcript.ID

// clear is what the model says of the records in the open.
func (w *world) clear() *score.Clear {
	w.t.Helper()
	lanes, err := query.Lanes(contracttest.Schema, w.steps[fleetID])
	w.ok(err)
	c, err := w.model.Clear(lanes, func(yield func([]uint32, error) bool) {
		for i := range w.records {
			if !yield(w.records[i][1:], nil) {
				return
			}
		}
	})
	w.ok(err)
	return c
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wantsResult wants the lender to have learned what the plain computation says.
func (w *world) wantsResult() {
	w.t.Helper()
	a, err := w.lender.Result(context.Background(), w.query)
	if err != nil {
		w.t.Fatal(err)
	}
	want := w.clear()
	f := a.Figures[0]
	if got, bound := number(w.t, f.Value), number(w.t, f.Error); f.Kind != query.FigureScore || math.Abs(got-want.Mean) > bound || bound > 1e-4 {
		w.t.Errorf("%+v, want %g", f, want.Mean)
	}
	if !w.model.Spread {
		return
	}
	if f := a.Figures[1]; f.Kind != query.FigureDeviation || math.Abs(number(w.t, f.Value)-want.Deviation) > number(w.t, f.Error) {
		w.t.Errorf("%+v, want %g", f, want.Deviation)
	}
}

func TestScore(t *testing.T) {
	for name, spread := range map[string]bool{"mean": false, "spread": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.model = aModel(spread)
			w.asks()
			w.restart()
			ctx := context.Background()
			w.ok(w.lender.CheckModel(ctx, w.entry()))
			if _, err := w.lender.Result(ctx, w.query); !errors.Is(err, scoring.ErrNoResult) {
				t.Errorf("a result before there is one: %v", err)
			}
			id := w.begins()
			if s := w.ownerStands(id); s.Phase != ledger.RoundRequest || s.Done {
				t.Errorf("%+v", s)
			}
			ofLender, ofOwner := w.plays(id)
			if ofLender.Reason+ofOwner.Reason != "" || w.scans != 1 || len(w.served) != 1 {
				t.Errorf("%+v, %+v, %d scans, %d answers", ofLender, ofOwner, w.scans, len(w.served))
			}
			w.wantsResult()
			s := w.session(id)
			if s.Status != ledger.SessionAnswered || len(s.Entries) != 3 || s.Entries[2].Round != ledger.RoundResult {
				t.Errorf("%+v", s)
			}
			w.wantsDestroyed(id)
			if again := w.lenderStands(id); !again.Done {
				t.Errorf("%+v", again)
			}
		})
	}
}

// wantsDestroyed wants nothing left but the lender's result.
func (w *world) wantsDestroyed(id commit.Digest) {
	w.t.Helper()
	for name, slots := range map[string][]string{lender: {"score-sealed", "score-model"}, operator: {"score-answer", "score-moments"}} {
		for _, slot := range slots {
			of := id
			if slot == "score-model" || slot == "score-moments" {
				of = w.query
			}
			if _, err := w.stores[name].Get(context.Background(), storeID(of), slot); !errors.Is(err, session.ErrDestroyed) {
				w.t.Errorf("%s of %s: %v", slot, name, err)
			}
		}
	}
}

// Each item is for the other side alone, and only once it is recorded.
func TestServe(t *testing.T) {
	w := newWorld(t)
	ctx, id := context.Background(), w.begins()
	wants := func(what string, want error, serve func(context.Context, string, commit.Digest, string) ([]byte, error), caller, item string, recorded ledger.Round) {
		t.Helper()
		b, err := serve(ctx, caller, id, item)
		if !errors.Is(err, want) || want == nil && sha256.Sum256(b) != w.session(id).Entry(map[bool]string{true: lender, false: operator}[item == scoring.ItemRequest], recorded).Digest {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	wants("a request before it is made", session.ErrNotYet, w.lender.Serve, operator, scoring.ItemRequest, "")
	w.fault = func(what string) fault {
		if what == "lender submits post" {
			return lostRequest
		}
		return noFault
	}
	if _, err := w.stepLender(id); !errors.Is(err, errLost) {
		t.Error(err)
	}
	wants("a request that is not recorded", session.ErrNotYet, w.lender.Serve, operator, scoring.ItemRequest, "")
	w.fault = nil
	w.lenderStands(id)
	wants("the request", nil, w.lender.Serve, operator, scoring.ItemRequest, ledger.RoundRequest)
	wants("the request, for a stranger", session.ErrForbidden, w.lender.Serve, contracttest.Rival, scoring.ItemRequest, "")
	wants("an answer of the lender", session.ErrNotYet, w.lender.Serve, operator, scoring.ItemAnswer, "")
	wants("an answer before it is made", session.ErrNotYet, w.owner.Serve, lender, scoring.ItemAnswer, "")
	w.fault = func(what string) fault {
		if what == "operator submits post" {
			return lostRequest
		}
		return noFault
	}
	if _, err := w.stepOwner(id); !errors.Is(err, errLost) {
		t.Error(err)
	}
	wants("an answer that is not recorded", session.ErrNotYet, w.owner.Serve, lender, scoring.ItemAnswer, "")
	w.fault = nil
	w.ownerStands(id)
	wants("the answer", nil, w.owner.Serve, lender, scoring.ItemAnswer, ledger.RoundAnswer)
	if _, err := w.stores[operator].Get(ctx, storeID(w.query), "score-moments"); !errors.Is(err, session.ErrDestroyed) {
		t.Errorf("the moments of a query that is answered: %v", err)
	}
	wants("the answer, for a stranger", session.ErrForbidden, w.owner.Serve, contracttest.Rival, scoring.ItemAnswer, "")
	w.plays(id)
	wants("the request after the end", session.ErrNotYet, w.lender.Serve, operator, scoring.ItemRequest, "")
	wants("the answer after the end", session.ErrNotYet, w.owner.Serve, lender, scoring.ItemAnswer, "")
}

// A session that expires leaves nothing, once nothing can be on its way any more.
func TestExpiry(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	w.fault = func(what string) fault {
		if what == "operator submits post" {
			return lostRequest
		}
		return noFault
	}
	if _, err := w.stepOwner(id); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	w.fault = nil
	w.now = w.now.Add(time.Hour)
	for _, s := range []scoring.Standing{w.lenderStands(id), w.ownerStands(id)} {
		if s.Done {
			t.Errorf("over while an answer may be on its way: %+v", s)
		}
	}
	w.now = w.now.Add(2 * time.Hour)
	ofLender, ofOwner := w.plays(id)
	if ofLender.Reason == "" || ofOwner.Reason == "" {
		t.Errorf("%+v, %+v", ofLender, ofOwner)
	}
	if _, err := w.stores[operator].Get(context.Background(), storeID(w.query), "score-moments"); !errors.Is(err, session.ErrDestroyed) {
		t.Errorf("moments: %v", err)
	}
	w.ok(w.lender.Forget(context.Background(), w.query))
	w.wantsDestroyed(id)
}

// Whoever was away when the session expired still gets the answer, for a while.
func TestLateResult(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	w.ownerStands(id)
	w.now = w.now.Add(29 * 24 * time.Hour)
	w.restart()
	w.ownerStands(id)
	if ofLender, _ := w.plays(id); ofLender.Reason != "" {
		t.Errorf("%+v", ofLender)
	}
	w.wantsResult()

	w = newWorld(t)
	id = w.begins()
	w.lenderStands(id)
	w.ownerStands(id)
	w.now = w.now.Add(31 * 24 * time.Hour)
	ofOwner := w.ownerStands(id)
	ofLender := w.lenderStands(id)
	if !ofOwner.Done || ofOwner.Reason == "" || !ofLender.Done || ofLender.Reason == "" {
		t.Errorf("%+v, %+v", ofLender, ofOwner)
	}
}
