package desk

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// task is a request that the desk is not done with. Its fields but id are the desk's to read and write under its lock, but for answer, which is the business of
// whoever is at the task.
type task struct {
	id commit.Digest
	// requester asked, as number came of all requests.
	requester string
	came      uint64
	// epoch is what it is about, once it is approved.
	epoch place
	due   time.Time
	// pause is how long it was left alone after it last failed, 0 if it did not.
	pause time.Duration
	// busy says that it is being answered, queued that it waits for room to be, again that there is a newer reason to look at it than when it was last looked at.
	busy, queued, again bool
	// person says that it waits for one, which is said once.
	person bool
	// answer is a proof that is not on the ledger yet, though it was to be submitted. Proofs are dear.
	answer *datahub.Answer
}

// place is a fleet at an epoch.
type place struct {
	fleet string
	epoch uint64
}

// find makes a request known.
func (d *Desk) find(id commit.Digest, requester string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known(id, requester)
	d.rouse()
}

func (d *Desk) known(id commit.Digest, requester string) *task {
	t := d.tasks[id]
	if t == nil {
		d.came++
		t = &task{id: id, requester: requester, came: d.came}
		d.tasks[id] = t
	}
	return t
}

// add makes a request known, or has it looked at again, as it changed.
func (d *Desk) add(id commit.Digest, requester string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.known(id, requester)
	t.due, t.again = time.Time{}, true
	d.rouse()
}

// addAll has everything looked at again that did not fail.
func (d *Desk) addAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.tasks {
		if t.pause == 0 {
			t.due, t.again = time.Time{}, true
		}
	}
	d.rouse()
}

func (d *Desk) rouse() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// due lists what is to be done now: of every requester the request that came first, and first that of the requester whose last answer is longest ago.
func (d *Desk) due(now time.Time) []*task {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := map[string]*task{}
	for _, t := range d.tasks {
		if t.busy || t.due.After(now) {
			continue
		}
		if other := first[t.requester]; other == nil || t.came < other.came {
			first[t.requester] = t
		}
	}
	out := slices.SortedFunc(maps.Values(first), func(a, b *task) int {
		return cmp.Or(cmp.Compare(d.turn[a.requester], d.turn[b.requester]), cmp.Compare(a.came, b.came))
	})
	for _, t := range out {
		t.again = false
	}
	return out
}

// pause is how long nothing is due.
func (d *Desk) pause(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := lookAgain
	for _, t := range d.tasks {
		if !t.busy {
			next = min(next, max(t.due.Sub(now), 0))
		}
	}
	return next
}

// postpone leaves a task alone for a time, unless something about it changed meanwhile.
func (d *Desk) postpone(t *task, pause time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.pause = 0
	if !t.again {
		t.due = time.Now().Add(pause)
	}
}

// setBack leaves a task that failed alone for a while, longer each time.
func (d *Desk) setBack(ctx context.Context, t *task, err error) {
	if ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	t.pause = min(max(d.Retry, 2*t.pause), maxPause)
	if t.again || ledger.CodeOf(err) == ledger.Conflict && t.pause == d.Retry {
		t.due = time.Now() // somebody else was faster, or something changed: that is looked at, once, at once
	} else {
		t.due = time.Now().Add(t.pause)
	}
	pause := t.pause
	d.mu.Unlock()
	d.metrics.setbacks.Inc()
	d.Logger.Warn("a request could not be taken further: will try again", "request", t.id, "in", pause, "error", err)
}

// occupy gives a task room to be answered in, if there is any. Of a fleet's epoch one is answered at a time: each bears on the others, and voids what of them is on its way.
func (d *Desk) occupy(t *task) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.metrics.leave(t)
	if d.answering == d.AtOnce || d.answers(t.epoch) {
		t.queued, t.due = true, time.Now().Add(lookAgain)
		return false
	}
	d.answering++
	d.turns++
	d.turn[t.requester] = d.turns
	t.busy, t.queued = true, false
	return true
}

func (d *Desk) answers(about place) bool {
	for _, t := range d.tasks {
		if t.busy && t.epoch == about {
			return true
		}
	}
	return false
}

// release gives the room back, to whoever waits for it.
func (d *Desk) release(t *task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answering--
	t.busy = false
	for _, other := range d.tasks {
		if other.queued {
			other.due = time.Time{}
		}
	}
	d.rouse()
}

// forget is for requests at whose end the ledger is.
func (d *Desk) forget(t *task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tasks, t.id)
	d.metrics.leave(t)
	d.progress.end(t.id)
}
