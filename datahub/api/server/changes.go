package server

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// changes tells those who watch that something on the ledger may have changed. One follower reads the events for all of them, while there are any. A watcher is told
// no more than to look again, so that nothing queues up: being told twice before it looks is being told once.
type changes struct {
	book ledger.Book
	log  *slog.Logger

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	stop     context.CancelFunc // of the follower, nil when none runs
}

// topic is what a watcher looks at: a request, a query with its sessions, or, if it names neither, alerts.
type topic struct{ request, query *commit.Digest }

// concerned reports whether an event is about it.
func (t topic) concerned(e *ledger.EventPayload, alert bool) bool {
	switch {
	case t.request != nil:
		return e.Request != nil && *t.request == *e.Request
	case t.query != nil:
		return e.Query != nil && *t.query == *e.Query
	}
	return alert
}

type watcher struct {
	topic
	look chan struct{}
}

const (
	followPause    = time.Second
	followPauseMax = 15 * time.Second
)

func newChanges(book ledger.Book, log *slog.Logger) *changes {
	return &changes{book: book, log: log, watchers: map[*watcher]struct{}{}}
}

// watch gives a channel that has something whenever there is a reason to look, until stop is called.
func (c *changes) watch(of topic) (look <-chan struct{}, stop func()) {
	w := &watcher{topic: of, look: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[w] = struct{}{}
	if c.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		c.stop = cancel
		go c.follow(ctx)
	}
	return w.look, func() { c.leave(w) }
}

func (c *changes) leave(w *watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.watchers, w)
	if len(c.watchers) == 0 && c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// tell wakes the watchers whom an event concerns; all of them if everything may have changed.
func (c *changes) tell(everything bool, e ledger.EventPayload, alert bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watchers {
		if !everything && !w.concerned(&e, alert) {
			continue
		}
		select {
		case w.look <- struct{}{}:
		default:
		}
	}
}

// follow reads events from the ledger's head on. When it cannot, it tries again, and then everything may have changed.
func (c *changes) follow(ctx context.Context) {
	for pause := followPause; ; pause = min(2*pause, followPauseMax) {
		began := time.Now()
		err := c.read(ctx)
		if ctx.Err() != nil {
			return
		}
		c.log.WarnContext(ctx, "following the ledger for those who watch: will try again", "error", err)
		if time.Since(began) > followPauseMax {
			pause = followPause // it went well for a while
		}
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

func (c *changes) read(ctx context.Context) error {
	head, err := c.book.Head(ctx)
	if err != nil {
		return err
	}
	c.tell(true, ledger.EventPayload{}, true)
	for e, err := range c.book.Events(ctx, head.Height+1, 0) {
		if err != nil {
			return err
		}
		c.tell(false, e.Payload, e.Name == ledger.EventAlerted)
	}
	return nil
}
