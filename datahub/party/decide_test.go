package party_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

// TestRefusedQuery is not what one grant allows: its owner's node says so, and no session begins.
func TestRefusedQuery(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Grant(partytest.South, func(terms *policy.Terms) { terms.ID, terms.MinimumCohort = "cautious", 30 })
	w.Start()
	id := w.Ask(func(q *ledger.Query) {
		for i := range q.Parts {
			if q.Parts[i].Fleet == partytest.FleetOf(partytest.South) {
				q.Parts[i].Grant = "cautious"
			}
		}
	})
	wantStatus(w, id, ledger.QueryRefused)
	e := w.Entry(id)
	for _, a := range e.Answers {
		if a.Fleet == partytest.FleetOf(partytest.South) && (a.Decision.Approved || !a.Decision.Automatic || !strings.Contains(strings.Join(a.Decision.Reasons, " "), "30")) {
			t.Errorf("the decision is %+v", a.Decision)
		}
	}
	if len(e.Sessions) > 0 {
		t.Errorf("%d sessions began", len(e.Sessions))
	}
}

// TestUnanswerable are queries that grants allow, and a node says no to, from what everybody can read.
func TestUnanswerable(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.East)
	for name, c := range map[string]struct {
		change func(*ledger.Query)
		want   string
	}{
		"for too long": {func(q *ledger.Query) { q.Expiry = w.Now().Add(15 * 24 * time.Hour).Unix() }, "it expires in more than"},
		"more batteries than there are": {func(q *ledger.Query) {
			*q = *w.Federated(nil)
			q.MinimumCohort = 40
		}, "39 are attested"},
		"the parameters of others": {func(q *ledger.Query) {
			*q = *w.Federated(nil)
			q.Parameters = "other"
		}, "parameters are"},
	} {
		t.Run(name, func(t *testing.T) {
			q := w.Federated(nil)
			c.change(q)
			id, receipt, err := w.Book(partytest.Lender).Ask(context.Background(), q)
			w.Done(receipt, err)
			wantStatus(w, id, ledger.QueryRefused)
			if got := w.Entry(id).Answers[0].Decision.Reasons[0]; !strings.Contains(got, c.want) {
				t.Errorf("refused as %q, want %q", got, c.want)
			}
		})
	}
}

// TestPerson has a query wait until a person approves its part, and then goes on by itself.
func TestPerson(t *testing.T) {
	t.Parallel()
	w := world(t)
	o := w.Options(partytest.North)
	o.Approve = desk.ByPerson
	w.StartWith(partytest.North, o)
	w.Start(partytest.East, partytest.South, partytest.Lender, partytest.Regulator)
	id := w.Ask(nil)
	w.Until("the others to approve", func() bool { return len(w.Entry(id).Answers) == 2 })
	if e := w.Entry(id); e.Status != ledger.QueryOpen {
		t.Fatalf("the query is %s", e.Status)
	}
	w.Done(w.Book(partytest.North).Answer(context.Background(), ledger.Answer{Query: id, Fleet: partytest.FleetOf(partytest.North), Approve: true, Reasons: []string{"it is for their loan"}}))
	wantTruth(w, answered(w, id), partytest.Owners()...)
}

// TestPolicyLeavesItToAPerson is the contract's word, whatever the node's options.
func TestPolicyLeavesItToAPerson(t *testing.T) {
	t.Parallel()
	w := world(t)
	_, receipt, err := w.Book(partytest.North).PublishPolicy(context.Background(), []byte("@id(\"anything\")\n@approval(\"person\")\npermit (principal, action, resource);\n"))
	w.Done(receipt, err)
	w.Start()
	id := w.Ask(nil)
	w.Until("the others to approve", func() bool { return len(w.Entry(id).Answers) == 2 })
	w.Done(w.Book(partytest.North).Answer(context.Background(), ledger.Answer{Query: id, Fleet: partytest.FleetOf(partytest.North), Approve: true, Reasons: []string{}}))
	wantTruth(w, answered(w, id), partytest.Owners()...)
}

// TestNoSession began all the same, of a query that persons approved and no node can answer: members say no to it, and the requester's node begins no other.
func TestNoSession(t *testing.T) {
	t.Parallel()
	w := world(t)
	q := w.Federated(nil)
	q.Parameters = "other"
	lender := w.Book(partytest.Lender)
	id, receipt, err := lender.Ask(t.Context(), q)
	w.Done(receipt, err)
	for _, o := range partytest.Owners() {
		w.Done(w.Book(o).Answer(t.Context(), ledger.Answer{Query: id, Fleet: partytest.FleetOf(o), Approve: true, Reasons: []string{}}))
	}
	_, receipt, err = lender.Begin(t.Context(), id)
	w.Done(receipt, err)
	w.Start(partytest.Regulator)
	w.Until("the regulator to say no", recorded(w, id, 0, partytest.Regulator, ledger.RoundAbort))
	if e := w.Session(id, 0).Entries[0]; !strings.Contains(string(e.Detail), "declined: query") {
		t.Errorf("%s: %s", e.Party, e.Detail)
	}
	heard := startHeard(w, partytest.Lender)
	w.Pass(2 * time.Minute)
	w.Until("the lender to see that it is futile", func() bool { return heard.says(futile) > 0 })
	if n := len(w.Entry(id).Sessions); n != 1 {
		t.Errorf("%d sessions began", n)
	}
}
