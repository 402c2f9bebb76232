package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// epochOf names an epoch of a fleet.
type epochOf struct {
	fleet string
	epoch uint64
}

// gathering is an epoch whose reports are being gathered: who is still missing, and what was reported.
type gathering struct {
	mu      sync.Mutex
	missing map[commit.DeviceID]time.Time // when it was asked last
	reports map[commit.DeviceID]reported
	closed  map[uint32]bool // chunks that take no report any more
	over    bool            // nobody is asked any more
	done    chan struct{}   // closed when nobody is missing
}

// reported is a report that was taken. It is in the store once the device's frames are stored up to its sequence.
type reported struct {
	digest   commit.Digest // of the attestation
	chunk    uint32
	sequence uint64 // 0 for one that was there before
}

func newGathering() *gathering {
	return &gathering{missing: map[commit.DeviceID]time.Time{}, reports: map[commit.DeviceID]reported{}, closed: map[uint32]bool{}, done: make(chan struct{})}
}

var (
	errFixed  = errors.New("what the chunk commits to is fixed already")
	errSecond = errors.New("the device has reported something else already")
	errAgain  = errors.New("the device has reported this already")
)

// stage notes a report that is about to be stored.
func (g *gathering) stage(id commit.DeviceID, chunk uint32, sequence uint64, attestation []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	digest := commit.Digest(sha256.Sum256(attestation))
	before, there := g.reports[id]
	switch {
	case there && before.digest == digest:
		return errAgain
	case there:
		return errSecond
	case g.closed[chunk]:
		return errFixed
	}
	g.reports[id] = reported{digest, chunk, sequence}
	return nil
}

// stored takes note that a device's frames are in the store up to a sequence. One that was heard from without a report may be asked again: it
// returns true.
func (g *gathering) stored(id commit.DeviceID, through uint64, now time.Time, pause time.Duration) (ask bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	last, missing := g.missing[id]
	if !missing {
		return false
	}
	if r, there := g.reports[id]; there {
		if through >= r.sequence {
			delete(g.missing, id)
			if len(g.missing) == 0 {
				close(g.done)
			}
		}
		return false
	}
	if g.over || now.Sub(last) < pause {
		return false
	}
	g.missing[id] = now
	return true
}

// any says whether a device of the chunk has reported.
func (g *gathering) any(chunk uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.reports {
		if r.chunk == chunk {
			return true
		}
	}
	return false
}

// underWay are the chunk's devices whose report was taken and is not in the store yet.
func (g *gathering) underWay(chunk uint32) []commit.DeviceID {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []commit.DeviceID
	for id := range g.missing {
		if r, there := g.reports[id]; there && r.chunk == chunk {
			out = append(out, id)
		}
	}
	return out
}

// due are the missing devices that were not asked for a while; they count as asked now.
func (g *gathering) due(now time.Time, pause time.Duration) []commit.DeviceID {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []commit.DeviceID
	for id, last := range g.missing {
		if now.Sub(last) >= pause {
			g.missing[id] = now
			out = append(out, id)
		}
	}
	return out
}

// close stops taking reports for a chunk.
func (g *gathering) close(chunk uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed[chunk] = true
}

// finish asks nobody any more.
func (g *gathering) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
}

func (g *gathering) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.missing)
}

const (
	askPause = 5 * time.Second        // between two requests to one device
	askTick  = 500 * time.Millisecond // between two rounds of requests
)

// wait asks those who are missing until nobody is, or time is over.
func (g *gathering) wait(ctx context.Context, until time.Time, clock func() time.Time, ask func(commit.DeviceID)) error {
	defer g.finish()
	if g.waiting() == 0 {
		return nil
	}
	timer := time.NewTimer(until.Sub(clock()))
	defer timer.Stop()
	tick := time.NewTicker(askTick)
	defer tick.Stop()
	for {
		for _, id := range g.due(clock(), askPause) {
			ask(id)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-g.done:
			return nil
		case <-timer.C:
			return nil
		case <-tick.C:
			if !clock().Before(until) { // the machine slept, or its clock was set
				return nil
			}
		}
	}
}
