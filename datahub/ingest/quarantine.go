package ingest

import (
	"context"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// maxQuarantined bounds the rows that one batch puts into the quarantine of those that are acknowledged, and of the others.
	maxQuarantined = 256
	// roomFor is how long it is believed how much room there is in the quarantine, noRoomFor that there is none: an operator makes some.
	roomFor, noRoomFor = time.Minute, 5 * time.Second
)

// aside keeps to what a device and a batch may put into the quarantine. A frame that is acknowledged is nowhere else from then on, so
// that strangers do not compete with it: such frames have room of their own, which is taken before the frame's sequence is used up.
type aside struct {
	p       *Pipeline
	budgets map[commit.DeviceID]*bucket
	swept   time.Time
	room    *store.Room // nil if it must be asked for
	asked   time.Time

	acknowledged, rest int // of the batch at hand
}

func newAside(p *Pipeline) aside { return aside{p: p, budgets: map[commit.DeviceID]*bucket{}} }

// begin begins a batch.
func (a *aside) begin(now time.Time) {
	a.acknowledged, a.rest = 0, 0
	if now.Sub(a.swept) < time.Minute {
		return
	}
	a.swept = now
	for id, b := range a.budgets {
		if now.Sub(b.at) > quarantineBurst/quarantineRate*time.Second {
			delete(a.budgets, id)
		}
	}
}

// take takes a place for a message.
func (a *aside) take(ctx context.Context, id commit.DeviceID, acknowledged bool, now time.Time) bool {
	count := &a.rest
	if acknowledged {
		count = &a.acknowledged
	}
	budget := a.budgets[id]
	if budget == nil {
		budget = &bucket{}
		a.budgets[id] = budget
	}
	if *count >= maxQuarantined || !budget.take(now, quarantineRate, quarantineBurst, 1) {
		return false
	}
	if acknowledged && !a.hasRoom(ctx, id, now) {
		budget.tokens++
		return false
	}
	*count++
	return true
}

func (a *aside) hasRoom(ctx context.Context, id commit.DeviceID, now time.Time) bool {
	since := now.Sub(a.asked)
	if a.room == nil || since > roomFor || since < 0 {
		a.ask(ctx, now)
	}
	if a.room != nil && a.room.Take(id) {
		return true
	}
	if now.Sub(a.asked) <= noRoomFor {
		a.p.notice("the quarantine has no room for a frame that is refused: the device keeps it", "device", id)
		return false
	}
	a.ask(ctx, now)
	return a.room != nil && a.room.Take(id)
}

func (a *aside) ask(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	var err error
	if a.room, err = a.p.o.Store.QuarantineRoom(ctx); err != nil {
		a.room = nil
	}
	a.asked = now
}

// putAside puts a message into the quarantine, if there is a place. What is tried again has one. Of a message that is
// acknowledged the quarantine has the only copy.
func (s *settler) putAside(ctx context.Context, it *item, acknowledged bool) bool {
	p, b := s.p, s.b
	p.metrics.quarantined.WithLabelValues(it.reason).Inc()
	if it.replay == nil && !s.aside.take(ctx, it.id, acknowledged, s.now) {
		p.metrics.dropped.WithLabelValues("quarantine_full").Inc()
		return false
	}
	row := store.Quarantined{
		Fleet: it.known.Fleet, Device: it.id, Subject: subject(it.id, it.word), Epoch: b.epoch, Received: s.now,
		Reason: it.reason, Detail: it.detail, Size: len(it.data), Payload: it.data, Acknowledged: acknowledged,
	}
	if it.replay != nil {
		row.Received, row.Size, row.Plain = it.replay.Received, it.replay.Size, it.replay.Plain
	}
	if it.plain != nil {
		row.Payload, row.Plain = it.plain, true
	}
	row.Payload = row.Payload[:min(len(row.Payload), frame.MaxFrame)]
	b.rows.Quarantine = append(b.rows.Quarantine, row)
	return true
}
