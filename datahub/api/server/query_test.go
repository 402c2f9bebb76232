package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/policy"
)

// What a query leaves out is filled in, and every node shows the same.
func TestQueryIsAskedAndApproved(t *testing.T) {
	w := newQueryWorld(t)
	created := w.asks(aQuery())
	q := must(query.ParseDraft([]byte(created.GetQuery())))(t)
	want := &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryFederated, Requester: lender, Schema: contracttest.Schema, Epoch: 11, Totals: []string{policy.TotalCount, policy.TotalSum},
		Subject: "state_of_health", Purpose: contracttest.Purpose, MinimumCohort: 10, Regulator: regulator, Threshold: 2, InputSeconds: 600, Parameters: collective.Standard().ID(),
		Nonce: q.Nonce, Expiry: w.now().Add(24 * time.Hour).Unix(),
	}
	for _, owner := range theOwners() {
		want.Parts = append(want.Parts, ledger.QueryPart{Fleet: fleetOf(owner), Grant: contracttest.GrantID})
	}
	if diff := cmp.Diff(want, q); diff != "" || len(q.Nonce) != 32 {
		t.Errorf("nonce %q: %s", q.Nonce, diff)
	}
	if created.GetId() != q.ID(w.ledger.ID()).String() || created.GetStatus() != assayv1.QueryStatus_QUERY_STATUS_OPEN || created.GetKind() != assayv1.QueryKind_QUERY_KIND_FEDERATED ||
		created.GetRequester() != lender || created.GetThreshold() != 2 || len(created.GetParts()) != 3 || created.GetParts()[1].GetOwner() != rival {
		t.Errorf("created is %v", created)
	}
	for _, owner := range theOwners() {
		n := w.node(owner, asPart(newPart()))
		got := must(n.queries().GetQuery(w.call(), &assayv1.GetQueryRequest{Query: created.GetId()}))(t)
		if a := got.GetAssessment(); !a.GetAllowed() || a.GetCost() != "2" {
			t.Errorf("%s: assessment is %v", owner, a)
		}
		approved := must(n.queries().ApproveQuery(w.call(), &assayv1.ApproveQueryRequest{Query: created.GetId(), Reasons: []string{"within the grant"}}))(t).GetQuery()
		got = must(n.queries().GetQuery(w.call(), &assayv1.GetQueryRequest{Query: created.GetId()}))(t)
		if diff := cmp.Diff(approved, got.GetQuery(), protocmp.Transform()); diff != "" || got.GetAssessment() != nil {
			t.Errorf("%s: %s %v", owner, diff, got.GetAssessment())
		}
	}
	got := must(w.node(regulator, nil).queries().GetQuery(w.call(), &assayv1.GetQueryRequest{Query: created.GetId()}))(t)
	if p := got.GetQuery().GetParts()[0]; got.GetQuery().GetStatus() != assayv1.QueryStatus_QUERY_STATUS_APPROVED || got.GetAssessment() != nil || !p.GetDecision().GetApproved() ||
		p.GetDecision().GetReasons()[0] != "within the grant" || p.GetSettled().GetEnrolled() != 2 || p.GetSettled().GetAttested() != 2 || p.GetSettled().GetAnchors().GetChunks() != 1 {
		t.Errorf("the regulator sees %v", got)
	}
}

// A query does not outlive the grants that it is asked under.
func TestQueryEndsWithItsGrants(t *testing.T) {
	w := newQueryWorld(t)
	soon := w.now().Add(2 * time.Hour).Unix()
	w.allows(rival, "short", func(terms *policy.Terms) { terms.NotAfter = soon })
	text := strings.Replace(aQuery(), aPart(rival), strings.Replace(aPart(rival), contracttest.GrantID, "short", 1), 1)
	if q := w.asks(text); q.GetExpiresAt().GetSeconds() != soon {
		t.Errorf("expires at %v", q.GetExpiresAt().AsTime())
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	w := newQueryWorld(t)
	n := w.node(lender, asPart(newPart()))
	with := func(old, new string) string { return strings.Replace(aQuery(), old, new, 1) }
	for name, c := range map[string]struct {
		query, model string
		code         codes.Code
		text         string
	}{
		"no JSON":             {"{}{", "", codes.InvalidArgument, "query"},
		"unknown field":       {with(`"epoch"`, `"epohc"`), "", codes.InvalidArgument, "epohc"},
		"two parts":           {with(aPart(rival)+`]`, `]`), "", codes.InvalidArgument, "query"},
		"no minimum":          {with(`"minimum_cohort": 10, `, ``), "", codes.InvalidArgument, "minimum_cohort"},
		"another's name":      {with(`"epoch"`, `"requester": "regulator", "epoch"`), "", codes.InvalidArgument, "requester"},
		"other parameters":    {with(`"epoch"`, `"parameters": "none", "epoch"`), "", codes.InvalidArgument, "parameters"},
		"unknown fleet":       {with(fleetOf(rival), "fleet-z"), "", codes.NotFound, "fleet-z"},
		"epoch that runs":     {with(`"epoch": 11`, `"epoch": 12`), "", codes.InvalidArgument, "epoch 12"},
		"no such regulator":   {with(`"regulator": "regulator"`, `"regulator": "rival"`), "", codes.InvalidArgument, "regulator"},
		"a model for nothing": {strings.Replace(aQuery(), `{`, `{"kind": "federated", `, 1), aModel, codes.InvalidArgument, "model"},
		"a score without":     {strings.Replace(aScore(), `{`, `{"kind": "score", `, 1), "", codes.InvalidArgument, "model"},
		"no model":            {aScore(), "{}", codes.InvalidArgument, "model"},
		"no such lane":        {aScore(), strings.Replace(aModel, "age_days", "colour", 1), codes.InvalidArgument, "colour"},
		"another shape":       {strings.Replace(aScore(), `{`, `{"degree": 3, `, 1), aModel, codes.InvalidArgument, "model's"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: c.query, Model: c.model})
			refused(t, err, c.code, "", c.text)
		})
	}
	for name, change := range map[string]func(*server.Options){"takes no part": nil} {
		_, err := w.node(lender, change).queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: aQuery()})
		t.Run(name, func(t *testing.T) { refused(t, err, codes.FailedPrecondition, "no_part", "no part") })
	}
	_, err := w.node(regulator, asPart(newPart())).queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: aQuery()})
	refused(t, err, codes.PermissionDenied, string(ledger.Forbidden), "financier")
}

// A model is kept before the query is asked, and told to nobody: no answer, no error and no log has a word of it.
func TestModelIsKeptAndNotTold(t *testing.T) {
	w := newQueryWorld(t)
	var logged bytes.Buffer
	p := newPart()
	n := w.node(lender, func(o *server.Options) {
		o.Queries, o.Logger = p, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	made := must(n.queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: aScore(), Model: aModel}))(t).GetQuery()
	id := digestOf(t, made.GetId())
	if m := must(score.ParseModel([]byte(p.models[id])))(t); m.Features[0].Weight != 0.00271828 || len(p.models) != 1 {
		t.Errorf("kept are %d models", len(p.models))
	}
	entry := must(w.book(lender).QueryEntry(t.Context(), id))(t)
	if diff := cmp.Diff([]ledger.Feature{{Lane: "state_of_health", Lo: "60.00", Hi: "100.00"}, {Lane: "age_days", Lo: "0", Hi: "3650"}}, entry.Record.Query.Features); diff != "" ||
		entry.Record.Query.Degree != 1 || made.GetKind() != assayv1.QueryKind_QUERY_KIND_SCORE {
		t.Errorf("%s, asked is %v", diff, made)
	}
	p.failure = errors.New("what was kept is 0.00271828")
	said := []string{made.String(), must(n.queries().GetQuery(w.call(), &assayv1.GetQueryRequest{Query: made.GetId()}))(t).String(), string(ledger.Encode(entry))}
	for name, c := range map[string]*assayv1.CreateQueryRequest{
		"not kept":            {Query: aScore(), Model: aModel},
		"of no such lane":     {Query: aScore(), Model: strings.Replace(aModel, "age_days", "colour", 1)},
		"a weight that isn't": {Query: aScore(), Model: strings.Replace(aModel, "0.00271828", `"0.00271828"`, 1)},
		"of another query":    {Query: aQuery(), Model: aModel},
		"beyond all bounds":   {Query: aScore(), Model: strings.Replace(aModel, "0.00271828", "271828e5", 1)},
		"in the query":        {Query: aModel},
		"too long":            {Query: aScore(), Model: aModel + strings.Repeat(" ", 17<<10)},
	} {
		_, err := n.queries().CreateQuery(w.call(), c)
		if err == nil {
			t.Errorf("%s: it is asked", name)
			continue
		}
		said = append(said, err.Error())
	}
	for _, text := range append(said, logged.String()) {
		for _, secret := range []string{"271828", "161803", "31415926"} {
			if strings.Contains(text, secret) && !strings.Contains(text, "what was kept") {
				t.Errorf("a coefficient is told: %s", text)
			}
		}
	}
	if !strings.Contains(logged.String(), "what was kept") {
		t.Error("what goes wrong beneath is not in the log")
	}
	if page := must(w.book(lender).Queries(t.Context(), ledger.QueriesQuery{}))(t); len(page) != 1 {
		t.Errorf("%d queries are asked", len(page))
	}
}

// With a key, the same call makes one query: minutes later, on another of the organisation's nodes, and many times at once. Another call is refused by those who remember, and by all if
// what it asks is another, as far as the ledger knows.
func TestQueryIsMadeOnceForAKey(t *testing.T) {
	w := newQueryWorld(t)
	p := newPart()
	n := w.node(lender, asPart(p))
	for name, create := range map[string]*assayv1.CreateQueryRequest{"federated": {Query: aQuery()}, "score": {Query: aScore(), Model: aModel}} {
		key := w.call(access.IdempotencyHeader, "k-"+name)
		first := must(n.queries().CreateQuery(key, create))(t)
		w.clock.Add(60) // what is filled in as expiry is another now
		for _, again := range []*node{n, w.node(lender, asPart(p))} {
			if diff := cmp.Diff(first, must(again.queries().CreateQuery(key, create))(t), protocmp.Transform()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		for who, of := range map[string]*node{"the same node": n, "one that knows nothing": w.node(lender, asPart(p))} {
			_, err := of.queries().CreateQuery(key, &assayv1.CreateQueryRequest{Query: strings.Replace(create.GetQuery(), `"minimum_cohort": `, `"minimum_cohort": 1`, 1), Model: create.GetModel()})
			t.Run(name+" and another at "+who, func(t *testing.T) { refused(t, err, codes.AlreadyExists, server.ReasonExists, "idempotency key") })
		}
	}
	_, err := w.node(lender, asPart(p)).queries().CreateQuery(w.call(access.IdempotencyHeader, "k-score"), &assayv1.CreateQueryRequest{Query: aScore(), Model: anotherModel})
	if err == nil {
		t.Error("with another model that has the same features, the first one's query is given as made")
	}
	again := strings.Replace(aScore(), "{", `{"nonce": "`+strings.Repeat("7", 32)+`", "expiry": `+fmt.Sprint(w.now().Add(time.Hour).Unix())+`,`, 1)
	must(n.queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: again, Model: aModel}))(t)
	_, err = n.queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: again, Model: anotherModel})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "another model")
	// What was kept of a query that was not asked in time is destroyed for good: trying again is of no use, so that is not what is said.
	p.failure = fmt.Errorf("keeping it: %w", session.ErrDestroyed)
	_, err = n.queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: aScore(), Model: aModel})
	refused(t, err, codes.FailedPrecondition, "destroyed", "another nonce")
	p.failure = nil
	asked := &assayv1.CreateQueryRequest{Query: strings.Replace(aScore(), `{`, fmt.Sprintf(`{"expiry": %d, `, w.now().Add(time.Hour).Unix()), 1), Model: aModel}
	made := must(n.queries().CreateQuery(w.call(access.IdempotencyHeader, "k-done"), asked))(t).GetQuery()
	p.failure = session.ErrDestroyed
	if again := must(n.queries().CreateQuery(w.call(access.IdempotencyHeader, "k-done"), asked))(t).GetQuery(); again.GetId() != made.GetId() {
		t.Errorf("again it is %v", again)
	}
	p.failure = nil
	// A model of a query that is over is kept no more, and not again.
	over := must(n.queries().CreateQuery(w.call(access.IdempotencyHeader, "k-over"), &assayv1.CreateQueryRequest{Query: aScore(), Model: aModel}))(t).GetQuery()
	must(w.book(operator).Answer(t.Context(), ledger.Answer{Query: digestOf(t, over.GetId()), Fleet: fleetOf(operator), Reasons: []string{"no"}}))(t)
	p.failure = errors.New("destroyed")
	got := must(n.queries().CreateQuery(w.call(access.IdempotencyHeader, "k-over"), &assayv1.CreateQueryRequest{Query: aScore(), Model: aModel}))(t).GetQuery()
	if p.failure = nil; got.GetId() != over.GetId() || got.GetStatus() != assayv1.QueryStatus_QUERY_STATUS_REFUSED {
		t.Errorf("again it is %v", got)
	}
	var together sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		together.Go(func() {
			made, err := n.queries().CreateQuery(w.call(access.IdempotencyHeader, "k-together"), &assayv1.CreateQueryRequest{Query: aQuery()})
			if err != nil {
				t.Error(err)
			}
			ids[i] = made.GetQuery().GetId()
		})
	}
	together.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one key made the queries %v", ids)
		}
	}
}

func TestAnswersToQueriesAreRepeatable(t *testing.T) {
	w := newQueryWorld(t)
	id := w.asks(aQuery()).GetId()
	n := w.node(operator, nil)
	approve := &assayv1.ApproveQueryRequest{Query: id, Reasons: []string{"fine"}}
	first := must(n.queries().ApproveQuery(w.call(), approve))(t)
	if diff := cmp.Diff(first, must(n.queries().ApproveQuery(w.call(), approve))(t), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	_, err := n.queries().ApproveQuery(w.call(), &assayv1.ApproveQueryRequest{Query: id, Reasons: []string{"other"}})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "other reasons")
	_, err = n.queries().RefuseQuery(w.call(), &assayv1.RefuseQueryRequest{Query: id, Reasons: []string{"fine"}})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "another way")
	for _, who := range []string{lender, regulator} {
		_, err = w.node(who, nil).queries().ApproveQuery(w.call(), approve)
		refused(t, err, codes.PermissionDenied, string(ledger.Forbidden), "no fleet of "+who)
	}
	r := must(w.node(rival, nil).queries().RefuseQuery(w.call(), &assayv1.RefuseQueryRequest{Query: id, Reasons: []string{"not this one"}}))(t).GetQuery()
	if r.GetStatus() != assayv1.QueryStatus_QUERY_STATUS_REFUSED || r.GetParts()[1].GetDecision().GetReasons()[0] != "not this one" {
		t.Errorf("refused is %v", r)
	}
}
