package contract_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// noisy is a query under a grant of east's with a budget for two and a half like it, and deltas for two.
func (w *world) noisy() func(*ledger.Query) {
	w.grantsQueries(east, "noisy", func(t *policy.Terms) { t.Budget, t.DeltaBudget = "1", "0.000002" })
	return func(q *ledger.Query) {
		q.Epsilon, q.Delta = "0.4", "0.000001"
		q.Parts = partsOf(east, north, south, west)
		q.Parts[0].Grant = "noisy"
	}
}

// othersAllowDeltas gives all but east grants with deltas.
func (w *world) othersAllowDeltas() func(*ledger.Query) {
	for _, o := range []string{north, south, west} {
		w.grantsQueries(o, "deltas", func(t *policy.Terms) { t.DeltaBudget = "0.01" })
	}
	noisy := w.noisy()
	return func(q *ledger.Query) {
		noisy(q)
		for i := range q.Parts[1:] {
			q.Parts[1+i].Grant = "deltas"
		}
	}
}

func (w *world) wantSpent(what string, answers uint32, units, deltas uint64) {
	w.t.Helper()
	want := ledger.Spent{Answers: answers, Units: map[string]uint64{fleetOf(east): units}, Deltas: map[string]uint64{fleetOf(east): deltas}}
	got := query[ledger.GrantEntry](w, ledger.QueryGrant, ledger.GrantRef{Owner: east, Grant: "noisy"}).Spent
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s: %s", what, diff)
	}
}

// A part costs its epsilon and its delta once, when it is approved: an owner that declines in the session has told as much, and further sessions use what was drawn for the first.
func TestDeclinedPartHasSpent(t *testing.T) {
	w := queriesWorld(t)
	noisy := w.othersAllowDeltas()
	first := w.approvedQuery(w.federated(noisy))
	w.wantSpent("approved", 1, 400_000, 1_000_000)
	s := w.beginsQuery(first).until(ledger.RoundInput)
	w.must(east, ledger.FnPost, ledger.Post{Session: s.id, Round: ledger.RoundInput})
	w.wantSpent("declined", 1, 400_000, 1_000_000)
	s.posts(ledger.RoundAbort, north)
	again := w.beginsQuery(first).until(ledger.RoundInput)
	w.must(east, ledger.FnPost, ledger.Post{Session: again.id, Round: ledger.RoundInput})
	again.posts(ledger.RoundInput, north, south, west)
	again.posts(ledger.RoundClose, lender)
	w.must(lender, ledger.FnPost, ledger.Post{Session: again.id, Round: ledger.RoundActivate, Digest: commit.Digest{1}, Detail: []byte{2, 3}})
	w.wantSpent("declined, and the sum of the others named", 1, 400_000, 1_000_000)
	w.approvedQuery(w.federated(noisy))
	w.wantSpent("asked anew", 2, 800_000, 2_000_000)
	w.now = w.now.Add(2 * time.Hour)
	w.wantSpent("expired without a session", 2, 800_000, 2_000_000)
	w.deniedPart("delta is 0.000001, and 0 of the delta budget", w.federated(noisy))
	w.deniedPart("costs 0.4 units, and 0.2 of the budget", w.federated(func(q *ledger.Query) { noisy(q); q.Delta = "" }))
	w.deniedPart("and 0 of the delta budget", w.federated(func(q *ledger.Query) { q.Epsilon, q.Delta = "0.5", "0.000001" })) // a grant without one
}

// What an owner declined, it has drawn: an input after that would be drawn anew. The other way round it may have lost what it drew.
func TestDeclinedStaysDeclined(t *testing.T) {
	w := queriesWorld(t)
	id := w.approvedQuery(w.federated(over(east, north, south, west)))
	first, second := w.beginsQuery(id).until(ledger.RoundInput), w.beginsQuery(id).until(ledger.RoundInput)
	first.posts(ledger.RoundInput, east)
	w.must(south, ledger.FnPost, ledger.Post{Session: first.id, Round: ledger.RoundInput})
	w.refused(ledger.Forbidden, "south declined to give an input", south, ledger.FnPost, second.entry(ledger.RoundInput, south))
	if !w.reads(north, ledger.FnPost, second.entry(ledger.RoundInput, north))[ledger.EntryKey(first.id, ledger.RoundInput, north)] {
		t.Error("an input does not stand on that of another session")
	}
	w.must(south, ledger.FnPost, ledger.Post{Session: second.id, Round: ledger.RoundInput})
	w.must(east, ledger.FnPost, ledger.Post{Session: second.id, Round: ledger.RoundInput})
	other := w.inSession(w.federated(over(east, north, south, west))).until(ledger.RoundInput)
	other.posts(ledger.RoundInput, east, south) // another query is another part
}

// An alert may be about a query.
func TestAlertAboutAQuery(t *testing.T) {
	w := queriesWorld(t)
	id := w.asksQuery(w.federated(nil))
	a := ledger.Alert{Query: id, Text: "the sum is another", Digest: commit.Digest{7}}
	w.must(regulator, ledger.FnAlert, a)
	page := query[ledger.AlertsPage](w, ledger.QueryAlerts, ledger.AlertsQuery{})
	if len(page.Entries) != 1 || page.Entries[0].Query != id || !page.Entries[0].Request.IsZero() || page.Entries[0].Text != a.Text {
		t.Errorf("alerts are %+v", page.Entries)
	}
	w.refused(ledger.NotFound, "request "+id.String(), regulator, ledger.FnAlert, ledger.Alert{Request: id, Text: "x"})
}
