package ingest

import (
	"context"
	"sync"
)

// fence tells when all frames of an epoch are stored.
type fence struct {
	mu       sync.Mutex
	latest   uint64
	underWay map[uint64]int
	changed  chan struct{} // closed and replaced at every change
}

func newFence() *fence { return &fence{underWay: map[uint64]int{}, changed: make(chan struct{})} }

// enter numbers the epoch of a batch and keeps it open. The clock is read under the lock: whoever waits for an epoch that
// has ended cannot miss a batch whose clock was read before.
func (f *fence) enter(epochNow func() (uint64, error)) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	epoch, err := epochNow()
	if err != nil {
		return 0, err
	}
	f.latest = max(f.latest, epoch)
	f.underWay[f.latest]++
	return f.latest, nil
}

func (f *fence) leave(epoch uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.underWay[epoch]--; f.underWay[epoch] == 0 {
		delete(f.underWay, epoch)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fence) wait(ctx context.Context, epoch uint64) error {
	for {
		f.mu.Lock()
		open := false
		for e := range f.underWay {
			open = open || e <= epoch
		}
		changed := f.changed
		f.mu.Unlock()
		if !open {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
