package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func TestAsk(t *testing.T) {
	w := queriesWorld(t)
	w.attributes = map[string]string{"OU": "credit"}
	q := w.federated(nil)
	id := w.asksQuery(q)
	e := w.queryEntry(id)
	want := ledger.QueryEntry{
		ID: id, Status: ledger.QueryOpen, Answers: []ledger.QueryAnswer{}, Sessions: []ledger.SessionHead{},
		Record: ledger.QueryRecord{Query: *q, Owners: []string{east, north, south}, Attributes: w.attributes, Time: w.now.Unix(), TxID: e.Record.TxID},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
	w.refused(ledger.Conflict, "was used", lender, ledger.FnAsk, ledger.AskQuery{Query: *q})
	otherwise := *q
	otherwise.Purpose = "another"
	w.refused(ledger.Conflict, "was used", lender, ledger.FnAsk, ledger.AskQuery{Query: otherwise})
}

func TestAskRefusals(t *testing.T) {
	w := queriesWorld(t)
	w.must(east, ledger.FnRegisterFleet, fleetArgs("fleet-east-2"))
	w.must(east, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "fleet-east-3", Schema: "charger/v1", ChunkSize: contracttest.ChunkSize})
	w.grantsQueries(east, "second", func(t *policy.Terms) { t.Fleets = []string{"fleet-east-2"} })
	w.grantsQueries(west, "supervision", func(t *policy.Terms) { t.Grantee = regulator })
	w.closes("fleet-east-2", 11)
	for name, c := range map[string]struct {
		code   ledger.Code
		by     string
		want   string
		change func(*ledger.Query)
	}{
		"not a financier":       {ledger.Forbidden, regulator, "role of financier", func(q *ledger.Query) { q.Requester = regulator }},
		"in another's name":     {ledger.Forbidden, broker, "the caller is broker", func(*ledger.Query) {}},
		"expired":               {ledger.Expired, lender, "expired at", func(q *ledger.Query) { q.Expiry = w.now.Unix() }},
		"no time for inputs":    {ledger.Invalid, lender, "inputs may come for 3600 s", func(q *ledger.Query) { q.InputSeconds = 3600 }},
		"an epoch to come":      {ledger.Invalid, lender, "is not over", func(q *ledger.Query) { q.Epoch = 12 }},
		"an epoch not closed":   {ledger.Expired, lender, "is not closed", func(q *ledger.Query) { q.Epoch = 10 }},
		"no such fleet":         {ledger.NotFound, lender, "not registered", func(q *ledger.Query) { q.Parts[2].Fleet = "fleet-nowhere" }},
		"another schema":        {ledger.Invalid, lender, "has schema charger/v1", func(q *ledger.Query) { q.Parts[0].Fleet = "fleet-east-3" }},
		"no such grant":         {ledger.NotFound, lender, "has made no grant", func(q *ledger.Query) { q.Parts[1].Grant = "none" }},
		"another's grant":       {ledger.Forbidden, lender, "is regulator's", func(q *ledger.Query) { q.Parts = partsOf(east, north, west); q.Parts[2].Grant = "supervision" }},
		"one owner's fleets":    {ledger.Invalid, lender, "belong to one owner", func(q *ledger.Query) { q.Parts[1] = ledger.QueryPart{Fleet: "fleet-east-2", Grant: "second"} }},
		"no such regulator":     {ledger.NotFound, lender, "nobody", func(q *ledger.Query) { q.Regulator = "nobody" }},
		"no regulator":          {ledger.Invalid, lender, "is no regulator", func(q *ledger.Query) { q.Regulator = west }},
		"not canonical version": {ledger.Invalid, lender, "version", func(q *ledger.Query) { q.Version = "assay-query/v2" }},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused(c.code, c.want, c.by, ledger.FnAsk, ledger.AskQuery{Query: *w.federated(c.change)})
		})
	}
	w.t = t
	own := w.federated(func(q *ledger.Query) { q.Requester, q.Parts = broker, partsOf(broker, east, north) })
	w.refused(ledger.Forbidden, "is lender's, not broker's", broker, ledger.FnAsk, ledger.AskQuery{Query: *own})
}

// Who owns a fleet does not ask about it, nor is who asks the regulator.
func TestAskWithTwoPlaces(t *testing.T) {
	w := queriesWorld(t)
	for _, o := range []string{broker, east, north, south} {
		w.grantsQueries(o, "to-broker", func(t *policy.Terms) { t.Grantee = broker })
	}
	mine := func(owners ...string) func(*ledger.Query) {
		return func(q *ledger.Query) {
			q.Requester, q.Parts = broker, partsOf(owners...)
			for i := range q.Parts {
				q.Parts[i].Grant = "to-broker"
			}
		}
	}
	w.refused(ledger.Invalid, "owns one of the fleets", broker, ledger.FnAsk, ledger.AskQuery{Query: *w.federated(mine(broker, east, north))})
	w.asksQuery(w.federated(mine(east, north, south)))
}

func TestAnswer(t *testing.T) {
	w := queriesWorld(t)
	id := w.asksQuery(w.federated(nil))
	if a := w.assessQuery(id, east); !a.Allowed || a.Cost != "2" || a.Request != id || a.GrantStatus != ledger.GrantActive {
		t.Errorf("the assessment is %+v", a)
	}
	w.refused(ledger.Forbidden, "role of owner", lender, ledger.FnAnswer, yes(id, east))
	w.refused(ledger.Forbidden, "belongs to east", north, ledger.FnAnswer, yes(id, east))
	w.refused(ledger.NotFound, "is not about fleet", west, ledger.FnAnswer, yes(id, west))
	w.refused(ledger.NotFound, "is not known", east, ledger.FnAnswer, yes(commit.Digest{1}, east))
	w.refused(ledger.Invalid, "reason", east, ledger.FnAnswer, ledger.Answer{Query: id, Fleet: fleetOf(east)})
	w.must(east, ledger.FnAnswer, yes(id, east))
	w.refused(ledger.Conflict, "is decided", east, ledger.FnAnswer, yes(id, east))
	e := w.queryEntry(id)
	entries := query[[]ledger.AnchorEntry](w, ledger.QueryAnchors, ledger.EpochRef{Fleet: fleetOf(east), Epoch: 11})
	settled := &ledger.SettledEpoch{Anchors: ledger.ReferTo(fleetOf(east), 11, entries), Attested: 50, Enrolled: 60}
	if diff := cmp.Diff(settled, e.Answers[0].Settled); diff != "" || settled.Coverage() != 8333 || settled.Anchors.Chunks != 1 {
		t.Error(diff, settled)
	}
	if d := e.Answers[0].Decision; !d.Approved || d.Cost != "2" || d.Grant != contracttest.GrantID || len(d.Policies) != 1 || d.PolicyIDs[0] != "anything" {
		t.Errorf("the approval is %+v", d)
	}
	if g := query[ledger.GrantEntry](w, ledger.QueryGrant, ledger.GrantRef{Owner: east, Grant: contracttest.GrantID}); g.Spent.Answers != 1 || g.Spent.Units[fleetOf(east)] != 2_000_000 {
		t.Errorf("spent is %+v", g.Spent)
	}
	w.must(north, ledger.FnAnswer, ledger.Answer{Query: id, Fleet: fleetOf(north), Reasons: []string{"no"}})
	w.wantStatus(id, ledger.QueryRefused)
	w.must(south, ledger.FnAnswer, yes(id, south))
	w.refused(ledger.Conflict, "fleet-north is not approved", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
}

func (w *world) assessQuery(id commit.Digest, owner string) ledger.Assessment {
	w.t.Helper()
	return query[ledger.Assessment](w, ledger.QueryAssessQuery, ledger.AssessQuery{Query: id, Fleet: fleetOf(owner)})
}

// deniedPart asks, and wants the part of east to be refused and the assessment to say so.
func (w *world) deniedPart(why string, q *ledger.Query) {
	w.t.Helper()
	id := w.asksQuery(q)
	w.refused(ledger.Forbidden, why, east, ledger.FnAnswer, yes(id, east))
	if a := w.assessQuery(id, east); a.Allowed || !strings.Contains(strings.Join(a.Reasons, "; "), why) {
		w.t.Errorf("the assessment is %+v, want %q", a, why)
	}
}

// Every limit of a grant and both policies hold for a query as for a proof.
func TestAnswerWithinTheGrant(t *testing.T) {
	valued := func(q *ledger.Query) {
		q.Subject = "value"
		q.Valuation = &statement.Valuation{Price: "100.00", Currency: "EUR", Curves: []statement.Curve{{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}}}}}
	}
	for name, c := range map[string]struct {
		want  string
		terms func(*policy.Terms)
		query func(*ledger.Query)
	}{
		"action":      {`action "aggregate"`, func(t *policy.Terms) { t.Actions = []policy.Action{policy.Prove, policy.Score} }, nil},
		"purpose":     {"purpose", nil, func(q *ledger.Query) { q.Purpose = "marketing" }},
		"lane":        {`lane "state_of_health"`, func(t *policy.Terms) { t.Lanes = []string{"age_days"} }, nil},
		"cohort lane": {`lane "age_days"`, func(t *policy.Terms) { t.Lanes = []string{"state_of_health"} }, func(q *ledger.Query) { q.Cohort = []statement.Range{{Lane: "age_days", Max: "100"}} }},
		"disclosure":  {`disclosure of "count"`, func(t *policy.Terms) { t.Disclose = []string{"state_of_health"} }, nil},
		"model":       {"valuation model", nil, valued},
		"cohort":      {"cohorts of at least 10, the grant demands 11", func(t *policy.Terms) { t.MinimumCohort = 11 }, nil},
		"coverage":    {"a coverage of 83.33 %, the grant at least 83.34", func(t *policy.Terms) { t.MinimumCoverage = "83.34" }, nil},
		"epoch":       {"before the grant's first", func(t *policy.Terms) { t.FirstEpoch = 12 }, nil},
		"end":         {"after the grant's end", func(t *policy.Terms) { t.NotAfter = 1_700_000_000 + 12*86_400 + 3*3600 - 1 }, nil},
		"cost":        {"costs 2 units", func(t *policy.Terms) { t.Budget = "1.999999" }, nil},
		"bands":       {"costs 3 units", func(t *policy.Terms) { t.Budget = "2.5" }, func(q *ledger.Query) { q.Totals, q.Edges = []string{policy.TotalHistogram}, []string{"80.00"} }},
		"epsilon":     {"costs 0.500001 units", func(t *policy.Terms) { t.Budget = "0.5" }, func(q *ledger.Query) { q.Epsilon = "0.500001" }},
	} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			w.grantsQueries(east, "narrow", c.terms)
			q := w.federated(c.query)
			q.Parts[0].Grant = "narrow"
			if name == "bands" {
				q.Totals, q.Edges = []string{policy.TotalCount, policy.TotalHistogram}, []string{"80.00"}
			}
			w.deniedPart(c.want, q)
		})
	}
}

func TestAnswerAsPoliciesSay(t *testing.T) {
	w := queriesWorld(t)
	w.must(east, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(`@id("pooled")
permit (principal, action == Action::"aggregate", resource) when {
  context.owners >= 3 && context.minimum_cohort >= 10 && context.totals == ["count", "sum"] && context.total_count == 2 && context.epsilon_millionths == 0 && context.delta_trillionths == 0
};
`)})
	id := w.asksQuery(w.federated(nil))
	w.must(east, ledger.FnAnswer, yes(id, east))
	w.deniedPart("the policy in force", w.federated(func(q *ledger.Query) { q.Epsilon, q.Delta = "0.5", "0.000001" }))
	w.deniedPart("the policy in force", w.scoring(nil))
}

// An epoch that was closed without anchors has nothing to answer from.
func TestAnswerFromNothing(t *testing.T) {
	w := queriesWorld(t)
	tx := w.state.Begin()
	for _, o := range theOwners {
		if err := tx.Put(ledger.ClosingKey(fleetOf(o), 10), ledger.Encode(ledger.Closing{Time: 1})); err != nil {
			t.Fatal(err)
		}
	}
	tx.Commit()
	w.deniedPart("nothing to answer from", w.federated(func(q *ledger.Query) { q.Epoch = 10 }))
	w.deniedPart("nothing to answer from", w.scoring(func(q *ledger.Query) { q.Epoch = 10 }))
}

// Two approvals on one state read and write what the grant has spent, so a ledger takes one of them; after the last, none.
func TestAnswerForTheLastUnit(t *testing.T) {
	w := queriesWorld(t)
	w.grantsQueries(east, "once", func(t *policy.Terms) { t.Answers = 1 })
	under := func(q *ledger.Query) { q.Parts[0].Grant = "once" }
	first, second := w.asksQuery(w.federated(under)), w.asksQuery(w.federated(under))
	spent := ledger.SpentKey(east, "once")
	for _, id := range []commit.Digest{first, second} {
		if !w.reads(east, ledger.FnAnswer, yes(id, east))[spent] {
			t.Error("an approval does not stand on what the grant has spent")
		}
	}
	w.must(east, ledger.FnAnswer, yes(first, east))
	w.refused(ledger.Forbidden, "answers of the grant are used up", east, ledger.FnAnswer, yes(second, east))
}

func TestQueries(t *testing.T) {
	w := queriesWorld(t)
	for range 3 {
		w.asksQuery(w.federated(nil))
	}
	refused := w.asksQuery(w.federated(func(q *ledger.Query) { q.Parts = partsOf(north, south, west) }))
	w.must(west, ledger.FnAnswer, ledger.Answer{Query: refused, Fleet: fleetOf(west), Reasons: []string{"no"}})
	for want, q := range map[int]ledger.QueriesQuery{4: {}, 3: {Fleet: fleetOf(east)}, 1: {Status: ledger.QueryRefused}, 0: {Requester: broker}} {
		if got := query[ledger.QueriesPage](w, ledger.QueryQueries, q); len(got.Entries) != want || got.Next != "" {
			t.Errorf("%+v lists %d, want %d", q, len(got.Entries), want)
		}
	}
	var ids []string
	for after := ""; ; {
		page := query[ledger.QueriesPage](w, ledger.QueryQueries, ledger.QueriesQuery{After: after, Limit: 1})
		for _, e := range page.Entries {
			ids = append(ids, e.ID.String())
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(ids) != 4 {
		t.Errorf("page by page there are %v", ids)
	}
	w.now = w.now.Add(time.Hour)
	if got := query[ledger.QueriesPage](w, ledger.QueryQueries, ledger.QueriesQuery{Status: ledger.QueryExpired}); len(got.Entries) != 3 {
		t.Errorf("%d expired", len(got.Entries))
	}
}
