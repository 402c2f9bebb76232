package server

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// WatchQuery sends a query and the session that counts whenever they changed.
func (s *queryService) WatchQuery(in *assayv1.WatchQueryRequest, out grpc.ServerStreamingServer[assayv1.WatchQueryResponse]) error {
	ctx := out.Context()
	if _, err := s.person(ctx); err != nil {
		return err
	}
	id, err := digestOf("query", in.GetQuery())
	if err != nil {
		return err
	}
	look, stop := s.changes.watch(topic{query: &id})
	defer stop()
	w := &queryWatch{Server: s.Server, id: id, out: out}
	done, err := w.look(ctx)
	if done || err != nil {
		return err
	}
	return w.run(ctx, look)
}

// queryWatch is what one caller has seen of a query.
type queryWatch struct {
	*Server
	id      commit.Digest
	out     grpc.ServerStreamingServer[assayv1.WatchQueryResponse]
	query   *assayv1.Query
	session *assayv1.Session
	expiry  time.Time
	// waits counts how often there was nothing to wait for any more but this node's own result.
	waits int
}

const (
	// waitForResult is between two looks for the node's own result, of which there are so many.
	waitForResult = 250 * time.Millisecond
	maxWaits      = 120
)

// run looks when there is a reason to, until nothing more can follow. An outage of the ledger is waited for.
func (w *queryWatch) run(ctx context.Context, look <-chan struct{}) error {
	timer := time.NewTimer(w.next(nil))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look:
		case <-timer.C:
		}
		done, err := w.look(ctx)
		if done || err != nil && !unanswered(err) {
			return err
		}
		timer.Reset(w.next(err))
	}
}

// next is when to look without being told to: when the query expires, by the ledger's clock, which may be behind this one.
func (w *queryWatch) next(err error) time.Duration {
	switch {
	case err != nil:
		return watchRetry
	case w.waits > 0:
		return waitForResult
	}
	return w.untilExpired(w.expiry)
}

// look sends what changed, and reports whether nothing more can follow.
func (w *queryWatch) look(ctx context.Context) (done bool, err error) {
	entry, err := w.Book.QueryEntry(ctx, w.id)
	if err != nil {
		return false, err
	}
	w.expiry = time.Unix(entry.Record.Query.Expiry, 0)
	now := new(assayv1.WatchQueryResponse)
	if now.Query, err = w.queryMessage(&entry); err != nil {
		return true, err
	}
	if session := latestSession(&entry); session != nil {
		state, err := w.Book.SessionState(ctx, *session)
		if err != nil {
			return false, err
		}
		now.Session = wholeSession(&state)
	}
	if err := w.send(now); err != nil {
		return true, err
	}
	return queryEnded(&entry, w.Clock()) && w.learned(ctx, &entry), nil
}

// learned reports whether the node has what its organisation learned, or need not be waited for: it keeps the result a moment after it is on the ledger.
func (w *queryWatch) learned(ctx context.Context, e *ledger.QueryEntry) bool {
	if e.Status != ledger.QueryAnswered || e.Record.Query.Requester != w.Organisation || w.Queries == nil || w.waits >= maxWaits {
		return true
	}
	if _, err := w.Queries.Result(ctx, w.id); !errors.Is(err, party.ErrNoResult) {
		return true
	}
	w.waits++
	return false
}

// latestSession is the session that counts for a query: the one whose sum was named, or else the last that began.
func latestSession(e *ledger.QueryEntry) *commit.Digest {
	switch n := len(e.Sessions); {
	case e.Activated != nil:
		return &e.Activated.Session
	case n > 0:
		return &e.Sessions[n-1].ID
	}
	return nil
}

// send sends what changed of the two.
func (w *queryWatch) send(now *assayv1.WatchQueryResponse) error {
	if proto.Equal(now.Query, w.query) {
		now.Query = nil
	}
	if proto.Equal(now.Session, w.session) {
		now.Session = nil
	}
	if now.Query == nil && now.Session == nil {
		return nil
	}
	if err := w.out.Send(now); err != nil {
		return gone(err)
	}
	if now.Query != nil {
		w.query = now.Query
	}
	if now.Session != nil {
		w.session = now.Session
	}
	return nil
}

// queryEnded says that nothing more can follow. An answered query is followed by its result, if the requester records one; the result of a score may come after the expiry, and is not
// waited for then.
func queryEnded(e *ledger.QueryEntry, now time.Time) bool {
	switch e.Status {
	case ledger.QueryRefused, ledger.QueryFailed, ledger.QueryExpired:
		return true
	case ledger.QueryAnswered:
		for i := range e.Sessions {
			if end := e.Sessions[i].End; end != nil && end.Round == ledger.RoundResult {
				return true
			}
		}
		return now.Unix() >= e.Record.Query.Expiry
	}
	return false
}
