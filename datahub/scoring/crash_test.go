package scoring_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// limps steps both until both are done, whatever fails, and starts new processes after a failure.
func (w *world) limps(id commit.Digest) {
	w.t.Helper()
	for range 1_000 {
		ofLender, errLender := w.stepLender(id)
		ofOwner, errOwner := w.stepOwner(id)
		if errLender == nil && errOwner == nil && ofLender.Done && ofOwner.Done {
			if ofLender.Reason+ofOwner.Reason != "" {
				w.t.Fatalf("ended with %+v and %+v", ofLender, ofOwner)
			}
			return
		}
		for _, err := range []error{errLender, errOwner} {
			if err != nil && !errors.Is(err, errLost) {
				w.t.Fatal(err)
			}
		}
		if errLender != nil || errOwner != nil {
			w.restart()
		}
	}
	w.t.Fatal("goes on for ever")
}

// wantsOneAnswer wants the right result, and nothing else than the recorded answer to have left the owner.
func (w *world) wantsOneAnswer(id commit.Digest) {
	w.t.Helper()
	w.fault = nil
	w.wantsResult()
	if recorded := w.session(id).Entry(operator, ledger.RoundAnswer); len(w.served) != 1 || !w.served[recorded.Digest] {
		w.t.Errorf("%d different answers left the owner", len(w.served))
	}
	w.wantsDestroyed(id)
}

// Whatever a process does outside itself can be the last that it does, done or not.
func TestKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, kind := range []fault{lostRequest, lostAnswer} {
		for at := 1; ; at++ {
			w := newWorld(t)
			w.inMemory()
			n, did := 0, ""
			w.fault = func(what string) fault {
				if n++; n == at {
					did = what
					return kind
				}
				return noFault
			}
			id := w.begins()
			w.limps(id)
			w.wantsOneAnswer(id)
			if t.Failed() {
				t.Fatalf("fault %d at %d: %s", kind, at, did)
			}
			if did == "" {
				if at < 12 {
					t.Errorf("only %d things are done", at)
				}
				break
			}
		}
	}
}

func TestKilledOften(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t)
			r := rand.New(rand.NewPCG(seed, 1))
			w.fault = func(string) fault {
				switch r.IntN(6) {
				case 0:
					return lostRequest
				case 1:
					return lostAnswer
				}
				return noFault
			}
			id := w.begins()
			w.limps(id)
			w.wantsOneAnswer(id)
		})
	}
}

// Two processes of one side, over one store, are one party.
func TestTwoProcesses(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	first := w.lender
	w.restart()
	second := w.lender
	for range 3 {
		for _, l := range []func(){func() { w.lender = first }, func() { w.lender = second }} {
			l()
			w.lenderStands(id)
		}
	}
	owner := w.owner
	w.restart()
	w.lenderStands(id)
	w.ownerStands(id)
	w.owner = owner
	w.ownerStands(id)
	w.plays(id)
	w.wantsOneAnswer(id)
}

// A reading of the session may be older than one of its query: nothing is destroyed for that.
func TestSessionReadBefore(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	before := w.session(id)
	w.ownerStands(id)
	w.restart()
	for _, step := range []func() (bool, error){
		func() (bool, error) {
			s, err := w.lender.Step(context.Background(), w.entry(), before)
			return s.Done, err
		},
		func() (bool, error) {
			s, err := w.owner.Step(context.Background(), w.entry(), before)
			return s.Done, err
		},
	} {
		if done, err := step(); done || err != nil {
			t.Errorf("%t, %v", done, err)
		}
	}
	w.plays(id)
	w.wantsOneAnswer(id)
}

func TestOthersSessions(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	e, s := w.entry(), w.session(id)
	ctx := context.Background()
	for name, change := range map[string]func(*ledger.QueryEntry, *ledger.SessionState){
		"federated":   func(_ *ledger.QueryEntry, s *ledger.SessionState) { s.Session.Kind = ledger.QueryFederated },
		"other query": func(e *ledger.QueryEntry, _ *ledger.SessionState) { e.ID[0]++ },
		"other id":    func(_ *ledger.QueryEntry, s *ledger.SessionState) { s.ID[0]++ },
		"other sides": func(_ *ledger.QueryEntry, s *ledger.SessionState) {
			s.Session.Receiver = "x"
			s.Session.Seats = []ledger.Seat{{Owner: "y", Fleet: fleetID}}
		},
		"two owners": func(_ *ledger.QueryEntry, s *ledger.SessionState) {
			s.Session.Seats = append(s.Session.Seats, s.Session.Seats...)
		},
		"other receiver": func(e *ledger.QueryEntry, _ *ledger.SessionState) { e.Record.Query.Requester = contracttest.Rival },
		"other end":      func(_ *ledger.QueryEntry, s *ledger.SessionState) { s.Session.Expires++ },
		"not approved":   func(e *ledger.QueryEntry, s *ledger.SessionState) { e.Answers = nil; s.Session.Receiver = "x" },
	} {
		e, s := *e, *s
		change(&e, &s)
		if _, err := w.lender.Step(ctx, &e, &s); err == nil {
			t.Errorf("%s: the lender takes part", name)
		}
		if _, err := w.owner.Step(ctx, &e, &s); err == nil {
			t.Errorf("%s: the owner takes part", name)
		}
	}
}
