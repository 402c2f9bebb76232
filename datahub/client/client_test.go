package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// A call that failed is tried again with the same key, whether it failed before or after it was carried out, and makes one request.
func TestCallIsTriedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("waits between tries")
	}
	for name, fault := range map[string]func(*node){
		"nobody there":        func(n *node) { n.fail.Store(2) },
		"the answer was lost": func(n *node) { n.lose.Store(2) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			c := n.dial(nil)
			fault(n)
			r := must(c.Requests.CreateRequest(within(t), &assayv1.CreateRequestRequest{Statement: question}))(t).GetRequest()
			all := must(n.book(contracttest.Lender).Requests(t.Context()))(t)
			if len(all) != 1 || all[0].ID.String() != r.GetId() {
				t.Errorf("%d requests were made", len(all))
			}
			if len(n.keys) != 3 || n.keys[0] != n.keys[1] || n.keys[1] != n.keys[2] {
				t.Errorf("keys were %v", n.keys)
			}
			if !slices.Equal(slices.Compact(n.tokens), []string{"Bearer a.b.c"}) {
				t.Errorf("tokens were %v", n.tokens)
			}
		})
	}
}

// A no is a no: it is not tried again.
func TestRefusalIsNotTriedAgain(t *testing.T) {
	n := newNode(t)
	c := n.dial(nil)
	_, err := c.Requests.CreateRequest(client.WithKey(within(t), "k-1"), &assayv1.CreateRequestRequest{Statement: strings.Replace(question, "fleet-a", "fleet-z", 1)})
	p, ok := client.ProblemOf(err)
	if !ok || p.Code != codes.NotFound || p.Reason != "not_found" || !strings.Contains(p.Error(), "fleet-z") {
		t.Errorf("problem is %+v", p)
	}
	if !slices.Equal(n.keys, []string{"k-1"}) {
		t.Errorf("keys were %v", n.keys)
	}
	_, err = c.Requests.GetRequest(within(t), &assayv1.GetRequestRequest{Request: "x"})
	if p, _ := client.ProblemOf(err); p.Code != codes.InvalidArgument || len(p.Fields) != 1 || p.Fields[0].Name != "request" {
		t.Errorf("problem is %+v", p)
	}
}

// A stream that breaks is opened again, and what came before does not come twice.
func TestWatchGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("waits between tries")
	}
	n := newNode(t)
	c := n.dial(nil)
	id := must(c.Requests.CreateRequest(within(t), &assayv1.CreateRequestRequest{Statement: question}))(t).GetRequest().GetId()
	n.cut.Store(1)
	var seen []assayv1.RequestStatus
	err := c.Watch(within(t), id, func(r *assayv1.Request, _ *assayv1.Progress) error {
		seen = append(seen, r.GetStatus())
		if len(seen) == 1 {
			_, err := c.Requests.WithdrawRequest(within(t), &assayv1.WithdrawRequestRequest{Request: id})
			return err
		}
		return nil
	})
	want := []assayv1.RequestStatus{assayv1.RequestStatus_REQUEST_STATUS_OPEN, assayv1.RequestStatus_REQUEST_STATUS_WITHDRAWN}
	if err != nil || !slices.Equal(seen, want) {
		t.Errorf("saw %v, %v", seen, err)
	}
	stop := errors.New("enough")
	if err := c.Watch(within(t), id, func(*assayv1.Request, *assayv1.Progress) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the caller's own error becomes %v", err)
	}
	if err := c.Watch(within(t), strings.Repeat("ab", 32), nil); status.Code(err) != codes.NotFound {
		t.Errorf("an unknown request: %v", err)
	}
}

func TestWatchedAlertsGoOn(t *testing.T) {
	if testing.Short() {
		t.Skip("waits between tries")
	}
	n := newNode(t)
	c := n.dial(nil)
	id, _, err := n.book(contracttest.Lender).Request(t.Context(), contracttest.Statement(fleetID, 11, 1, contracttestStart(20)))
	if err != nil {
		t.Fatal(err)
	}
	alert := func(text string) {
		must(n.book(contracttest.Regulator).Alert(t.Context(), ledger.Alert{Request: id, Text: text}))(t)
	}
	alert("first")
	alert("second")
	n.cut.Store(1)
	var seen []string
	stop := errors.New("enough")
	err = c.WatchAlerts(within(t), "", func(a *assayv1.Alert, cursor string) error {
		if seen = append(seen, a.GetText()); len(seen) == 2 {
			alert("third")
		}
		if len(seen) == 3 {
			return stop
		}
		return nil
	})
	slices.Sort(seen)
	if !errors.Is(err, stop) || !slices.Equal(seen, []string{"first", "second", "third"}) {
		t.Errorf("saw %v, %v", seen, err)
	}
}

func contracttestStart(epoch uint64) time.Time {
	g := contracttest.Genesis()
	return g.EpochStart(epoch)
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	n := newNode(t)
	c := n.dial(nil)
	for range 3 {
		must(c.Requests.CreateRequest(within(t), &assayv1.CreateRequestRequest{Statement: question}))(t)
	}
	requests := 0
	for _, err := range c.AllRequests(within(t), &assayv1.ListRequestsRequest{PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		requests++
	}
	entries := 0
	for _, err := range c.AllEntries(within(t), &assayv1.ListEntriesRequest{PageSize: 2, Owner: contracttest.Operator}) {
		if err != nil {
			t.Fatal(err)
		}
		entries++
	}
	fleets := 0
	for f, err := range c.AllFleets(within(t), "") {
		if err != nil || f.GetId() != fleetID {
			t.Fatal(f, err)
		}
		fleets++
	}
	if requests != 3 || entries != 3 || fleets != 1 {
		t.Errorf("%d requests, %d entries, %d fleets", requests, entries, fleets)
	}
	for _, err := range c.AllGrants(within(t), "nobody", "") {
		if status.Code(err) == codes.OK {
			t.Error("grants of an organisation that there is not")
		}
	}
}

func TestWhoIsCalledAndAsWhom(t *testing.T) {
	if testing.Short() {
		t.Skip("waits between tries")
	}
	n := newNode(t)
	certificate := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, errors.New("none") }
	for name, o := range map[string]client.Options{
		"as nobody": {Address: n.address}, "as two": {Address: n.address, Token: client.Token("x"), Certificate: certificate},
		"no port": {Address: "127.0.0.1", Token: client.Token("x")},
	} {
		if _, err := client.Dial(o); err == nil {
			t.Errorf("%s: a client", name)
		}
	}
	for name, change := range map[string]func(*client.Options){
		"another CA":         func(o *client.Options) { o.Roots = x509.NewCertPool() },
		"another name":       func(o *client.Options) { o.ServerName = "other.example" },
		"a token that bends": func(o *client.Options) { o.Token = client.Token("secret\r\nx: y") },
		"no token":           func(o *client.Options) { o.Token = client.TokenFile(filepath.Join(t.TempDir(), "none")) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := n.dial(change).Node.GetStatus(ctx, &assayv1.GetStatusRequest{})
		cancel()
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(n.tokens) != 0 {
		t.Errorf("tokens reached the node: %v", n.tokens)
	}
}

// A token is read for every call, so that whoever renews it replaces the file.
func TestTokenIsReadForEveryCall(t *testing.T) {
	n := newNode(t)
	path := filepath.Join(t.TempDir(), "token")
	c := n.dial(func(o *client.Options) { o.Token = client.TokenFile(path) })
	for _, token := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		must(c.Node.GetStatus(within(t), &assayv1.GetStatusRequest{}))(t)
	}
	if !slices.Equal(n.tokens, []string{"Bearer one", "Bearer two"}) {
		t.Errorf("tokens were %v", n.tokens)
	}
}
