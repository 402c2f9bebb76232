package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
)

// A request is asked by the lender's node and approved by the operator's, and both show the same.
func TestRequestIsAskedAndApproved(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	asking, answering := w.node(lender, nil), w.node(operator, nil)
	created := must(asking.requests().CreateRequest(w.call(), &assayv1.CreateRequestRequest{Statement: w.statement()}))(t).GetRequest()
	if created.GetStatus() != assayv1.RequestStatus_REQUEST_STATUS_OPEN || created.GetRequester() != lender || created.GetOwner() != operator ||
		created.GetStatement() != w.statement() || created.GetGrant() != contracttest.GrantID || created.GetPurpose() != contracttest.Purpose {
		t.Errorf("created is %v", created)
	}
	got := must(answering.requests().GetRequest(w.call(), &assayv1.GetRequestRequest{Request: created.GetId()}))(t)
	if diff := cmp.Diff(created, got.GetRequest(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if a := got.GetAssessment(); !a.GetAllowed() || a.GetCost() == "" || a.GetGrantStatus() != "active" || len(a.GetPolicyIds()) != 1 {
		t.Errorf("assessment is %v", a)
	}
	approved := must(answering.requests().ApproveRequest(w.call(), &assayv1.ApproveRequestRequest{Request: created.GetId(), Reasons: []string{"within the grant"}}))(t).GetRequest()
	if d := approved.GetDecision(); approved.GetStatus() != assayv1.RequestStatus_REQUEST_STATUS_APPROVED || !d.GetApproved() || d.GetGrant() != contracttest.GrantID || len(d.GetPolicies()) == 0 {
		t.Errorf("approved is %v", approved)
	}
	got = must(asking.requests().GetRequest(w.call(), &assayv1.GetRequestRequest{Request: created.GetId()}))(t)
	if diff := cmp.Diff(approved, got.GetRequest(), protocmp.Transform()); diff != "" || got.GetAssessment() != nil {
		t.Errorf("the lender sees another request: %s %v", diff, got.GetAssessment())
	}
}

// What a statement leaves out is filled in.
func TestStatementIsCompleted(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	asking := w.node(lender, nil)
	partial := `{"fleet": "fleet-a", "epoch": 11, "schema": "battery/v1", "cohort": [], "claims": [], "disclose": ["count"], "minimum_coverage": "50", "grant": "whatever-it-is", "purpose": "a loan"}`
	ids := map[string]bool{}
	for range 2 {
		r := must(asking.requests().CreateRequest(w.call(), &assayv1.CreateRequestRequest{Statement: partial}))(t).GetRequest()
		s := must(statement.Parse([]byte(r.GetStatement())))(t)
		if s.Requester != lender || !s.Expiry.Equal(w.now().Add(24*time.Hour)) || s.Version != statement.Version {
			t.Errorf("statement is %s", r.GetStatement())
		}
		ids[r.GetId()] = true
	}
	if len(ids) != 2 {
		t.Error("two requests have one nonce")
	}
}

func TestStatementsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	asking, answering := w.node(lender, nil), w.node(operator, nil)
	for name, c := range map[string]struct {
		node      *node
		statement string
		code      codes.Code
		text      string
	}{
		"no JSON":                {asking, "{}{", codes.InvalidArgument, "statement"},
		"unknown field":          {asking, `{"flet": "fleet-a"}`, codes.InvalidArgument, "flet"},
		"no fleet":               {asking, `{"schema": "battery/v1"}`, codes.InvalidArgument, "fleet is missing"},
		"another's name":         {asking, strings.Replace(w.statement(), `"requester":"lender"`, `"requester":"regulator"`, 1), codes.PermissionDenied, "requester"},
		"unknown fleet":          {asking, strings.Replace(w.statement(), "fleet-a", "fleet-z", 1), codes.NotFound, "fleet-z"},
		"epoch that runs":        {asking, strings.Replace(w.statement(), `"epoch":11`, `"epoch":12`, 1), codes.InvalidArgument, "epoch 12"},
		"owner that may not":     {answering, strings.Replace(w.statement(), `"requester":"lender"`, `"requester":"operator"`, 1), codes.PermissionDenied, "financier"},
		"expiry with a fraction": {asking, strings.Replace(w.statement(), `20Z"`, `20.5Z"`, 1), codes.InvalidArgument, "expiry"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.node.requests().CreateRequest(w.call(), &assayv1.CreateRequestRequest{Statement: c.statement})
			refused(t, err, c.code, "", c.text)
		})
	}
}

func TestDecisionsAreRepeatable(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	n := w.node(operator, nil)
	id := w.asked(1).String()
	refuse := &assayv1.RefuseRequestRequest{Request: id, Reasons: []string{"no"}}
	first := must(n.requests().RefuseRequest(w.call(), refuse))(t)
	if diff := cmp.Diff(first, must(n.requests().RefuseRequest(w.call(), refuse))(t), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	_, err := n.requests().RefuseRequest(w.call(), &assayv1.RefuseRequestRequest{Request: id, Reasons: []string{"never"}})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "other reasons")
	_, err = n.requests().ApproveRequest(w.call(), &assayv1.ApproveRequestRequest{Request: id, Reasons: []string{"no"}})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "decided already")
	_, err = w.node(rival, nil).requests().RefuseRequest(w.call(), refuse)
	refused(t, err, codes.PermissionDenied, string(ledger.Forbidden), "operator")

	other := w.asked(2).String()
	withdraw := &assayv1.WithdrawRequestRequest{Request: other}
	asking := w.node(lender, nil)
	taken := must(asking.requests().WithdrawRequest(w.call(), withdraw))(t)
	if diff := cmp.Diff(taken, must(asking.requests().WithdrawRequest(w.call(), withdraw))(t), protocmp.Transform()); diff != "" || taken.GetRequest().GetStatus() != assayv1.RequestStatus_REQUEST_STATUS_WITHDRAWN {
		t.Errorf("withdrawn twice: %s %v", diff, taken)
	}
	_, err = asking.requests().WithdrawRequest(w.call(), &assayv1.WithdrawRequestRequest{Request: id})
	refused(t, err, codes.Aborted, string(ledger.Conflict), "refused")
}

// Without a grant that is in force nothing is approved, and the reasons are the contract's.
func TestNothingIsApprovedWithoutAGrant(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	n := w.node(operator, nil)
	id := w.asked(1).String()
	must(w.book(operator).Revoke(t.Context(), ledger.Revoke{Grant: contracttest.GrantID, Reason: "it was a mistake"}))(t)
	_, err := n.requests().ApproveRequest(w.call(), &assayv1.ApproveRequestRequest{Request: id})
	refused(t, err, codes.PermissionDenied, string(ledger.Forbidden), "revoked")
	got := must(n.requests().GetRequest(w.call(), &assayv1.GetRequestRequest{Request: id}))(t)
	if a := got.GetAssessment(); a.GetAllowed() || len(a.GetReasons()) == 0 {
		t.Errorf("assessment is %v", a)
	}
}
