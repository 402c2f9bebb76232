package server_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

// What a requester learned is its own people's, and no other organisation's in any way.
func TestResultIsTheRequesters(t *testing.T) {
	w := newQueryWorld(t)
	id := w.asks(aQuery()).GetId()
	p := newPart()
	asked := &assayv1.GetQueryResultRequest{Query: id}
	own := w.node(lender, asPart(p))
	_, err := own.queries().GetQueryResult(w.call(), asked)
	refused(t, err, codes.NotFound, string(ledger.NotFound), "is open: there is no result")
	_, err = w.node(lender, nil).queries().GetQueryResult(w.call(), asked)
	refused(t, err, codes.NotFound, string(ledger.NotFound), "no result")
	answer := &query.Answer{Version: query.AnswerVersion, Query: digestOf(t, id), Kind: ledger.QueryFederated, Owners: theOwners(), Figures: []query.Figure{{Kind: query.FigureCount, Value: "6"}}}
	p.results[answer.Query] = answer
	got := must(own.queries().GetQueryResult(w.call(), asked))(t)
	if diff := cmp.Diff(answer, must(query.ParseAnswer([]byte(got.GetAnswer())))(t)); diff != "" || got.GetText() != answer.Text() {
		t.Errorf("%s, text is %q", diff, got.GetText())
	}
	for _, who := range []string{operator, regulator} {
		_, err = w.node(who, asPart(p)).queries().GetQueryResult(w.call(), asked)
		refused(t, err, codes.PermissionDenied, access.ReasonForbidden, "lender's")
	}
	_, err = own.queries().GetQueryResult(w.call(peerHeader, lender), asked)
	refused(t, err, codes.PermissionDenied, access.ReasonForbidden, "other organisations' nodes")
	p.failure = fmt.Errorf("result of query %s: %w: 7 of 3 batteries", id, party.ErrUnreadable)
	_, err = own.queries().GetQueryResult(w.call(), asked)
	if s := refused(t, err, codes.FailedPrecondition, "unreadable", "no answer"); strings.Contains(s.String(), "batteries") {
		t.Errorf("told is %v", s)
	}
	p.failure = errors.New("open /var/lib/assay/7: permission denied")
	_, err = own.queries().GetQueryResult(w.call(), asked)
	if s := refused(t, err, codes.Unavailable, access.ReasonUnavailable, "cannot be had"); strings.Contains(s.String(), "/var/lib") {
		t.Errorf("told is %v", s)
	}
}

// Other organisations' nodes see the ledger at their own: here they see no query and no session.
func TestPeersSeeNoQueries(t *testing.T) {
	w := newQueryWorld(t)
	id := w.asks(aQuery()).GetId()
	n := w.node(operator, asPart(newPart()))
	for name, call := range map[string]func() error{
		"get": func() error {
			_, err := n.queries().GetQuery(w.call(peerHeader, lender), &assayv1.GetQueryRequest{Query: id})
			return err
		},
		"list": func() error {
			_, err := n.queries().ListQueries(w.call(peerHeader, lender), &assayv1.ListQueriesRequest{})
			return err
		},
		"create": func() error {
			_, err := n.queries().CreateQuery(w.call(peerHeader, lender), &assayv1.CreateQueryRequest{Query: aQuery()})
			return err
		},
		"approve": func() error {
			_, err := n.queries().ApproveQuery(w.call(peerHeader, lender), &assayv1.ApproveQueryRequest{Query: id})
			return err
		},
		"sessions": func() error {
			_, err := n.sessions().ListSessions(w.call(peerHeader, lender), &assayv1.ListSessionsRequest{})
			return err
		},
		"session": func() error {
			_, err := n.sessions().GetSession(w.call(peerHeader, lender), &assayv1.GetSessionRequest{Session: id})
			return err
		},
		"watch": func() error {
			_, err := must(n.queries().WatchQuery(w.call(peerHeader, lender), &assayv1.WatchQueryRequest{Query: id}))(t).Recv()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, call(), codes.PermissionDenied, access.ReasonForbidden, "other organisations' nodes")
		})
	}
}

var _ server.Queries = (*party.Manager)(nil)

// What an approval spends of a delta budget is told with the grant, that no person made it with the part, and an alert about a query names it.
func TestWhatIsToldAboutQueries(t *testing.T) {
	w := newQueryWorld(t)
	for _, owner := range theOwners() {
		w.allows(owner, "noised", func(terms *policy.Terms) { terms.DeltaBudget = "0.00003" })
	}
	text := strings.ReplaceAll(aQuery(), contracttest.GrantID, "noised")
	id := digestOf(t, w.asks(strings.Replace(text, `"epoch"`, `"epsilon": "0.5", "delta": "0.00001", "epoch"`, 1)).GetId())
	must(w.book(rival).Answer(t.Context(), ledger.Answer{Query: id, Fleet: fleetOf(rival), Approve: true, Reasons: []string{}, Automatic: true}))(t)
	must(w.book(regulator).Alert(t.Context(), ledger.Alert{Query: id, Text: "look"}))(t)
	n := w.node(regulator, nil)
	g := must(n.grants().GetGrant(w.call(), &assayv1.GetGrantRequest{Owner: rival, Grant: "noised"}))(t).GetGrant()
	if g.GetTerms().GetDeltaBudget() != "0.00003" || g.GetDeltaSpent()[fleetOf(rival)] != "0.00001" || g.GetBudgetSpent()[fleetOf(rival)] != "0.5" {
		t.Errorf("the grant is %v", g)
	}
	q := must(n.queries().GetQuery(w.call(), &assayv1.GetQueryRequest{Query: id.String()}))(t).GetQuery()
	if d := q.GetParts()[1].GetDecision(); !d.GetAutomatic() || !d.GetApproved() || q.GetEpsilon() != "0.5" || q.GetDelta() != "0.00001" {
		t.Errorf("the query is %v", q)
	}
	alerts := must(n.audit().ListAlerts(w.call(), &assayv1.ListAlertsRequest{}))(t).GetAlerts()
	if len(alerts) != 1 || alerts[0].GetQuery() != id.String() || alerts[0].GetRequest() != "" {
		t.Errorf("alerts are %v", alerts)
	}
}
