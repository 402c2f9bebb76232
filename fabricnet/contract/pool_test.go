package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

func ages(min, max string) func(*ledger.Query) {
	return func(q *ledger.Query) { q.Cohort = []statement.Range{{Lane: "age_days", Min: min, Max: max}} }
}

func over(owners ...string) func(*ledger.Query) {
	return func(q *ledger.Query) { q.Parts = partsOf(owners...) }
}

// answers drives a query to its sum.
func (w *world) answers(q *ledger.Query) *session {
	w.t.Helper()
	s := w.inSession(q).until(ledger.RoundActivate)
	s.posts(ledger.RoundActivate, lender)
	return s
}

// Sums whose difference would be one owner's total, or that of a few batteries, are not answered at one epoch.
func TestPooledDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		first, second func(*ledger.Query)
		why           string
	}{
		"the same":               {nil, nil, ""},
		"the same with noise":    {nil, func(q *ledger.Query) { q.Epsilon = "0.5" }, ""},
		"another total":          {nil, func(q *ledger.Query) { q.Subject = "age_days" }, ""},
		"disjoint cohorts":       {ages("0", "99"), ages("100", "200"), ""},
		"one owner more":         {nil, over(east, north, south, west), "with others than these"},
		"one owner less":         {over(east, north, south, west), nil, "with others than these"},
		"one owner exchanged":    {nil, over(north, south, west), "with others than these"},
		"and of another cohort":  {ages("0", "99"), func(q *ledger.Query) { ages("100", "200")(q); over(north, south, west)(q) }, "with others than these"},
		"a cohort in the other":  {nil, ages("0", "99"), "overlaps that of query"},
		"a cohort over it":       {ages("0", "99"), nil, "overlaps that of query"},
		"crossing cohorts":       {ages("0", "99"), ages("99", "200"), "overlaps that of query"},
		"and with noise as well": {ages("0", "99"), func(q *ledger.Query) { q.Epsilon = "0.5" }, "overlaps that of query"},
	} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			second := w.approvedQuery(w.federated(c.second)) // approvals alone are in nobody's way
			w.answers(w.federated(c.first))
			if c.why == "" {
				w.beginsQuery(second).until(ledger.RoundShare)
				return
			}
			w.refused(ledger.Forbidden, c.why, lender, ledger.FnBegin, ledger.QueryRef{Query: second})
			third := w.asksQuery(w.federated(c.second))
			owner := w.queryEntry(third).Record.Owners[0]
			w.refused(ledger.Forbidden, c.why, owner, ledger.FnAnswer, yes(third, owner))
			if a := w.assessQuery(third, owner); a.Allowed || a.Wait {
				t.Errorf("the assessment is %+v", a)
			}
		})
	}
}

// Fleets that have nothing in common, and other epochs, are not compared.
func TestPooledApart(t *testing.T) {
	w := queriesWorld(t)
	for _, o := range theOwners {
		w.closes(fleetOf(o), 10)
	}
	w.answers(w.federated(nil))
	id := w.approvedQuery(w.federated(func(q *ledger.Query) { q.Epoch = 10; q.Parts = partsOf(east, north, west) }))
	w.beginsQuery(id)
}

// A session is in nobody's way until its sum is named, however far it went; from then on it is for ever, however it ends.
func TestPooledPlaces(t *testing.T) {
	w := queriesWorld(t)
	first, second := w.approvedQuery(w.federated(nil)), w.approvedQuery(w.federated(ages("0", "99")))
	one, two := w.beginsQuery(first).until(ledger.RoundActivate), w.beginsQuery(second).until(ledger.RoundActivate)
	if a := w.assessQuery(second, east); !a.Allowed {
		t.Errorf("the assessment is %+v", a)
	}
	two.posts(ledger.RoundActivate, lender)
	two.posts(ledger.RoundAbort, north)
	w.refused(ledger.Forbidden, "overlaps", lender, ledger.FnPost, one.entry(ledger.RoundActivate, lender))
	w.refused(ledger.Forbidden, "overlaps", lender, ledger.FnBegin, ledger.QueryRef{Query: first})
	if a := w.assessQuery(first, east); a.Allowed || a.Wait {
		t.Errorf("the assessment is %+v", a)
	}
	w.now = w.now.Add(2 * time.Hour)
	late := w.approvedQuery(w.federated(ages("100", "200")))
	w.beginsQuery(late)
	w.deniedPart("overlaps", w.federated(nil))
}

// Whoever begins about an odd pool or an odd cohort, and leaves it there, keeps nobody out.
func TestPooledStall(t *testing.T) {
	for name, odd := range map[string]func(*ledger.Query){"pool": over(east, north, south, west), "cohort": ages("17", "23")} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			w.inSession(w.federated(odd)).until(ledger.RoundActivate)
			w.answers(w.federated(nil))
		})
	}
}

// Two sums named on one state: each stands on the epoch of every fleet that the other one writes to.
func TestPooledAtOnce(t *testing.T) {
	w := queriesWorld(t)
	one, two := w.inSession(w.federated(nil)).until(ledger.RoundActivate), w.inSession(w.federated(over(north, south, west))).until(ledger.RoundActivate)
	for _, s := range []*session{one, two} {
		reads := w.reads(lender, ledger.FnPost, s.entry(ledger.RoundActivate, lender))
		for _, owner := range s.Owners() {
			if !reads[ledger.PooledPrefix(fleetOf(owner), 11)] {
				t.Errorf("naming the sum does not stand on the epoch of %s", owner)
			}
		}
	}
	one.posts(ledger.RoundActivate, lender)
	w.refused(ledger.Forbidden, "with others than these", lender, ledger.FnPost, two.entry(ledger.RoundActivate, lender))
}

// An owner that takes part in one sum and not in another over the same cohort would be the difference. It is found when the sum is named, before anything is opened.
func TestPooledPartTaken(t *testing.T) {
	all := over(east, north, south, west)
	for name, declined := range map[string][2]string{"first": {west, ""}, "second": {"", west}, "both, others": {south, west}, "both, the same": {west, west}} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			w.takes(w.federated(all), declined[0]).posts(ledger.RoundActivate, lender)
			s := w.takes(w.federated(all), declined[1])
			if declined[0] == declined[1] {
				s.posts(ledger.RoundActivate, lender)
			} else {
				w.refused(ledger.Forbidden, "with other owners' parts", lender, ledger.FnPost, s.entry(ledger.RoundActivate, lender))
				w.wantStatus(s.Query, ledger.QueryRunning)
			}
		})
	}
}

// takes has a session closed in which one owner declined, unless it is "".
func (w *world) takes(q *ledger.Query, declined string) *session {
	w.t.Helper()
	s := w.inSession(q).until(ledger.RoundInput)
	for _, o := range s.Owners() {
		if o == declined {
			w.must(o, ledger.FnPost, ledger.Post{Session: s.id, Round: ledger.RoundInput})
			continue
		}
		s.posts(ledger.RoundInput, o)
	}
	s.posts(ledger.RoundClose, lender)
	return s
}

// Noise that is drawn anew is another answer: it costs again.
func TestPooledCostsAgain(t *testing.T) {
	w := queriesWorld(t)
	w.grantsQueries(east, "noisy", func(t *policy.Terms) { t.Budget = "1" })
	noisy := func(q *ledger.Query) { q.Epsilon, q.Parts[0].Grant = "0.4", "noisy" }
	w.answers(w.federated(noisy))
	w.answers(w.federated(noisy))
	w.deniedPart("costs 0.4 units, and 0.2 of the budget", w.federated(noisy))
}
