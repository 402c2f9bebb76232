package server_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// watchingQuery reads a stream of a query's changes.
type watchingQuery struct {
	*world
	stream  grpc.ServerStreamingClient[assayv1.WatchQueryResponse]
	query   *assayv1.Query
	session *assayv1.Session
}

func (w *world) watchingQuery(n *node, id string) *watchingQuery {
	w.t.Helper()
	return &watchingQuery{world: w, stream: must(n.queries().WatchQuery(w.call(), &assayv1.WatchQueryRequest{Query: id}))(w.t)}
}

// read reads on until something is so.
func (w *watchingQuery) read(what string, is func() bool) {
	w.t.Helper()
	for {
		m, err := w.stream.Recv()
		if err != nil {
			w.t.Fatalf("waiting for %s: %v", what, err)
		}
		if m.GetQuery() == nil && m.GetSession() == nil {
			w.t.Errorf("a message with nothing")
		}
		if m.GetQuery() != nil {
			w.query = m.GetQuery()
		}
		if m.GetSession() != nil {
			w.session = m.GetSession()
		}
		if is() {
			return
		}
	}
}

func (w *watchingQuery) status(want assayv1.QueryStatus) {
	w.t.Helper()
	w.read(want.String(), func() bool { return w.query.GetStatus() == want })
}

// entries are those of the session in a round.
func (w *watchingQuery) entries(round ledger.Round) (out []*assayv1.SessionEntry) {
	for _, e := range w.session.GetEntries() {
		if e.GetRound() == string(round) {
			out = append(out, e)
		}
	}
	return out
}

func (w *watchingQuery) ended() {
	w.t.Helper()
	if m, err := w.stream.Recv(); !errors.Is(err, io.EOF) {
		w.t.Errorf("the stream goes on with %v, %v", m, err)
	}
}

// A query is followed from the asking to the result: each approval, a session that is given up, the next one with every entry in it.
func TestQueryIsWatched(t *testing.T) {
	w := newQueryWorld(t)
	id := digestOf(t, w.asks(aQuery()).GetId())
	s := w.watchingQuery(w.node(regulator, nil), id.String())
	s.status(assayv1.QueryStatus_QUERY_STATUS_OPEN)
	w.approves(id, operator)
	s.read("an approval", func() bool { return s.query.GetParts()[0].GetDecision().GetApproved() })
	w.approves(id, rival, third)
	s.status(assayv1.QueryStatus_QUERY_STATUS_APPROVED)

	first := w.begins(id)
	s.status(assayv1.QueryStatus_QUERY_STATUS_RUNNING)
	w.posts(first, ledger.RoundKey, operator)
	s.read("a key", func() bool { return len(s.entries(ledger.RoundKey)) == 1 })
	w.posts(first, ledger.RoundAbort, rival)
	s.read("an abort", func() bool { return s.session.GetStatus() == assayv1.SessionStatus_SESSION_STATUS_ABORTED })
	if e := s.entries(ledger.RoundAbort)[0]; e.GetReason() != "the fleet is too small" || e.GetDigest() != "" || e.GetParty() != rival {
		t.Errorf("the abort is %v", e)
	}

	second := w.begins(id)
	for _, step := range []struct {
		round   ledger.Round
		parties []string
	}{
		{ledger.RoundKey, everyone()}, {ledger.RoundReady, everyone()}, {ledger.RoundInput, theOwners()}, {ledger.RoundClose, []string{lender}}, {ledger.RoundActivate, []string{lender}},
		{ledger.RoundShare, []string{operator, third, regulator}},
	} {
		w.posts(second, step.round, step.parties...)
		s.read(string(step.round), func() bool {
			return s.session.GetId() == second.String() && len(s.entries(step.round)) == len(step.parties)
		})
	}
	w.posts(second, ledger.RoundResult, lender)
	s.read("a result", func() bool {
		sessions := s.query.GetSessions()
		return len(sessions) == 2 && sessions[1].GetEnd().GetRound() == string(ledger.RoundResult) && len(s.entries(ledger.RoundResult)) == 1
	})
	s.ended()

	if q := s.query; q.GetStatus() != assayv1.QueryStatus_QUERY_STATUS_ANSWERED || q.GetActivated() != second.String() ||
		q.GetSessions()[0].GetStatus() != assayv1.SessionStatus_SESSION_STATUS_ABORTED || q.GetSessions()[0].GetEnd().GetParty() != rival ||
		q.GetSessions()[1].GetStatus() != assayv1.SessionStatus_SESSION_STATUS_ANSWERED {
		t.Errorf("in the end it is %v", q)
	}
	input, named := s.entries(ledger.RoundInput)[0], s.entries(ledger.RoundActivate)[0]
	if input.GetAnchors().GetEpoch() != 11 || input.GetAnchors().GetChunks() != 1 || len(input.GetDigest()) != 64 || !slices.Equal(named.GetOpenedBy(), []string{operator, third}) {
		t.Errorf("input is %v, the sum %v", input, named)
	}
	if again := w.watchingQuery(w.node(lender, nil), id.String()); true {
		again.read("the end", func() bool { return again.session.GetId() == second.String() })
		again.ended()
	}
}

// What a query's watch ends with besides a result.
func TestWatchOfAQueryEnds(t *testing.T) {
	w := newQueryWorld(t)
	n := w.node(lender, nil)
	refusedID := digestOf(t, w.asks(aQuery()).GetId())
	must(w.book(rival).Answer(t.Context(), ledger.Answer{Query: refusedID, Fleet: fleetOf(rival), Reasons: []string{"no"}}))(t)
	s := w.watchingQuery(n, refusedID.String())
	s.status(assayv1.QueryStatus_QUERY_STATUS_REFUSED)
	s.ended()

	failed := digestOf(t, w.asks(aQuery()).GetId())
	w.approves(failed, theOwners()...)
	for range ledger.MaxSessions {
		w.posts(w.begins(failed), ledger.RoundAbort, operator)
	}
	s = w.watchingQuery(n, failed.String())
	s.status(assayv1.QueryStatus_QUERY_STATUS_FAILED)
	s.ended()

	_, err := w.watchingQuery(n, strings.Repeat("ab", 32)).stream.Recv()
	refused(t, err, codes.NotFound, string(ledger.NotFound), "not known")
}

// It expires without anybody calling, and an outage of the ledger is waited for.
func TestWatchSeesAQueryExpire(t *testing.T) {
	slow(t)
	w := newQueryWorld(t)
	n := w.node(lender, asPart(newPart()))
	q := must(n.queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: aQuery()}))(t).GetQuery()
	w.clock.Store(q.GetExpiresAt().GetSeconds() - 2)
	s := w.watchingQuery(n, q.GetId())
	s.status(assayv1.QueryStatus_QUERY_STATUS_OPEN)
	w.until("the node follows the ledger", func() bool { return n.book.cutEvents.Load() != nil })
	over := n.book.outage()
	w.clock.Store(q.GetExpiresAt().GetSeconds())
	time.AfterFunc(100*time.Millisecond, over)
	s.status(assayv1.QueryStatus_QUERY_STATUS_EXPIRED)
	s.ended()
}

// opened is a session of a query in which all is recorded that the requester needs.
func (w *world) opened(id commit.Digest) commit.Digest {
	w.t.Helper()
	w.approves(id, theOwners()...)
	session := w.begins(id)
	w.posts(session, ledger.RoundKey, everyone()...)
	w.posts(session, ledger.RoundReady, everyone()...)
	w.posts(session, ledger.RoundInput, theOwners()...)
	w.posts(session, ledger.RoundClose, lender)
	w.posts(session, ledger.RoundActivate, lender)
	w.posts(session, ledger.RoundShare, operator, third, regulator)
	return session
}

// Once a watch at the requester's node has ended, the result can be had there, which the node keeps a moment after it is on the ledger.
func TestWatchEndsWithTheResult(t *testing.T) {
	w := newQueryWorld(t)
	id, p := digestOf(t, w.asks(aQuery()).GetId()), newPart()
	w.posts(w.opened(id), ledger.RoundResult, lender)
	s := w.watchingQuery(w.node(lender, asPart(p)), id.String())
	s.status(assayv1.QueryStatus_QUERY_STATUS_ANSWERED)
	ended := make(chan error, 1)
	go func() { _, err := s.stream.Recv(); ended <- err }()
	p.mu.Lock()
	p.results[id] = &query.Answer{}
	p.mu.Unlock()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("the stream goes on: %v", err)
	}
}

// An answered query without a result is waited for until it expires.
func TestWatchWaitsForTheResult(t *testing.T) {
	slow(t)
	w := newQueryWorld(t)
	id := digestOf(t, w.asks(aQuery()).GetId())
	w.opened(id)
	entry := must(w.book(lender).QueryEntry(t.Context(), id))(t)
	w.clock.Store(entry.Record.Query.Expiry - 1)
	s := w.watchingQuery(w.node(operator, nil), id.String())
	s.status(assayv1.QueryStatus_QUERY_STATUS_ANSWERED)
	w.clock.Store(entry.Record.Query.Expiry)
	s.ended()
}
