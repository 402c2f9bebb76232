package desk

import (
	"sync"

	"github.com/assay-net/assay/zk/commit"
)

// The stages of a proof that this process makes. Where a request stands besides is on the ledger.
const (
	Proving    = "proving"
	Submitting = "submitting"
)

// Progress is how far a proof is: Done of Total partial proofs, where the stage has any.
type Progress struct {
	Stage       string
	Done, Total int
}

// progress tells those who watch.
type progress struct {
	mu       sync.Mutex
	last     map[commit.Digest]Progress
	watchers map[commit.Digest]map[*watcher]struct{}
}

// watcher is told what is new, without waiting, and that nothing comes any more.
type watcher struct {
	tell func(Progress)
	end  func()
}

func (p *progress) tell(id commit.Digest, now Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[commit.Digest]Progress{}
	}
	p.last[id] = now
	for w := range p.watchers[id] {
		w.tell(now)
	}
}

// end lets everybody go who watches a request.
func (p *progress) end(id commit.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watchers[id] {
		w.end()
	}
	delete(p.watchers, id)
	delete(p.last, id)
}

func (p *progress) watch(id commit.Digest, w *watcher) (stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watchers == nil {
		p.watchers = map[commit.Digest]map[*watcher]struct{}{}
	}
	if p.watchers[id] == nil {
		p.watchers[id] = map[*watcher]struct{}{}
	}
	p.watchers[id][w] = struct{}{}
	if now, ok := p.last[id]; ok {
		w.tell(now)
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if delete(p.watchers[id], w); len(p.watchers[id]) == 0 {
			delete(p.watchers, id)
		}
	}
}

// Watch gives the progress of a request: the last that there was, then what is new, of which a slow reader gets the latest. The channel is closed when the desk is
// done with the request. Stop must be called.
func (d *Desk) Watch(request commit.Digest) (updates <-chan Progress, stop func()) {
	return Watched[Progress]{Desk: d, As: func(p Progress) Progress { return p }}.Watch(request)
}

// Watched is a desk whose progress is given as another type: an interface's own.
type Watched[P any] struct {
	Desk *Desk
	As   func(Progress) P
}

// Watch is Desk.Watch.
func (v Watched[P]) Watch(request commit.Digest) (updates <-chan P, stop func()) {
	c := make(chan P, 1)
	return c, v.Desk.progress.watch(request, &watcher{
		tell: func(p Progress) {
			select {
			case <-c: // the one before, if nobody took it; only this function puts any in, and one at a time
			default:
			}
			c <- v.As(p)
		},
		end: func() { close(c) },
	})
}
