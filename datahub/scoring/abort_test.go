package scoring_test

import (
	"context"
	"testing"

	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// An owner that ends the session right after its answer keeps the lender from recording a result, and from nothing else.
func TestAbortAfterTheAnswer(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	w.ownerStands(id)
	w.must(operator, ledger.FnPost, ledger.Post{Session: id, Round: ledger.RoundAbort, Detail: []byte("too late")})
	if s := w.lenderStands(id); !s.Done || s.Reason != "" {
		t.Errorf("%+v", s)
	}
	w.wantsResult()
}

// A lender that ends the session before the answer is recorded does not see what was made.
func TestAbortBeforeTheAnswer(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	before := w.session(id)
	w.must(lender, ledger.FnPost, ledger.Post{Session: id, Round: ledger.RoundAbort, Detail: []byte("never mind")})
	if _, err := w.owner.Step(context.Background(), w.entry(), before); ledger.CodeOf(err) != ledger.Conflict {
		t.Errorf("%v", err)
	}
	if _, err := w.owner.Serve(context.Background(), lender, id, scoring.ItemAnswer); err == nil {
		t.Error("served")
	}
	w.lenderStands(id)
	if s := w.ownerStands(id); !s.Done {
		t.Errorf("%+v", s)
	}
	next := w.begins()
	w.plays(next)
	w.wantsOneAnswer(next)
	if w.scans != 1 {
		t.Errorf("the records were added up %d times for one query", w.scans)
	}
}
