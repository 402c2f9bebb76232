package server_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Every list gives each entry once, whatever the page's size.
func TestPages(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	ctx := t.Context()
	for i := range 4 {
		id := fmt.Sprintf("fleet-b%d", i)
		must(w.book(operator).RegisterFleet(ctx, ledger.RegisterFleet{ID: id, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))(t)
		terms := contracttest.Terms(fleetID)
		terms.ID = "grant-" + id
		must(w.book(operator).Grant(ctx, terms))(t)
	}
	var asked []string
	for i := range 5 {
		id := w.asked(byte(i + 1))
		asked = append(asked, id.String())
		must(w.book(regulator).Alert(ctx, ledger.Alert{Request: id, Text: "look"}))(t)
	}
	slices.Sort(asked)
	n := w.node(regulator, nil)
	for _, size := range []int32{1, 2, 5, 0} {
		list := func(fetch func(token string) ([]string, string, error)) []string {
			var all []string
			for token := ""; ; {
				page, next, err := fetch(token)
				if err != nil {
					t.Fatal(err)
				}
				if size > 0 && len(page) > int(size) {
					t.Errorf("a page of %d has %d", size, len(page))
				}
				if all = append(all, page...); next == "" {
					return all
				}
				token = next
			}
		}
		fleets := list(func(token string) (ids []string, next string, err error) {
			p, err := n.fleets().ListFleets(w.call(), &assayv1.ListFleetsRequest{PageSize: size, PageToken: token})
			for _, f := range p.GetFleets() {
				ids = append(ids, f.GetId())
			}
			return ids, p.GetNextPageToken(), err
		})
		grants := list(func(token string) (ids []string, next string, err error) {
			p, err := n.grants().ListGrants(w.call(), &assayv1.ListGrantsRequest{PageSize: size, PageToken: token, Grantee: lender})
			for _, g := range p.GetGrants() {
				ids = append(ids, g.GetTerms().GetId())
			}
			return ids, p.GetNextPageToken(), err
		})
		requests := list(func(token string) (ids []string, next string, err error) {
			p, err := n.requests().ListRequests(w.call(), &assayv1.ListRequestsRequest{PageSize: size, PageToken: token, Status: assayv1.RequestStatus_REQUEST_STATUS_OPEN})
			for _, r := range p.GetRequests() {
				ids = append(ids, r.GetId())
			}
			return ids, p.GetNextPageToken(), err
		})
		entries := list(func(token string) (ids []string, next string, err error) {
			p, err := n.audit().ListEntries(w.call(), &assayv1.ListEntriesRequest{PageSize: size, PageToken: token, Owner: operator})
			for _, e := range p.GetEntries() {
				ids = append(ids, e.GetRequest().GetId())
			}
			return ids, p.GetNextPageToken(), err
		})
		alerts := list(func(token string) (ids []string, next string, err error) {
			p, err := n.audit().ListAlerts(w.call(), &assayv1.ListAlertsRequest{PageSize: size, PageToken: token})
			for _, a := range p.GetAlerts() {
				ids = append(ids, a.GetRequest())
			}
			return ids, p.GetNextPageToken(), err
		})
		slices.Sort(alerts)
		if len(fleets) != 5 || !slices.IsSorted(fleets) || len(grants) != 5 || !slices.Equal(requests, asked) || !slices.Equal(entries, asked) || !slices.Equal(alerts, asked) {
			t.Errorf("size %d: fleets %v, grants %v, requests %v, entries %v, alerts %v, asked %v", size, fleets, grants, requests, entries, alerts, asked)
		}
	}
}

func TestFiltersOfLists(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.asked(1)
	n := w.node(lender, nil)
	for name, c := range map[string]struct {
		in   *assayv1.ListRequestsRequest
		want int
	}{
		"all":              {&assayv1.ListRequestsRequest{}, 1},
		"owner":            {&assayv1.ListRequestsRequest{Owner: operator}, 1},
		"another owner":    {&assayv1.ListRequestsRequest{Owner: rival}, 0},
		"another asks":     {&assayv1.ListRequestsRequest{Requester: regulator}, 0},
		"another status":   {&assayv1.ListRequestsRequest{Status: assayv1.RequestStatus_REQUEST_STATUS_VERIFIED}, 0},
		"status and fleet": {&assayv1.ListRequestsRequest{Status: assayv1.RequestStatus_REQUEST_STATUS_OPEN, Fleet: fleetID}, 1},
	} {
		page := must(n.requests().ListRequests(w.call(), c.in))(t)
		if len(page.GetRequests()) != c.want {
			t.Errorf("%s: %v", name, page)
		}
		for _, r := range page.GetRequests() {
			if r.GetStatement() != "" || r.GetPurpose() == "" {
				t.Errorf("%s: listed is %v", name, r)
			}
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.asked(1)
	w.asked(2)
	n := w.node(lender, nil)
	token := must(n.requests().ListRequests(w.call(), &assayv1.ListRequestsRequest{PageSize: 1}))(t).GetNextPageToken()
	raw := must(base64.RawURLEncoding.DecodeString(token))(t)
	raw[len(raw)-1] = 0
	for name, c := range map[string]string{
		"of another list": token, "garbage": "x", "not base64": "%%%", "cut": token[:8], "long": strings.Repeat("A", 400), "padded": token + "=",
		"control characters": base64.RawURLEncoding.EncodeToString(raw),
	} {
		in := &assayv1.ListRequestsRequest{PageSize: 1, PageToken: c}
		if name == "of another list" {
			in.Owner = operator
		}
		_, err := n.requests().ListRequests(w.call(), in)
		t.Run(name, func(t *testing.T) {
			if fields := fieldsOf(refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "page_token")); len(fields) != 1 || fields[0] != "page_token" {
				t.Errorf("fields are %v", fields)
			}
		})
	}
}
