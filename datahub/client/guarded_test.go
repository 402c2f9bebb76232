package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const issuerURL = "https://issuer.example/node"

// guarded is the whole interface of an organisation's node: ledger, server, guard, both listeners and an issuer of tokens.
type guarded struct {
	t         *testing.T
	org       string
	issuer    *issuer.Issuer
	authority *authority.Authority
	gateway   *gateway.Gateway
}

// consortium is an embedded ledger with a fleet, an epoch that is over, and a request of the lender's.
func consortium(t *testing.T) (*embedded.Ledger, string) {
	t.Helper()
	g := contracttest.Genesis()
	g.EpochZero = time.Now().Unix() - 12*g.EpochSeconds
	l := must(embedded.Create(t.TempDir(), g, embedded.Options{}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	owner := must(l.Book(contracttest.Operator))(t)
	must(owner.RegisterFleet(t.Context(), ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))(t)
	granted(t, owner)
	s := contracttest.Statement(fleetID, 10, 1, time.Now().Add(time.Hour).Truncate(time.Second))
	id, _, err := must(l.Book(contracttest.Lender))(t).Request(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return l, id.String()
}

func serve(t *testing.T, l *embedded.Ledger, org string, change ...func(*server.Options)) *guarded {
	t.Helper()
	own, _ := l.Genesis().Organisation(org)
	book := must(l.Book(org))(t)
	n := &guarded{t: t, org: org}
	n.issuer = must(issuer.Open(t.Context(), t.TempDir(), issuer.Options{URL: issuerURL}))(t)
	n.authority = must(authority.Open(t.TempDir(), org, nil))(t)
	must(book.PublishNode(t.Context(), must(n.authority.Publish(l.ID(), "https://"+org+".example:7443"))(t)))(t)
	o := server.Options{Book: book, Organisation: org, Genesis: l.Genesis(), Caller: server.Guarded}
	for _, fn := range change {
		fn(&o)
	}
	s := server.New(o)
	guard := must(access.New(access.Options{Organisation: *own, Issuers: []access.Issuer{{URL: issuerURL, Keys: n.issuer.Keys}}, Nodes: book.Nodes, Party: s.Party}))(t)
	n.gateway = must(gateway.New(gateway.Options{
		Listen: "127.0.0.1:0", GRPC: "127.0.0.1:0", Certificate: must(n.authority.Server("127.0.0.1"))(t), Guard: guard, Register: s.Register,
		Issuer: n.issuer.Handler(), IssuerPath: "/node", Bounds: gateway.Bounds{Stop: 100 * time.Millisecond},
	}))(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.gateway.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *guarded) token(roles ...access.Role) string {
	n.t.Helper()
	return must(n.issuer.Mint(issuer.Claims{Subject: "ada", Audience: access.Audience(n.org), Roles: roles, Lifetime: time.Minute}))(n.t)
}

func (n *guarded) person(roles ...access.Role) *client.Client {
	n.t.Helper()
	return n.dial(client.Options{Roots: n.authority.Pool(), Token: client.Token(n.token(roles...))})
}

func (n *guarded) dial(o client.Options) *client.Client {
	n.t.Helper()
	o.Address = n.gateway.GRPC().String()
	c := must(client.Dial(o))(n.t)
	n.t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
	return c
}

// rest makes a call by REST and gives what came back.
func (n *guarded) rest(method, path, body string, roles ...access.Role) (int, map[string]any) {
	n.t.Helper()
	request := must(http.NewRequestWithContext(n.t.Context(), method, "https://"+n.gateway.REST().String()+path, strings.NewReader(body)))(n.t)
	request.Header.Set("Authorization", "Bearer "+n.token(roles...))
	request.Header.Set("Idempotency-Key", "k-1")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.authority.Pool(), MinVersion: tls.VersionTLS13}}
	defer transport.CloseIdleConnections()
	answer := must((&http.Client{Transport: transport, Timeout: patience}).Do(request))(n.t)
	defer answer.Body.Close() //nolint:errcheck // it was read
	text := must(io.ReadAll(io.LimitReader(answer.Body, 1<<20)))(n.t)
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		n.t.Fatalf("%s: %v", text, err)
	}
	return answer.StatusCode, out
}

// People call the whole interface within their roles.
func TestPeopleCallTheNode(t *testing.T) {
	l, asked := consortium(t)
	owner, lender := serve(t, l, contracttest.Operator), serve(t, l, contracttest.Lender)
	viewer, operator := owner.person(access.Viewer), owner.person(access.Operator)
	got := must(viewer.Requests.GetRequest(within(t), &assayv1.GetRequestRequest{Request: asked}))(t)
	if got.GetRequest().GetRequester() != contracttest.Lender || !got.GetAssessment().GetAllowed() {
		t.Errorf("a viewer sees %v", got)
	}
	_, err := viewer.Requests.RefuseRequest(within(t), &assayv1.RefuseRequestRequest{Request: asked, Reasons: []string{"no"}})
	if p, _ := client.ProblemOf(err); p.Code != codes.PermissionDenied || p.Reason != "forbidden" {
		t.Errorf("a viewer refuses: %v", err)
	}
	refused := must(operator.Requests.RefuseRequest(within(t), &assayv1.RefuseRequestRequest{Request: asked, Reasons: []string{"no grant"}}))(t).GetRequest()
	if refused.GetStatus() != assayv1.RequestStatus_REQUEST_STATUS_REFUSED {
		t.Errorf("refused is %v", refused)
	}
	_, err = owner.dial(client.Options{Roots: owner.authority.Pool(), Token: client.Token(lender.token(access.Administrator))}).Node.GetStatus(within(t), &assayv1.GetStatusRequest{})
	if p, _ := client.ProblemOf(err); p.Code != codes.Unauthenticated {
		t.Errorf("another organisation's token: %v", err)
	}
	status, body := owner.rest(http.MethodGet, "/v1/requests/"+asked, "", access.Viewer)
	if request, _ := body["request"].(map[string]any); status != http.StatusOK || request["status"] != "REQUEST_STATUS_REFUSED" {
		t.Errorf("by REST: %d %v", status, body)
	}
	question := must(json.Marshal(map[string]string{"statement": strings.Replace(question, `"epoch": 11`, `"epoch": 10`, 1)}))(t)
	_, first := lender.rest(http.MethodPost, "/v1/requests", string(question), access.Operator)
	status, again := lender.rest(http.MethodPost, "/v1/requests", string(question), access.Operator)
	id := func(m map[string]any) any { request, _ := m["request"].(map[string]any); return request["id"] }
	if status != http.StatusOK || id(first) == nil || id(first) != id(again) {
		t.Errorf("one call twice by REST: %d %v, %v", status, first, again)
	}
}

func digest(text string) (d commit.Digest, err error) {
	err = d.UnmarshalText([]byte(text))
	return d, err
}

// peer calls another organisation's node as this one's, as the ledger has its certificate.
func (n *guarded) peer(l *embedded.Ledger, at *guarded) *client.Client {
	n.t.Helper()
	records := must(must(l.Book(n.org))(n.t).Nodes(n.t.Context()))(n.t)
	for i := range records {
		if records[i].Organisation == at.org {
			config := must(access.PeerTLS(&records[i], must(n.authority.Client())(n.t)))(n.t)
			config.ServerName = "127.0.0.1"
			return at.dial(client.Options{TLS: config})
		}
	}
	n.t.Fatalf("the node of %s is not on the ledger", at.org)
	return nil
}

// The lender's node follows its request at the owner's, as the ledger has its certificate, and sees nothing else.
func TestNodeWatchesAtAnothersNode(t *testing.T) {
	l, asked := consortium(t)
	owner, lender, rival := serve(t, l, contracttest.Operator), serve(t, l, contracttest.Lender), serve(t, l, contracttest.Rival)
	seen := 0
	err := lender.peer(l, owner).Watch(within(t), asked, func(r *assayv1.Request, _ *assayv1.Progress) error {
		if seen++; seen > 1 {
			return nil
		}
		_, err := must(l.Book(contracttest.Lender))(t).Withdraw(t.Context(), must(digest(asked))(t))
		return err
	})
	if err != nil || seen != 2 {
		t.Errorf("saw %d, %v", seen, err)
	}
	if _, err := rival.peer(l, owner).Requests.GetRequest(within(t), &assayv1.GetRequestRequest{Request: asked}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("who is no party: %v", err)
	}
	if _, err := lender.peer(l, owner).Requests.ListRequests(within(t), &assayv1.ListRequestsRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a node lists: %v", err)
	}
}

// holds is a node's part in queries that has one item for one organisation.
type holds struct {
	server.Queries
	caller, item string
	data         []byte
}

func (h *holds) Item(_ context.Context, caller string, _ commit.Digest, item string, size int) ([]byte, error) {
	switch {
	case caller != h.caller:
		return nil, party.ErrForbidden
	case item != h.item:
		return nil, party.ErrNotYet
	case size != len(h.data):
		return nil, party.ErrUnknown
	}
	return h.data, nil
}

// A node fetches what another's has for it, under the name in its certificate. Nobody else does: no other node, no person whatever their role.
func TestNodeFetchesFromAnothersNode(t *testing.T) {
	l, _ := consortium(t)
	h := &holds{caller: contracttest.Lender, item: "input of operator", data: bytes.Repeat([]byte{1, 2, 3}, 100_000)}
	owner := serve(t, l, contracttest.Operator, func(o *server.Options) { o.Queries = h })
	lender, rival := serve(t, l, contracttest.Lender), serve(t, l, contracttest.Rival)
	session := commit.Digest{7}
	c := lender.peer(l, owner)
	if got := must(c.Item(within(t), session, h.item, len(h.data)))(t); !bytes.Equal(got, h.data) {
		t.Errorf("got %d bytes", len(got))
	}
	for name, try := range map[string]struct {
		client *client.Client
		item   string
		size   int
		want   error
	}{
		"another node":        {rival.peer(l, owner), h.item, len(h.data), client.ErrForbidden},
		"an administrator":    {owner.person(access.Administrator), h.item, len(h.data), client.ErrForbidden},
		"not yet":             {c, "share", 5, client.ErrNotYet},
		"nothing of that":     {c, h.item, 5, client.ErrUnknown},
		"a node without part": {lender.peer(l, rival), h.item, 5, client.ErrUnknown},
	} {
		if _, err := try.client.Item(within(t), session, try.item, try.size); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
}
