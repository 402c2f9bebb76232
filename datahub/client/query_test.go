package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

// told is a node that tells what a test says of queries: what each stream of WatchQuery has, after which it breaks, but for the last.
type told struct {
	assayv1.UnimplementedQueryServiceServer
	assayv1.UnimplementedSessionServiceServer
	streams [][]*assayv1.WatchQueryResponse
	opened  atomic.Int32
	ids     []string
}

func (n *told) WatchQuery(_ *assayv1.WatchQueryRequest, out grpc.ServerStreamingServer[assayv1.WatchQueryResponse]) error {
	i := int(n.opened.Add(1)) - 1
	for _, m := range n.streams[i] {
		if err := out.Send(m); err != nil {
			return err
		}
	}
	if i < len(n.streams)-1 {
		return status.Error(codes.Unavailable, "gone")
	}
	return nil
}

// page is the entry behind a token, one at a time.
func (n *told) page(token string) (id, next string) {
	i := slices.Index(n.ids, token) + 1
	if i < len(n.ids)-1 {
		next = n.ids[i]
	}
	return n.ids[i], next
}

func (n *told) ListQueries(_ context.Context, in *assayv1.ListQueriesRequest) (*assayv1.ListQueriesResponse, error) {
	id, next := n.page(in.GetPageToken())
	return &assayv1.ListQueriesResponse{Queries: []*assayv1.Query{{Id: id, Requester: in.GetRequester()}}, NextPageToken: next}, nil
}

func (n *told) ListSessions(_ context.Context, in *assayv1.ListSessionsRequest) (*assayv1.ListSessionsResponse, error) {
	id, next := n.page(in.GetPageToken())
	return &assayv1.ListSessionsResponse{Sessions: []*assayv1.Session{{Id: id, Receiver: in.GetRequester()}}, NextPageToken: next}, nil
}

func (n *told) client(t *testing.T) *client.Client {
	t.Helper()
	at := &node{t: t}
	certificate := at.certify()
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})))
	assayv1.RegisterQueryServiceServer(s, n)
	assayv1.RegisterSessionServiceServer(s, n)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	at.address = listener.Addr().String()
	go s.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(s.Stop)
	return at.dial(nil)
}

// A stream that breaks is opened again, and what came before does not come twice.
func TestWatchedQueryGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("waits between tries")
	}
	query := func(s assayv1.QueryStatus) *assayv1.Query { return &assayv1.Query{Id: "q", Status: s} }
	session := func(entries int) *assayv1.Session {
		return &assayv1.Session{Id: "s", Entries: make([]*assayv1.SessionEntry, entries)}
	}
	open, running, answered := assayv1.QueryStatus_QUERY_STATUS_OPEN, assayv1.QueryStatus_QUERY_STATUS_RUNNING, assayv1.QueryStatus_QUERY_STATUS_ANSWERED
	n := &told{streams: [][]*assayv1.WatchQueryResponse{
		{{Query: query(open)}, {Query: query(running), Session: session(0)}},
		{{Query: query(running), Session: session(0)}, {Session: session(1)}},
		{{Query: query(running), Session: session(1)}, {Query: query(answered), Session: session(2)}},
	}}
	c := n.client(t)
	type seen struct {
		status  assayv1.QueryStatus
		entries int
	}
	var got []seen
	see := func(q *assayv1.Query, s *assayv1.Session) error {
		one := seen{q.GetStatus(), -1}
		if s != nil {
			one.entries = len(s.GetEntries())
		}
		got = append(got, one)
		return nil
	}
	if err := c.WatchQuery(within(t), "q", see); err != nil {
		t.Fatal(err)
	}
	if want := []seen{{open, -1}, {running, 0}, {0, 1}, {answered, 2}}; !slices.Equal(got, want) {
		t.Errorf("saw %v, want %v", got, want)
	}
	n.opened.Store(2)
	stop := errors.New("enough")
	if err := c.WatchQuery(within(t), "q", func(*assayv1.Query, *assayv1.Session) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the caller's own error becomes %v", err)
	}
}

func TestListsOfQueriesAreReadToTheirEnd(t *testing.T) {
	n := &told{ids: []string{"a", "b", "c"}}
	c := n.client(t)
	var queries, sessions []string
	for q, err := range c.AllQueries(within(t), &assayv1.ListQueriesRequest{Requester: "lender"}) {
		if err != nil || q.GetRequester() != "lender" {
			t.Fatal(q, err)
		}
		queries = append(queries, q.GetId())
	}
	for s, err := range c.AllSessions(within(t), &assayv1.ListSessionsRequest{Requester: "lender"}) {
		if err != nil || s.GetReceiver() != "lender" {
			t.Fatal(s, err)
		}
		sessions = append(sessions, s.GetId())
	}
	if !slices.Equal(queries, n.ids) || !slices.Equal(sessions, n.ids) {
		t.Errorf("queries %v, sessions %v", queries, sessions)
	}
}
