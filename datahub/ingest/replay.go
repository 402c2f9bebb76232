package ingest

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/store"
)

const maxReplay = 256

// replayMarked tries again, with the rules and keys of now, what an operator marked in the quarantine.
func (p *Pipeline) replayMarked(ctx context.Context) {
	for sleep(ctx, p.o.ReplayEvery) {
		for n := maxReplay; n == maxReplay; {
			var err error
			if n, err = p.replay(ctx); err != nil {
				n = 0 // not again without a pause
				if ctx.Err() == nil {
					p.storeHealth.failed(err)
				}
			}
		}
	}
}

func (p *Pipeline) replay(ctx context.Context) (int, error) {
	rows, err := p.o.Store.QuarantineList(ctx, store.Filter{Marked: true, Limit: maxReplay})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	b := &batch{began: time.Now(), done: make(chan struct{})}
	for i := range rows {
		row := &rows[i]
		b.deletes = append(b.deletes, row.ID)
		_, word, ok := parseSubject(row.Subject)
		if row.Shredded || !ok {
			p.metrics.replayed.WithLabelValues("unreadable").Inc()
			continue
		}
		b.items = append(b.items, &item{replay: row, id: row.Device, word: word, data: row.Payload})
	}
	if len(b.items) == 0 {
		return len(rows), p.forget(ctx, b.deletes)
	}
	select {
	case p.replays <- b:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if b.committed && len(b.deletes) > 0 && !untilDone(ctx, &p.storeHealth, func() error { return p.forget(ctx, b.deletes) }) {
		return 0, ctx.Err()
	}
	p.o.Logger.Info("quarantined frames were tried again", "frames", len(b.items), "stored", len(b.rows.Frames), "put_back", len(b.rows.Quarantine))
	return len(rows), nil
}

// forget deletes what was tried again. Nothing else is tried before that has worked, since what was put back would be put back twice.
func (p *Pipeline) forget(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := p.o.Store.QuarantineDelete(ctx, ids)
	return err
}

// replayed settles a message out of the quarantine: it is stored, or found to be stored, or put back with the reason that it has
// now.
func (s *settler) replayed(ctx context.Context, it *item) {
	outcome := s.replayOne(ctx, it)
	s.p.metrics.replayed.WithLabelValues(outcome).Inc()
	if outcome == "put_back" {
		it.detail = fmt.Sprintf("tried again %s: %s", s.now.UTC().Format(time.RFC3339), it.detail)
		s.putAside(ctx, it, it.replay.Acknowledged)
	}
}

func (s *settler) replayOne(ctx context.Context, it *item) (outcome string) {
	if it.hello != nil {
		s.b.hellos = append(s.b.hellos, it)
		return "stored"
	}
	if it.reason != "" {
		return "put_back"
	}
	d, t := s.p.devices.get(&it.known), s.touch(it)
	switch d.step(it.frame.Sequence, it.frame.Oldest) {
	case stepAbsurd:
		it.refuse(ReasonSequence, errSequence)
		return "put_back"
	case stepEarly:
		it.refuse(ReasonEarly, fmt.Errorf("frames before it are missing"))
		return "put_back"
	case stepDuplicate:
		return s.replayPast(ctx, it, t)
	}
	if !s.take(ctx, it, t, d) {
		it.refuse(it.replay.Reason, fmt.Errorf("the node could not take it then"))
		return "put_back"
	}
	if it.reason != "" { // take has put it aside
		return "refused"
	}
	t.heard = true
	return "stored"
}

// replayPast takes a frame whose sequence was used up when it was put aside.
func (s *settler) replayPast(ctx context.Context, it *item, t *touched) string {
	for i := range s.b.rows.Frames {
		if f := &s.b.rows.Frames[i]; f.Device == it.id && f.Sequence == it.frame.Sequence {
			if bytes.Equal(f.Payload, it.plain) {
				return "stored_before"
			}
			it.refuse(ReasonConflict, errConflict)
			return "put_back"
		}
	}
	digests, ok := s.stored(ctx, []*item{it})
	if !ok {
		it.refuse(it.replay.Reason, fmt.Errorf("the store did not answer then"))
		return "put_back"
	}
	if d, there := digests[store.FrameID{Device: it.id, Sequence: it.frame.Sequence}]; there {
		if d.IsZero() || d == s.p.o.Store.Digest(it.plain) {
			return "stored_before"
		}
		it.refuse(ReasonConflict, errConflict)
		return "put_back"
	}
	late, ok := s.apply(ctx, it)
	if !ok {
		it.refuse(it.replay.Reason, fmt.Errorf("the node could not take it then"))
		return "put_back"
	}
	if it.reason != "" {
		return "put_back"
	}
	s.store(it, late)
	t.taken = true
	return "stored"
}
