package scoring_test

import (
	"context"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// oldest restricts a query to batteries of at least so many days.
func oldest(days string) func(*ledger.Query) {
	return func(q *ledger.Query) { q.Cohort = []statement.Range{{Lane: "age_days", Min: days}} }
}

// wantsWithheld plays a session that the owner ends, and another, with a reason that has no number.
func (w *world) wantsWithheld() {
	w.t.Helper()
	for range 2 {
		id := w.begins()
		w.lenderStands(id)
		s := w.ownerStands(id)
		if !s.Done || s.Reason != "the owner gives no answer to this query" {
			w.t.Errorf("%+v", s)
		}
		for _, e := range w.session(id).Entries {
			if e.Round == ledger.RoundAbort && (e.Party != operator || string(e.Detail) != s.Reason) || e.Round == ledger.RoundAnswer {
				w.t.Errorf("recorded: %+v", e)
			}
		}
		w.lenderStands(id)
		w.restart()
	}
	if w.scans != 1 {
		w.t.Errorf("the records were added up %d times", w.scans)
	}
}

func TestCohortTooSmall(t *testing.T) {
	newWorld(t, oldest("3070")).wantsWithheld()
	w := newWorld(t, oldest("1000"), func(q *ledger.Query) { q.MinimumCohort = 390 })
	w.wantsWithheld()
}

// With an epsilon it is the number with noise that is too small.
func TestNoisedCohortTooSmall(t *testing.T) {
	w := newWorld(t, oldest("1000"), func(q *ledger.Query) { q.Epsilon, q.MinimumCohort = "10", 390 })
	w.wantsWithheld()
	w = newWorld(t, oldest("3099"), func(q *ledger.Query) { q.Epsilon, q.Delta, q.MinimumCohort = "10", "0.0001", 100 })
	w.wantsWithheld()
}

// Noise is drawn once for a query, whatever becomes of its sessions, and it is in the answer.
func TestNoise(t *testing.T) {
	w := newWorld(t, func(q *ledger.Query) { q.Epsilon, q.Delta = "1", "0.000001" })
	id := w.begins()
	w.lenderStands(id)
	w.fault = func(what string) fault {
		if what == "operator submits post" {
			return lostRequest
		}
		return noFault
	}
	_, _ = w.stepOwner(id)
	w.fault = nil
	first := w.moments()
	if first[0] != 'n' {
		t.Errorf("moments are kept as %q", first[0])
	}
	w.must(lender, ledger.FnPost, ledger.Post{Session: id, Round: ledger.RoundAbort, Detail: []byte("again")})
	w.lenderStands(id)
	w.ownerStands(id)
	w.restart()
	next := w.begins()
	w.lenderStands(next)
	w.fault = func(what string) fault {
		if what == "operator submits post" {
			return lostRequest
		}
		return noFault
	}
	_, _ = w.stepOwner(next)
	w.fault = nil
	if string(w.moments()) != string(first) || w.scans != 1 {
		t.Errorf("noise was drawn again; %d scans", w.scans)
	}
	w.plays(next)
	a, err := w.lender.Result(context.Background(), w.query)
	w.ok(err)
	mean, want := number(t, a.Figures[0].Value), w.clear().Mean
	if bound := number(t, a.Figures[0].Error); math.Abs(mean-want) <= bound {
		t.Errorf("%g is within the error of %g: there is no noise", mean, want)
	}
	if stated := number(t, a.Figures[0].Noise); math.Abs(mean-want) > 12*stated || strings.Contains(a.Text(), "exact") {
		t.Errorf("%g is off %g, and the noise is stated as %g: %s", mean, want, stated, a.Text())
	}
	if a.Epsilon != "1" || a.Delta != "0.000001" {
		t.Errorf("%+v", a)
	}
}

func (w *world) moments() []byte {
	w.t.Helper()
	b, err := w.stores[operator].Get(context.Background(), storeID(w.query), "score-moments")
	w.ok(err)
	return b
}

// What is kept without noise never answers a query that asks for it.
func TestNoAnswerWithoutNoise(t *testing.T) {
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
	_, _ = w.stepOwner(id)
	exact := w.moments()
	w.fault = nil
	w.asks(func(q *ledger.Query) { q.Epsilon = "1" })
	w.restart()
	_, err := store.Put(context.Background(), storeID(w.query), "score-moments", exact)
	w.ok(err)
	next := w.begins()
	w.lenderStands(next)
	if _, err := w.stepOwner(next); err == nil || w.session(next).Entry(operator, ledger.RoundAnswer) != nil {
		t.Errorf("answered without noise: %v", err)
	}
}

// What everybody can read, and the owner's own steps, are refused with what they are.
func TestRefusedTerms(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ledger.Query)
		before func(*world)
		want   string
	}{
		"parameters": {func(q *ledger.Query) { q.Parameters = "assay-ckks-12-100" }, nil, "parameters are"},
		"clips":      {nil, func(w *world) { w.steps = nil }, "a clip ends at"},
		"too many moments for noise": {func(q *ledger.Query) {
			q.Epsilon, q.Degree = "1", 5
			for _, lane := range []string{"equivalent_full_cycles", "remaining_capacity_mAh", "voltage_spread_mV", "peak_temperature", "fault_count"} {
				q.Features = append(q.Features, ledger.Feature{Lane: lane, Lo: "0", Hi: "1"}, ledger.Feature{Lane: lane, Lo: "0", Hi: "2"})
			}
		}, nil, "can have noise"},
		"records are gone": {nil, func(w *world) {
			w.owner, _ = scoring.NewOwner(w.node(operator), func(context.Context, *ledger.QueryEntry, string) iter.Seq2[[]record.Record, error] {
				return func(yield func([]record.Record, error) bool) { yield(nil, desk.ErrGone) }
			}, w.steps)
		}, "were destroyed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.change != nil {
				w.asks(c.change)
			}
			if c.before != nil {
				c.before(w)
				if w.steps == nil {
					w.restart()
				}
			}
			id := w.begins()
			w.posts(lender, id, ledger.RoundRequest, [32]byte{1})
			if name == "records are gone" {
				id = w.begins()
				w.lenderStands(id)
			}
			if s := w.ownerStands(id); !s.Done || !strings.Contains(s.Reason, c.want) || w.scans != 0 {
				t.Errorf("%+v, want %q", s, c.want)
			}
		})
	}
	if privacy.MaxL0 > 4096 {
		t.Error("the query above has fewer moments than can have noise")
	}
}

// A query that takes more batteries than the ledger has of the fleet is refused by that number, and no record is read for it.
func TestTooFewAttested(t *testing.T) {
	w := newWorld(t, func(q *ledger.Query) { q.MinimumCohort = batteries + 1 })
	id := w.begins()
	w.lenderStands(id)
	if s := w.ownerStands(id); !s.Done || !strings.Contains(s.Reason, "at least 401 devices") || w.scans != 0 {
		t.Errorf("%+v, %d scans", s, w.scans)
	}
}

// A fleet beyond what can be added up exactly is refused by its public number.
func TestTooManyBatteries(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	e := *w.entry()
	settled := *e.Answers[0].Settled
	settled.Attested = 1 << 24
	e.Answers = []ledger.QueryAnswer{{Fleet: fleetID, Decision: e.Answers[0].Decision, Settled: &settled}}
	s, err := w.owner.Step(context.Background(), &e, w.session(id))
	w.ok(err)
	if !s.Done || !strings.Contains(s.Reason, "can be scored") || w.scans != 0 {
		t.Errorf("%+v", s)
	}
}

// Nobody takes part without what it needs.
func TestNodes(t *testing.T) {
	w := newWorld(t)
	whole := w.node(operator)
	for name, change := range map[string]func(*scoring.Node){
		"self": func(n *scoring.Node) { n.Self = "" }, "book": func(n *scoring.Node) { n.Book.Client = nil }, "store": func(n *scoring.Node) { n.Store = nil }, "peers": func(n *scoring.Node) { n.Peers = nil },
	} {
		n := whole
		change(&n)
		if _, err := scoring.NewLender(n); err == nil {
			t.Errorf("a lender without %s", name)
		}
		if _, err := scoring.NewOwner(n, w.read, nil); err == nil {
			t.Errorf("an owner without %s", name)
		}
	}
	if _, err := scoring.NewOwner(whole, nil, nil); err == nil {
		t.Error("an owner without records")
	}
}
