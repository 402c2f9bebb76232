package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// relay lets an organisation's people see how far the proofs are that it asked for. Where the ledger says that the owner's node is, it watches there, over mutual TLS, once
// for all who watch here. What another organisation's node says is progress and no more: where a request stands is the ledger's to say.
type relay struct {
	book       ledger.Book
	own        string
	neighbours *neighbours
	desk       server.ProgressSource // of what this node proves itself, nil where it proves nothing
	log        *slog.Logger

	mu      sync.Mutex
	watched map[commit.Digest]*relayed
}

// relayed is a request that somebody watches.
type relayed struct {
	watchers map[chan server.Progress]struct{}
	last     *server.Progress
	stop     context.CancelFunc
}

const (
	relayPause    = time.Second
	relayPauseMax = 30 * time.Second
	// maxStage and maxParts bound what is believed of another's progress.
	maxStage = 64
	maxParts = 1 << 20
	// maxRelayed bounds the requests that are watched elsewhere at one time, and relayRate how many messages about one are taken a second.
	maxRelayed = 64
	relayRate  = 10
	relayBurst = 50
)

// Watch gives the progress of a request until stop is called, of which a slow reader gets the latest. The channel is closed when there is nothing more, and
// at once when too many others are watched.
func (r *relay) Watch(request commit.Digest) (updates <-chan server.Progress, stop func()) {
	c := make(chan server.Progress, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.watched[request]
	if w == nil && len(r.watched) >= maxRelayed {
		close(c)
		return c, func() {}
	}
	if w == nil {
		ctx, cancel := context.WithCancel(context.Background())
		w = &relayed{watchers: map[chan server.Progress]struct{}{}, stop: cancel}
		if r.watched == nil {
			r.watched = map[commit.Digest]*relayed{}
		}
		r.watched[request] = w
		go r.follow(ctx, request, w)
	}
	w.watchers[c] = struct{}{}
	if w.last != nil {
		c <- *w.last
	}
	return c, func() { r.leave(request, w, c) }
}

func (r *relay) leave(request commit.Digest, w *relayed, c chan server.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(w.watchers, c)
	if len(w.watchers) == 0 && r.watched[request] == w {
		delete(r.watched, request)
		w.stop()
	}
}

// end lets everybody go who watches.
func (r *relay) end(request commit.Digest, w *relayed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.stop()
	if r.watched[request] == w {
		delete(r.watched, request)
	}
	for c := range w.watchers {
		close(c)
	}
	clear(w.watchers)
}

// tell passes progress on. It is called by one goroutine at a time.
func (r *relay) tell(w *relayed, p server.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.last = &p
	for c := range w.watchers {
		select {
		case <-c: // the one before, if nobody took it
		default:
		}
		c <- p
	}
}

// follow watches until nothing more can follow. The owner's node may be away for a while, and come back elsewhere.
func (r *relay) follow(ctx context.Context, request commit.Digest, w *relayed) {
	defer r.end(request, w)
	for pause := relayPause; ctx.Err() == nil; pause = min(2*pause, relayPauseMax) {
		began := time.Now()
		done, err := r.once(ctx, request, w)
		if done || ctx.Err() != nil {
			return
		}
		r.log.Debug("watching a request at its owner's node: will try again", "request", request, "error", err)
		if time.Since(began) > relayPauseMax {
			pause = relayPause // it went well for a while
		}
		if sleep(ctx, pause/2+rand.N(pause)) != nil {
			return
		}
	}
}

// once watches until the connection ends, and reports whether there is nothing more to watch.
func (r *relay) once(ctx context.Context, request commit.Digest, w *relayed) (done bool, err error) {
	entry, err := r.book.RequestEntry(ctx, request)
	switch {
	case err != nil:
		return ledger.CodeOf(err) == ledger.NotFound, err
	case entry.Request.Owner == r.own:
		return true, r.watchHere(ctx, request, w)
	case entry.Request.Requester != r.own:
		return true, nil // the owner tells nobody else
	}
	owner, err := r.neighbours.of(ctx, entry.Request.Owner)
	if err != nil {
		return false, err
	}
	c, err := r.neighbours.dial(owner)
	if err != nil {
		return false, err
	}
	defer c.Close() //nolint:errcheck // its calls are over
	stream, err := c.Requests.WatchRequest(ctx, &assayv1.WatchRequestRequest{Request: request.String()})
	if err != nil {
		return false, err
	}
	return r.receive(ctx, stream, w)
}

func (r *relay) receive(ctx context.Context, stream grpc.ServerStreamingClient[assayv1.WatchRequestResponse], w *relayed) (done bool, err error) {
	pace := rate.NewLimiter(relayRate, relayBurst)
	for {
		if err := pace.Wait(ctx); err != nil {
			return false, err
		}
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if p := m.GetProgress(); p != nil {
			r.tell(w, server.Progress{
				Stage: ledger.Printable(p.GetStage(), maxStage), Done: int(min(p.GetDone(), maxParts)), Total: int(min(p.GetTotal(), maxParts)),
			})
		}
	}
}

// watchHere passes on what this node's own desk tells.
func (r *relay) watchHere(ctx context.Context, request commit.Digest, w *relayed) error {
	if r.desk == nil {
		return nil
	}
	updates, stop := r.desk.Watch(request)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p, ok := <-updates:
			if !ok {
				return nil
			}
			r.tell(w, p)
		}
	}
}
