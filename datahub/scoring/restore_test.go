package scoring_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
)

// An owner whose store was put back to before its answer does not answer again, with fresh noise: it is silent for good.
func TestRestoredOwner(t *testing.T) {
	for _, c := range []struct {
		name   string
		behind bool // the ledger that it reads is, too, at first
	}{{"sees its answer", false}, {"reads a ledger that is behind", true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			_, store := w.inMemory()
			id := w.begins()
			w.lenderStands(id)
			backup := store.backup()
			entry, before := w.entry(), w.session(id)
			w.ownerStands(id)
			answer := w.session(id).Entry(operator, ledger.RoundAnswer).Digest
			w.stores[operator] = backup
			w.restart()
			if c.behind {
				_, err := w.lender.Step(context.Background(), entry, before)
				w.ok(err)
				if _, err := w.owner.Step(context.Background(), entry, before); ledger.CodeOf(err) != ledger.AlreadyRecorded {
					t.Errorf("answered again: %v", err)
				}
			}
			s := w.ownerStands(id)
			if !s.Done || !strings.Contains(s.Reason, "restored backup") {
				t.Errorf("%+v", s)
			}
			if _, err := w.owner.Serve(context.Background(), lender, id, scoring.ItemAnswer); !errors.Is(err, session.ErrNotYet) {
				t.Errorf("serves: %v", err)
			}
			if s := w.lenderStands(id); s.Done || len(w.served) != 0 || w.session(id).Entry(operator, ledger.RoundAnswer).Digest != answer {
				t.Errorf("%+v, %d answers served", s, len(w.served))
			}
			w.restart()
			if s := w.ownerStands(id); !s.Done {
				t.Errorf("after a restart: %+v", s)
			}
		})
	}
}

// An owner that was put back to between its answer's making and its recording has what it recorded.
func TestRestoredOwnerWithItsAnswer(t *testing.T) {
	w := newWorld(t)
	_, store := w.inMemory()
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
	backup := store.backup()
	w.ownerStands(id)
	w.stores[operator] = backup
	w.restart()
	w.plays(id)
	w.wantsOneAnswer(id)
}

// A lender whose store was put back to before its request gives the session up, and has another.
func TestRestoredLender(t *testing.T) {
	w := newWorld(t)
	store, _ := w.inMemory()
	backup := store.backup()
	id := w.begins()
	w.lenderStands(id)
	w.stores[lender] = backup
	w.restart()
	if s := w.lenderStands(id); !s.Done || !strings.Contains(s.Reason, "restored backup") {
		t.Errorf("%+v", s)
	}
	if s := w.session(id); s.Status != ledger.SessionAborted {
		t.Errorf("the session is %s", s.Status)
	}
	if s := w.ownerStands(id); !s.Done || w.scans != 0 {
		t.Errorf("%+v", s)
	}
	next := w.begins()
	w.plays(next)
	w.wantsOneAnswer(next)
}

// Of two copies of a lender the one that comes second gives the session up that the first asked in.
func TestTwoCopiesOfALender(t *testing.T) {
	w := newWorld(t)
	store, _ := w.inMemory()
	first, copied := w.lender, store.backup()
	id := w.begins()
	before := w.session(id)
	w.lenderStands(id)
	w.stores[lender] = copied
	w.restart()
	if _, err := w.lender.Step(context.Background(), w.entry(), before); ledger.CodeOf(err) != ledger.AlreadyRecorded {
		t.Errorf("asked twice: %v", err)
	}
	if _, err := w.lender.Serve(context.Background(), operator, id, scoring.ItemRequest); !errors.Is(err, session.ErrNotYet) {
		t.Errorf("serves: %v", err)
	}
	if s := w.lenderStands(id); !s.Done || !strings.Contains(s.Reason, "two copies") {
		t.Errorf("%+v", s)
	}
	w.lender = first
	if s := w.lenderStands(id); !s.Done {
		t.Errorf("%+v", s)
	}
}

// A lender that was put back to before it opened, and did record a result, does not open again.
func TestRestoredLenderWithAResult(t *testing.T) {
	w := newWorld(t)
	store, _ := w.inMemory()
	id := w.begins()
	w.lenderStands(id)
	w.ownerStands(id)
	backup := store.backup()
	w.lenderStands(id)
	w.wantsResult()
	w.stores[lender] = backup
	w.restart()
	clear(w.served)
	if s := w.lenderStands(id); !s.Done || !strings.Contains(s.Reason, "restored backup") || len(w.served) != 0 {
		t.Errorf("%+v, %d fetched", s, len(w.served))
	}
	if _, err := w.lender.Result(context.Background(), w.query); !errors.Is(err, scoring.ErrNoResult) {
		t.Errorf("%v", err)
	}
}

// One that did not record a result opens the same answer, and learns the same.
func TestRestoredLenderOpensTheSame(t *testing.T) {
	w := newWorld(t)
	store, _ := w.inMemory()
	id := w.begins()
	w.lenderStands(id)
	w.ownerStands(id)
	backup := store.backup()
	w.fault = func(what string) fault {
		if what == "lender submits post" {
			return lostRequest
		}
		return noFault
	}
	if _, err := w.stepLender(id); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	w.fault = nil
	first, err := w.lender.Result(context.Background(), w.query)
	w.ok(err)
	w.stores[lender] = backup
	w.restart()
	w.plays(id)
	w.wantsOneAnswer(id)
	again, err := w.lender.Result(context.Background(), w.query)
	w.ok(err)
	if string(first.Encode()) != string(again.Encode()) {
		t.Errorf("%s, and then %s", first.Encode(), again.Encode())
	}
}

// Without the model a session is not gone on with, and one need not begin.
func TestLostModel(t *testing.T) {
	w := newWorld(t)
	w.inMemory()
	id := w.begins()
	ctx := context.Background()
	empty := newMemory()
	w.ok(empty.Destroy(ctx, storeID(w.query), "score-model"))
	w.stores[lender] = empty
	w.restart()
	if err := w.lender.CheckModel(ctx, w.entry()); !errors.Is(err, scoring.ErrNoModel) {
		t.Error(err)
	}
	if s := w.lenderStands(id); !s.Done || w.session(id).Status != ledger.SessionAborted {
		t.Errorf("%+v", s)
	}
}

func TestKeepModel(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.ok(w.lender.KeepModel(ctx, w.query, w.modelFile()))
	w.model = aModel(true)
	if err := w.lender.KeepModel(ctx, w.query, w.modelFile()); err == nil {
		t.Error("another model is kept")
	}
	if err := w.lender.KeepModel(ctx, w.query, []byte("{}")); err == nil {
		t.Error("no model is kept")
	}
	w.asks(func(q *ledger.Query) { q.Spread = false })
	w.ok(w.lender.KeepModel(ctx, w.query, w.modelFile()))
	if err := w.lender.CheckModel(ctx, w.entry()); !errors.Is(err, scoring.ErrNoModel) {
		t.Errorf("a model of another shape serves: %v", err)
	}
}
