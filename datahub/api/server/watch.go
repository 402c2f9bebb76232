package server

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// watchRetry is when a watcher looks again after the ledger did not answer.
	watchRetry = 5 * time.Second
	// lookAgain is when it looks without being told to, should it ever not be told.
	lookAgain = time.Minute
	// progressEvery is the least time between two messages of progress.
	progressEvery = 200 * time.Millisecond
)

// ended says that nothing more can follow.
func ended(s ledger.Status) bool { return s != ledger.StatusOpen && !s.Approved() }

// WatchRequest sends a request whenever it changed, and progress in between.
func (s *requestService) WatchRequest(in *assayv1.WatchRequestRequest, out grpc.ServerStreamingServer[assayv1.WatchRequestResponse]) error {
	ctx := out.Context()
	id, err := digestOf("request", in.GetRequest())
	if err != nil {
		return err
	}
	look, stop := s.changes.watch(topic{request: &id})
	defer stop()
	w := &requestWatch{Server: s.Server, id: id, out: out}
	if done, err := w.look(ctx); done || err != nil {
		return err
	}
	updates, end, err := w.progressFor(ctx)
	if err != nil {
		return err
	}
	defer end()
	return w.run(ctx, look, updates)
}

// progressFor watches the progress for whoever may have it from this node. Another organisation's node has none from here of a proof that is made elsewhere: it would
// make this one ask there, and be told what it may ask itself.
func (w *requestWatch) progressFor(ctx context.Context) (updates <-chan Progress, end func(), err error) {
	caller, err := w.caller(ctx)
	if err != nil {
		return nil, nil, err
	}
	if w.Progress == nil || !caller.own() && w.owner != w.Organisation {
		return nil, func() {}, nil
	}
	updates, end = w.Progress.Watch(w.id)
	return updates, end, nil
}

// requestWatch is what one caller has seen of a request.
type requestWatch struct {
	*Server
	id     commit.Digest
	out    grpc.ServerStreamingServer[assayv1.WatchRequestResponse]
	last   *assayv1.Request
	expiry time.Time
	owner  string
	// waiting is the latest progress that was not sent yet.
	waiting  *Progress
	progress time.Time
}

// run looks at the request when there is a reason to, until it has ended. An outage of the ledger is waited for.
func (w *requestWatch) run(ctx context.Context, look <-chan struct{}, updates <-chan Progress) error {
	timer := time.NewTimer(w.next(nil))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p, ok := <-updates:
			if !ok {
				updates = nil
				continue
			}
			w.waiting = &p
			continue
		case <-w.progressDue():
			if err := w.sendProgress(); err != nil {
				return err
			}
			continue
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

// progressDue has something when there is progress that may be sent.
func (w *requestWatch) progressDue() <-chan time.Time {
	if w.waiting == nil {
		return nil
	}
	return time.After(time.Until(w.progress.Add(progressEvery)))
}

// next is when to look without being told to: when the request expires, by the ledger's clock, which may be behind this one.
func (w *requestWatch) next(err error) time.Duration {
	if err != nil {
		return watchRetry
	}
	return w.untilExpired(w.expiry)
}

// untilExpired is how long to wait until something expires, or has to be looked at anyway.
func (s *Server) untilExpired(at time.Time) time.Duration {
	return min(max(at.Sub(s.Clock())+time.Second, time.Second), lookAgain)
}

// look sends the request if it changed, and reports whether it has ended.
func (w *requestWatch) look(ctx context.Context) (done bool, err error) {
	entry, err := w.visible(ctx, w.id)
	if err != nil {
		return false, err
	}
	w.expiry, w.owner = time.Unix(entry.Request.Expiry, 0), entry.Request.Owner
	now, err := requestMessage(entry)
	if err != nil {
		return true, err
	}
	if !proto.Equal(now, w.last) {
		if err := w.out.Send(&assayv1.WatchRequestResponse{Request: now}); err != nil {
			return true, gone(err)
		}
		w.last = now
	}
	return ended(entry.Status), nil
}

func (w *requestWatch) sendProgress() error {
	p := w.waiting
	w.waiting, w.progress = nil, time.Now()
	m := &assayv1.Progress{Stage: p.Stage, Done: count(p.Done), Total: count(p.Total)}
	if err := w.out.Send(&assayv1.WatchRequestResponse{Progress: m}); err != nil {
		return gone(err)
	}
	return nil
}

func count(n int) uint64 { return uint64(max(n, 0)) }
