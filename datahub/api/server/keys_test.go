package server_test

import (
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
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// unsaid is a statement without nonce and expiry.
const unsaid = `{"fleet": "fleet-a", "epoch": 11, "schema": "battery/v1", "cohort": [], "claims": [], "disclose": ["count"], "minimum_coverage": "50", "grant": "whatever-it-is", "purpose": "a loan"}`

// With a key, the same call makes one request: minutes later, on another of the organisation's nodes, and many times at once.
func TestRequestIsMadeOnceForAKey(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	n := w.node(lender, nil)
	create := &assayv1.CreateRequestRequest{Statement: unsaid}
	first := must(n.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-1"), create))(t)
	w.at(12, 2*time.Hour) // what is filled in as expiry is another now
	for _, again := range []*node{n, w.node(lender, nil)} {
		got := must(again.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-1"), create))(t)
		if diff := cmp.Diff(first, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	other := must(n.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-2"), create))(t)
	if other.GetRequest().GetId() == first.GetRequest().GetId() {
		t.Error("another key makes no other request")
	}

	var together sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		together.Go(func() {
			made, err := n.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-3"), create)
			if err != nil {
				t.Error(err)
			}
			ids[i] = made.GetRequest().GetId()
		})
	}
	together.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one key made the requests %v", ids)
		}
	}
}

// A key that comes again with something else is refused: by the node that remembers, and for requests by any, since the ledger does.
func TestKeyIsForOneCall(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	n := w.node(lender, nil)
	must(n.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-1"), &assayv1.CreateRequestRequest{Statement: unsaid}))(t)
	different := strings.Replace(unsaid, `"a loan"`, `"another loan"`, 1)
	for name, of := range map[string]*node{"the same node": n, "one that knows nothing": w.node(lender, nil)} {
		_, err := of.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-1"), &assayv1.CreateRequestRequest{Statement: different})
		t.Run(name, func(t *testing.T) { refused(t, err, codes.AlreadyExists, server.ReasonExists, "idempotency key") })
	}
	_, err := n.requests().WithdrawRequest(w.call(access.IdempotencyHeader, "k-1"), &assayv1.WithdrawRequestRequest{Request: w.asked(9).String()})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "idempotency key")
}

// The key of a call that was refused is free again.
func TestKeyOfARefusedCallIsFree(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	n := w.node(lender, nil)
	_, err := n.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-1"), &assayv1.CreateRequestRequest{Statement: strings.Replace(unsaid, "fleet-a", "fleet-z", 1)})
	refused(t, err, codes.NotFound, "", "fleet-z")
	must(n.requests().CreateRequest(w.call(access.IdempotencyHeader, "k-1"), &assayv1.CreateRequestRequest{Statement: unsaid}))(t)
}

func TestKeysThatAreRefused(t *testing.T) {
	w := newWorld(t)
	n := w.node(lender, nil)
	for name, headers := range map[string][]string{
		"empty":    {access.IdempotencyHeader, ""},
		"twice":    {access.IdempotencyHeader, "a", access.IdempotencyHeader, "b"},
		"too long": {access.IdempotencyHeader, strings.Repeat("a", 129)},
		"a space":  {access.IdempotencyHeader, "a b"},
		"a slash":  {access.IdempotencyHeader, "a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.requests().CreateRequest(w.call(headers...), &assayv1.CreateRequestRequest{Statement: unsaid})
			if fields := fieldsOf(refused(t, err, codes.InvalidArgument, access.ReasonInvalid, access.IdempotencyHeader)); len(fields) != 1 || fields[0] != access.IdempotencyHeader {
				t.Errorf("fields are %v", fields)
			}
		})
	}
	// Where nothing is written, a key means nothing.
	must(n.fleets().ListFleets(w.call(access.IdempotencyHeader, "a b"), &assayv1.ListFleetsRequest{}))(t)
}

// An answer that was lost is given again.
func TestAnswerThatWasLostIsGivenAgain(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	n := w.node(operator, nil)
	id := w.asked(1)
	if _, err := w.book(operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{"fine"}}); err != nil {
		t.Fatal(err)
	}
	got := must(n.requests().ApproveRequest(w.call(access.IdempotencyHeader, "k"), &assayv1.ApproveRequestRequest{Request: id.String(), Reasons: []string{"fine"}}))(t)
	if got.GetRequest().GetDecision().GetGrant() != contracttest.GrantID {
		t.Errorf("got %v", got)
	}
}
