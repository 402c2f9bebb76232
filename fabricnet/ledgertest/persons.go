package ledgertest

import (
	"slices"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// persons leaves a part of a query to a person, which an approval that says that there was none is not by.
func (q *queries) persons(t *testing.T) {
	owner := q.owners[0]
	q.mustSubmit(t, q.publishCall(owner, q.text(persons)))
	defer q.mustSubmit(t, q.publishCall(owner, q.text(permit)))
	f := q.federated(nil)
	q.mustSubmit(t, q.askCall(f))
	id := f.ID(q.Genesis.ID())
	automatic := func(owner string) call {
		return call{by: owner, function: ledger.FnAnswer, args: ledger.Answer{Query: id, Fleet: q.fleets[owner], Approve: true, Automatic: true}}
	}
	if err := q.refused(ledger.Forbidden, automatic(owner)); err != nil {
		t.Error(err)
	}
	q.mustSubmit(t, q.yes(owner, id, owner))
	q.mustSubmit(t, automatic(q.owners[1]))
	e := must[ledger.QueryEntry](t)(q.as(q.regulator).QueryEntry(q.ctx, id))
	for i, want := range []ledger.Decision{{Approval: policy.Person}, {Automatic: true}} {
		if d := e.Answers[i].Decision; d.Approval != want.Approval || d.Automatic != want.Automatic {
			t.Errorf("answer %d is %+v", i, d)
		}
	}
}

// alertsOf raises an alert about a query.
func (q *queries) alertsOf(t *testing.T) {
	all := must[[]ledger.QueryEntry](t)(q.as(q.regulator).Queries(q.ctx, ledger.QueriesQuery{Fleet: q.fleets[q.owners[0]]}))
	a := ledger.Alert{Query: all[0].ID, Text: "the sum is another", Digest: commit.Digest{8}}
	if err := q.refused(ledger.Forbidden, call{by: q.financier, function: ledger.FnAlert, args: a}); err != nil {
		t.Error(err)
	}
	r := q.mustSubmit(t, call{by: q.regulator, function: ledger.FnAlert, args: a})
	want := ledger.AlertRecord{Organisation: q.regulator, Query: a.Query, Text: a.Text, Digest: a.Digest, Time: result[ledger.AlertRecord](t, r).Time, TxID: r.TxID}
	var found []ledger.AlertRecord
	for at := (ledger.AlertsQuery{}); ; {
		page := must[ledger.AlertsPage](t)(q.as(q.owners[1]).Alerts(q.ctx, at))
		found = append(found, page.Entries...)
		if at.After = page.Cursor; page.Next == "" {
			break
		}
	}
	if !slices.Contains(found, want) {
		t.Errorf("alerts are %+v, want %+v among them", found, want)
	}
	events := q.events(t, q.owners[1], r.Height, r.Height)
	if i := slices.IndexFunc(events, func(e ledger.Event) bool { return e.TxID == r.TxID }); i < 0 || events[i].Payload.Query == nil || *events[i].Payload.Query != a.Query || events[i].Payload.Request != nil {
		t.Errorf("events are %+v", events)
	}
}
