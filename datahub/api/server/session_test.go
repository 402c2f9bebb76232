package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// fetch fetches an item as another organisation's node.
func (w *world) fetch(n *node, in *assayv1.FetchItemRequest, headers ...string) (chunks [][]byte, err error) {
	w.t.Helper()
	stream := must(n.sessions().FetchItem(w.call(headers...), in))(w.t)
	offset := uint64(0)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return chunks, nil
		}
		if err != nil {
			return chunks, err
		}
		if m.GetOffset() != offset || len(m.GetData()) == 0 || len(m.GetData()) > 64<<10 {
			w.t.Errorf("a chunk of %d bytes at %d, after %d", len(m.GetData()), m.GetOffset(), offset)
		}
		offset += uint64(len(m.GetData()))
		chunks = append(chunks, m.GetData())
	}
}

// Items are for other organisations' nodes alone, who learn why there is none, and nothing of what goes wrong beneath.
func TestItemsAreForPeers(t *testing.T) {
	w := newWorld(t)
	p := newPart()
	n := w.node(operator, asPart(p))
	session := strings.Repeat("ab", 32)
	item := func(name string, size int) *assayv1.FetchItemRequest {
		return &assayv1.FetchItemRequest{Session: session, Item: name, Size: uint32(size)}
	}
	for _, size := range []int{1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		p.items["public"] = bytes.Repeat([]byte{7}, size)
		chunks, err := w.fetch(n, item("public", size), peerHeader, lender)
		if err != nil || !bytes.Equal(slices.Concat(chunks...), p.items["public"]) {
			t.Errorf("%d bytes: %d chunks, %v", size, len(chunks), err)
		}
	}
	if got := p.calls[0]; got != "lender "+session+" public 1" {
		t.Errorf("asked is %q", got)
	}
	p.items["input of rival"] = make([]byte, 5)
	for name, c := range map[string]struct {
		in     *assayv1.FetchItemRequest
		code   codes.Code
		reason string
	}{
		"not yet":        {item("alive", 1), codes.FailedPrecondition, server.ReasonNotYet},
		"another's":      {item("part", 1), codes.PermissionDenied, access.ReasonForbidden},
		"of no session":  {item("share", 1), codes.NotFound, string(ledger.NotFound)},
		"broken":         {item("broken", 1), codes.Unavailable, access.ReasonUnavailable},
		"another length": {item("input of rival", 4), codes.Internal, access.ReasonInternal},
		"nothing":        {item("public", 0), codes.InvalidArgument, access.ReasonInvalid},
		"too much":       {item("public", 16<<20+1), codes.InvalidArgument, access.ReasonInvalid},
		"a path":         {item("../public", 1), codes.InvalidArgument, access.ReasonInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			chunks, err := w.fetch(n, c.in, peerHeader, lender)
			if s := refused(t, err, c.code, c.reason, ""); len(chunks) > 0 || strings.Contains(s.String(), "/var/lib") {
				t.Errorf("%d chunks, then %v", len(chunks), s)
			}
		})
	}
	asked := len(p.calls)
	_, err := w.fetch(n, item("public", 1<<20))
	refused(t, err, codes.PermissionDenied, access.ReasonForbidden, "nodes alone")
	if len(p.calls) != asked {
		t.Errorf("a person's call reached %v", p.calls[asked:])
	}
	_, err = w.fetch(w.node(operator, nil), item("public", 1), peerHeader, lender)
	refused(t, err, codes.NotFound, string(ledger.NotFound), "nothing of the session")
}

// A node that takes an item too slowly does not hold it for as long as it likes.
func TestItemIsTakenInTime(t *testing.T) {
	w := newWorld(t)
	p := newPart()
	p.items["public"] = make([]byte, 16<<20)
	n := w.node(operator, asPart(p))
	in := &assayv1.FetchItemRequest{Session: strings.Repeat("ab", 32), Item: "public", Size: 16 << 20}
	stream := must(n.sessions().FetchItem(w.call(peerHeader, lender), in))(t)
	must(stream.Recv())(t)
	w.clock.Add(int64((time.Hour - time.Second).Seconds())) // a stream may be older
	got, err := 0, error(nil)
	for ; err == nil; got++ {
		_, err = stream.Recv()
	}
	refused(t, err, codes.ResourceExhausted, access.ReasonTooMany, "taken within")
	if chunks, err := w.fetch(n, in, peerHeader, lender); err != nil || len(chunks) <= got {
		t.Errorf("anew: %d chunks after %d, %v", len(chunks), got, err)
	}
}

// A node tells what it sees of a session; what went wrong holds names of hosts and files, so that is for administrators.
func TestViewOfASession(t *testing.T) {
	w := newQueryWorld(t)
	id := digestOf(t, w.asks(aQuery()).GetId())
	w.approves(id, theOwners()...)
	session := w.begins(id)
	w.posts(session, ledger.RoundKey, everyone()...)
	p, since := newPart(), time.Unix(1_800_000_000, 0)
	p.states[session] = party.State{Query: id, Session: session, Role: "owner", Phase: "ready", Since: since, Waiting: []string{rival}, Error: "dial tcp 10.1.2.3"}
	in := &assayv1.GetSessionRequest{Session: session.String()}
	for _, administrator := range []bool{false, true} {
		n := w.node(operator, func(o *server.Options) {
			o.Queries = p
			o.Caller = func(context.Context) (server.Caller, bool) {
				return server.Caller{Name: "ada", Administrator: administrator}, true
			}
		})
		got := must(n.sessions().GetSession(w.call(), in))(t)
		want := &assayv1.SessionView{Role: "owner", Phase: "ready", Since: timestamppb.New(since), WaitingFor: []string{rival}, Problem: "dial tcp 10.1.2.3"}
		if !administrator {
			want.Problem = "administrators, and the node's log, are told what"
		}
		if diff := cmp.Diff(want, got.GetView(), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		s := got.GetSession()
		if len(s.GetEntries()) != 5 || s.GetQuery() != id.String() || s.GetReceiver() != lender || s.GetRegulator() != regulator || s.GetThreshold() != 2 || s.GetMinimumInputs() != 3 ||
			len(s.GetSeats()) != 3 || s.GetSeats()[2].GetFleet() != fleetOf(third) || s.GetStatus() != assayv1.SessionStatus_SESSION_STATUS_OPEN {
			t.Errorf("session is %v", s)
		}
	}
	if got := must(w.node(rival, asPart(p)).sessions().GetSession(w.call(), &assayv1.GetSessionRequest{Session: w.begins(id).String()}))(t); got.GetView() != nil {
		t.Errorf("of another session it sees %v", got.GetView())
	}
	_, err := w.node(rival, nil).sessions().GetSession(w.call(), &assayv1.GetSessionRequest{Session: id.String()})
	refused(t, err, codes.NotFound, string(ledger.NotFound), "not known")
}

// Every list gives each entry once, whatever the page's size, and only what is wanted.
func TestPagesOfQueriesAndSessions(t *testing.T) {
	w := newQueryWorld(t)
	var asked, begun []string
	for i := range 4 {
		id := digestOf(t, w.asks(strings.Replace(aQuery(), `"minimum_cohort": 10`, `"minimum_cohort": 1`+string(rune('0'+i)), 1)).GetId())
		asked = append(asked, id.String())
		if i%2 == 0 {
			w.approves(id, theOwners()...)
			first := w.begins(id)
			w.posts(first, ledger.RoundAbort, lender)
			begun = append(begun, first.String(), w.begins(id).String())
		}
	}
	slices.Sort(asked)
	slices.Sort(begun)
	n := w.node(regulator, nil)
	for _, size := range []int32{1, 3, 0} {
		var queries, sessions []string
		for token := ""; ; {
			page := must(n.queries().ListQueries(w.call(), &assayv1.ListQueriesRequest{PageSize: size, PageToken: token}))(t)
			for _, q := range page.GetQueries() {
				if queries = append(queries, q.GetId()); q.GetQuery() != "" || len(q.GetParts()) != 3 {
					t.Errorf("listed is %v", q)
				}
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		for token := ""; ; {
			page := must(n.sessions().ListSessions(w.call(), &assayv1.ListSessionsRequest{PageSize: size, PageToken: token}))(t)
			for _, s := range page.GetSessions() {
				if sessions = append(sessions, s.GetId()); len(s.GetEntries()) != 0 || (s.GetEnd() == nil) != (s.GetStatus() == assayv1.SessionStatus_SESSION_STATUS_OPEN) {
					t.Errorf("listed is %v", s)
				}
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		slices.Sort(sessions)
		if !slices.Equal(queries, asked) || !slices.Equal(sessions, begun) {
			t.Errorf("size %d: queries %v of %v, sessions %v of %v", size, queries, asked, sessions, begun)
		}
	}
	for name, c := range map[string]struct {
		in   *assayv1.ListQueriesRequest
		want int
	}{
		"fleet": {&assayv1.ListQueriesRequest{Fleet: fleetOf(third)}, 4}, "another fleet": {&assayv1.ListQueriesRequest{Fleet: "fleet-z"}, 0},
		"requester": {&assayv1.ListQueriesRequest{Requester: operator}, 0}, "running": {&assayv1.ListQueriesRequest{Status: assayv1.QueryStatus_QUERY_STATUS_RUNNING}, 2},
	} {
		if page := must(n.queries().ListQueries(w.call(), c.in))(t); len(page.GetQueries()) != c.want {
			t.Errorf("%s: %v", name, page)
		}
	}
	for name, c := range map[string]struct {
		in   *assayv1.ListSessionsRequest
		want int
	}{
		"fleet": {&assayv1.ListSessionsRequest{Fleet: fleetOf(third)}, 4}, "another requester": {&assayv1.ListSessionsRequest{Requester: rival}, 0},
		"aborted": {&assayv1.ListSessionsRequest{Status: assayv1.SessionStatus_SESSION_STATUS_ABORTED}, 2}, "answered": {&assayv1.ListSessionsRequest{Status: assayv1.SessionStatus_SESSION_STATUS_ANSWERED}, 0},
	} {
		if page := must(n.sessions().ListSessions(w.call(), c.in))(t); len(page.GetSessions()) != c.want {
			t.Errorf("%s: %v", name, page)
		}
	}
	token := must(n.queries().ListQueries(w.call(), &assayv1.ListQueriesRequest{PageSize: 1}))(t).GetNextPageToken()
	_, err := n.sessions().ListSessions(w.call(), &assayv1.ListSessionsRequest{PageSize: 1, PageToken: token})
	refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "page_token")
	_, err = n.queries().ListQueries(w.call(), &assayv1.ListQueriesRequest{PageSize: 1, PageToken: token, Fleet: fleetOf(third)})
	refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "page_token")
}
