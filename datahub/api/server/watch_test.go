package server_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// watching reads a stream of a request's changes.
type watching struct {
	t      *testing.T
	stream grpc.ServerStreamingClient[assayv1.WatchRequestResponse]
}

func (w *world) watching(n *node, request string, headers ...string) *watching {
	w.t.Helper()
	return &watching{w.t, must(n.requests().WatchRequest(w.call(headers...), &assayv1.WatchRequestRequest{Request: request}))(w.t)}
}

// until reads on until the request has a status.
func (w *watching) until(want assayv1.RequestStatus) *assayv1.Request {
	w.t.Helper()
	for {
		m, err := w.stream.Recv()
		if err != nil {
			w.t.Fatalf("waiting for %v: %v", want, err)
		}
		if m.GetRequest().GetStatus() == want {
			return m.GetRequest()
		}
	}
}

func (w *watching) ended() {
	w.t.Helper()
	if m, err := w.stream.Recv(); !errors.Is(err, io.EOF) {
		w.t.Errorf("the stream goes on with %v, %v", m, err)
	}
}

func TestRequestIsWatched(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	id := w.asked(1)
	s := w.watching(w.node(lender, nil), id.String())
	s.until(assayv1.RequestStatus_REQUEST_STATUS_OPEN)
	must(w.book(operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{}}))(t)
	if r := s.until(assayv1.RequestStatus_REQUEST_STATUS_APPROVED); r.GetDecision().GetGrant() == "" {
		t.Errorf("approved is %v", r)
	}
	if err := w.book(operator).StartProof(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.until(assayv1.RequestStatus_REQUEST_STATUS_PROVING)
	must(w.book(operator).Fail(t.Context(), ledger.Fail{Request: id, Reasons: []string{"the records were shredded"}}))(t)
	if r := s.until(assayv1.RequestStatus_REQUEST_STATUS_FAILED); r.GetFailure().GetReasons()[0] != "the records were shredded" {
		t.Errorf("failed is %v", r)
	}
	s.ended()
}

// One that has ended is sent and no more.
func TestWatchOfWhatHasEnded(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	id := w.asked(1)
	must(w.book(operator).Decide(t.Context(), ledger.Decide{Request: id, Reasons: []string{"no"}}))(t)
	n := w.node(operator, nil)
	s := w.watching(n, id.String())
	s.until(assayv1.RequestStatus_REQUEST_STATUS_REFUSED)
	s.ended()
	unknown := w.watching(n, strings.Repeat("ab", 32))
	_, err := unknown.stream.Recv()
	refused(t, err, codes.NotFound, string(ledger.NotFound), "not known")
}

// The ledger goes away and comes back: what happened in between is sent.
func TestWatchSurvivesAnOutage(t *testing.T) {
	slow(t)
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	id, n := w.asked(1), w.node(lender, nil)
	s := w.watching(n, id.String())
	s.until(assayv1.RequestStatus_REQUEST_STATUS_OPEN)
	w.until("the node follows the ledger", func() bool { return n.book.cutEvents.Load() != nil })
	over := n.book.outage()
	must(w.book(operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{}}))(t)
	_, err := n.requests().GetRequest(w.call(), &assayv1.GetRequestRequest{Request: id.String()})
	refused(t, err, codes.Unavailable, access.ReasonUnavailable, "ledger")
	over()
	s.until(assayv1.RequestStatus_REQUEST_STATUS_APPROVED)
}

// It expires without anybody calling.
func TestWatchSeesARequestExpire(t *testing.T) {
	slow(t)
	w := newWorld(t)
	w.at(20, -2*time.Second)
	id := w.asked(1)
	s := w.watching(w.node(lender, nil), id.String())
	s.until(assayv1.RequestStatus_REQUEST_STATUS_OPEN)
	w.at(20, time.Second)
	s.until(assayv1.RequestStatus_REQUEST_STATUS_EXPIRED)
	s.ended()
}

func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

// proving is a source of progress.
type proving struct {
	updates chan server.Progress
	stopped atomic.Bool
}

func (p *proving) Watch(commit.Digest) (<-chan server.Progress, func()) {
	return p.updates, func() { p.stopped.Store(true) }
}

// Progress is sent as it comes, and the latest wins. The watch ends with its caller.
func TestProgressIsSent(t *testing.T) {
	slow(t)
	w := newWorld(t)
	w.at(12, time.Hour)
	id, p := w.asked(1), &proving{updates: make(chan server.Progress, 100)}
	n := w.node(operator, func(o *server.Options) { o.Progress = p })
	ctx, cancel := context.WithCancel(w.call())
	stream := must(n.requests().WatchRequest(ctx, &assayv1.WatchRequestRequest{Request: id.String()}))(t)
	must(stream.Recv())(t)
	for i := range 100 {
		p.updates <- server.Progress{Stage: "proving", Done: i + 1, Total: 100}
	}
	got := 0
	for done := uint64(0); done < 100; got++ {
		m := must(stream.Recv())(t)
		if m.GetProgress().GetDone() <= done {
			t.Fatalf("after %d comes %v", done, m)
		}
		done = m.GetProgress().GetDone()
	}
	if got > 50 {
		t.Errorf("%d messages for 100 updates at once", got)
	}
	close(p.updates)
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the stream ends with %v", err)
	}
	w.until("the source is told", p.stopped.Load)
}

// counted is a source of progress that counts who asks.
type counted struct{ asked atomic.Int64 }

func (c *counted) Watch(commit.Digest) (<-chan server.Progress, func()) {
	c.asked.Add(1)
	return make(chan server.Progress), func() {}
}

// Another organisation's node does not make this one ask elsewhere: it is told the progress of proofs that are made here.
func TestProgressForPeersIsTheNodesOwn(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	for i, c := range []struct {
		node, caller string
		asks         int64
	}{{operator, "", 1}, {operator, lender, 1}, {lender, "", 1}, {lender, operator, 0}} {
		id, source := w.asked(byte(i)), new(counted)
		n := w.node(c.node, func(o *server.Options) { o.Progress = source })
		var headers []string
		if c.caller != "" {
			headers = []string{peerHeader, c.caller}
		}
		s := w.watching(n, id.String(), headers...)
		s.until(assayv1.RequestStatus_REQUEST_STATUS_OPEN)
		must(w.book(operator).Decide(t.Context(), ledger.Decide{Request: id, Reasons: []string{"no"}}))(t)
		s.until(assayv1.RequestStatus_REQUEST_STATUS_REFUSED) // by now the source was asked, or will not be
		if got := source.asked.Load(); got != c.asks {
			t.Errorf("%s's node asked %d times for %q", c.node, got, c.caller)
		}
	}
}

// The node of an organisation that is no party to a request finds none.
func TestPeersSeeTheirRequestsAlone(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	id, n := w.asked(1).String(), w.node(operator, nil)
	for _, party := range []string{lender, operator} {
		got := must(n.requests().GetRequest(w.call(peerHeader, party), &assayv1.GetRequestRequest{Request: id}))(t)
		if got.GetAssessment() != nil {
			t.Errorf("%s is told what the owner may think of it: %v", party, got)
		}
		w.watching(n, id, peerHeader, party).until(assayv1.RequestStatus_REQUEST_STATUS_OPEN)
	}
	_, err := n.requests().GetRequest(w.call(peerHeader, rival), &assayv1.GetRequestRequest{Request: id})
	refused(t, err, codes.NotFound, string(ledger.NotFound), "not known")
	_, err = w.watching(n, id, peerHeader, rival).stream.Recv()
	refused(t, err, codes.NotFound, string(ledger.NotFound), "not known")
	bundle := must(n.proofs().DownloadBundle(w.call(peerHeader, rival), &assayv1.DownloadBundleRequest{Request: id}))(t)
	_, err = bundle.Recv()
	refused(t, err, codes.NotFound, string(ledger.NotFound), "not known")
}

func TestAlertsAreWatched(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	id, n := w.asked(1), w.node(regulator, nil)
	alert := func(text string) {
		t.Helper()
		must(w.book(regulator).Alert(t.Context(), ledger.Alert{Request: id, Text: text}))(t)
	}
	alert("first")
	read := func(after string, want ...string) (cursor string) {
		t.Helper()
		ctx, cancel := context.WithCancel(w.call())
		defer cancel()
		stream := must(n.audit().WatchAlerts(ctx, &assayv1.WatchAlertsRequest{After: after}))(t)
		for _, text := range want {
			if now, new := strings.CutPrefix(text, "new "); new {
				text = now
				alert(text)
			}
			m := must(stream.Recv())(t)
			if m.GetAlert().GetText() != text || m.GetAlert().GetRegulator() != regulator || m.GetAlert().GetRequest() != id.String() {
				t.Errorf("got %v, want %q", m, text)
			}
			cursor = m.GetCursor()
		}
		return cursor
	}
	cursor := read("", "first", "new second")
	w.at(12, 2*time.Hour)
	alert("third")
	// What is about as old as the cursor may come again; the alert of the cursor itself does not.
	read(cursor, "first", "third", "new fourth")
	_, err := must(n.audit().WatchAlerts(w.call(), &assayv1.WatchAlertsRequest{After: "AAAA"}))(t).Recv()
	refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "after")
}

// A watcher misses none over an outage.
func TestAlertsSurviveAnOutage(t *testing.T) {
	slow(t)
	w := newWorld(t)
	w.at(12, time.Hour)
	id, n := w.asked(1), w.node(regulator, nil)
	must(w.book(regulator).Alert(t.Context(), ledger.Alert{Request: id, Text: "first"}))(t)
	stream := must(n.audit().WatchAlerts(w.call(), &assayv1.WatchAlertsRequest{}))(t)
	must(stream.Recv())(t)
	w.until("the node follows the ledger", func() bool { return n.book.cutEvents.Load() != nil })
	over := n.book.outage()
	must(w.book(regulator).Alert(t.Context(), ledger.Alert{Request: id, Text: "second"}))(t)
	over()
	if m := must(stream.Recv())(t); m.GetAlert().GetText() != "second" {
		t.Errorf("got %v", m)
	}
}

func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for more than a second")
	}
}
