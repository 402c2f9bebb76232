package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// maxLookups bounds the frames that a batch asks the store for.
	maxLookups = 512
	// seenEvery is how often it is stored that a device was heard from.
	seenEvery = time.Minute
)

// touched is what a batch did for a device.
type touched struct {
	known   Known
	through uint64
	heard   bool // something came that the device signed
	taken   bool // a frame was stored
	moved   bool // through is more than before
	refused []frame.Refusal
}

// settler decides, for one batch after the other, what becomes of each frame.
type settler struct {
	p     *Pipeline
	aside aside

	// Of the batch at hand.
	b       *batch
	now     time.Time
	pending []*item // duplicates of which the store must say whether they are the same
}

func (p *Pipeline) settleAll(ctx context.Context, in <-chan *batch, out chan<- *batch) {
	s := &settler{p: p, aside: newAside(p)}
	for b := range in {
		began := time.Now()
		if s.settle(ctx, b) {
			p.metrics.stage.WithLabelValues("settle").Observe(time.Since(began).Seconds())
			out <- b
			continue
		}
		p.abandon(b) // the context ended: it will be delivered again
	}
}

// abandon lets go of a batch when the pipeline ends. It stays behind the fence: its frames are not stored.
func (p *Pipeline) abandon(b *batch) {
	b.span.End()
	if b.done != nil {
		close(b.done)
	}
}

func (s *settler) settle(ctx context.Context, b *batch) bool {
	p := s.p
	spanned, span := p.tracer.Start(b.ctx, "settle")
	defer span.End()
	s.b, s.pending = b, s.pending[:0]
	b.devices = map[commit.DeviceID]*touched{}
	ok := untilDone(ctx, &p.clockHealth, func() (err error) {
		s.now = p.o.Now()
		b.epoch, err = p.fence.enter(func() (uint64, error) { return p.o.EpochAt(s.now) })
		return err
	})
	if !ok {
		return false
	}
	s.aside.begin(s.now)
	for _, it := range b.items {
		s.one(spanned, it)
	}
	s.compare(spanned)
	s.finish()
	for _, it := range b.items { // what was decoded is many times what came, and no longer needed
		it.decoded, it.report, it.accept, it.data = nil, nil, nil, nil
	}
	taken := make([]commit.DeviceID, 0, len(b.devices))
	for id, t := range b.devices {
		if t.taken {
			taken = append(taken, id)
		}
	}
	return untilDone(ctx, &p.sinkHealth, func() error { return p.o.Sink.Complete(spanned, &b.rows, taken) })
}

// one settles one message.
func (s *settler) one(ctx context.Context, it *item) {
	p := s.p
	if it.replay != nil {
		s.replayed(ctx, it)
		return
	}
	if it.hello != nil {
		s.b.hellos = append(s.b.hellos, it)
		return
	}
	if it.frame == nil {
		s.putAside(ctx, it, false) // there is nothing that a sequence could be believed of
		return
	}
	d, t := p.devices.get(&it.known), s.touch(it)
	t.heard = true
	switch d.step(it.frame.Sequence, it.frame.Oldest) {
	case stepDuplicate:
		s.duplicate(ctx, d, it)
	case stepEarly:
		p.metrics.dropped.WithLabelValues("early").Inc()
	case stepAbsurd:
		it.refuse(ReasonSequence, errSequence)
		s.putAside(ctx, it, false)
	case stepGap:
		if s.take(ctx, it, t, d) {
			lost := it.frame.Sequence - it.gapFrom
			p.metrics.lost.Add(float64(lost))
			p.notice("frames were lost at a device", "device", it.id, "from", it.gapFrom, "frames", lost)
		}
	case stepNext:
		s.take(ctx, it, t, d)
	}
}

func (s *settler) touch(it *item) *touched {
	t := s.b.devices[it.id]
	if t == nil {
		t = &touched{known: it.known, through: s.p.devices.get(&it.known).through}
		s.b.devices[it.id] = t
	}
	return t
}

// take uses up a frame's sequence: its content is stored, or put aside. It does neither where it cannot be done now.
func (s *settler) take(ctx context.Context, it *item, t *touched, d *track) bool {
	var late bool
	if it.reason == "" {
		var ok bool
		if late, ok = s.apply(ctx, it); !ok {
			return false
		}
	}
	it.gapFrom = d.through + 1
	if it.reason != "" {
		if !s.putAside(ctx, it, true) {
			return false // the quarantine takes no more of this device now: it keeps the frame
		}
		if len(t.refused) < frame.MaxRefusals {
			t.refused = append(t.refused, frame.Refusal{Sequence: it.frame.Sequence, Reason: it.reason})
		}
	} else {
		s.store(it, late)
		t.taken = true
	}
	d.take(it.frame.Sequence, it.mark)
	t.through, t.moved = d.through, true
	return true
}

func (s *settler) store(it *item, late bool) {
	readings := 0
	if it.decoded != nil {
		readings = len(it.decoded.Readings) + len(it.decoded.Meterings)
	}
	s.b.rows.Frames = append(s.b.rows.Frames, store.Frame{
		Fleet: it.known.Fleet, Device: it.id, Epoch: s.b.epoch, Sequence: it.frame.Sequence, Received: s.now,
		Kind: uint8(it.frame.Kind), Readings: uint32(readings), Late: late, Payload: it.plain,
	})
	s.b.readings += readings
}

// apply hands a frame to the sink. It says whether the frame's sequence may be used up, be it with a reason.
func (s *settler) apply(ctx context.Context, it *item) (late, ok bool) {
	var applied Applied
	err := contain(func() (err error) {
		applied, err = s.hand(ctx, it)
		return err
	})
	switch {
	case err == nil:
		return applied.Late, true
	case passing(err):
		s.p.metrics.dropped.WithLabelValues("deferred").Inc()
		return false, false
	}
	it.refuse(ReasonRefused, err)
	return false, true
}

func (s *settler) hand(ctx context.Context, it *item) (Applied, error) {
	sink := s.p.o.Sink
	u := &Upload{Known: it.known, Frame: it.frame, Decoded: it.decoded, Received: s.now, Epoch: s.b.epoch, Replay: it.replay != nil}
	switch {
	case it.report != nil:
		row, err := sink.Report(ctx, u, it.report)
		if err == nil && row != nil {
			s.b.rows.Reports = append(s.b.rows.Reports, *row)
		}
		return Applied{}, err
	case it.accept != nil:
		return Applied{}, sink.Accept(ctx, u, it.accept)
	}
	return sink.Apply(ctx, u)
}

// passing says whether an error may be gone when a frame comes again.
func passing(err error) bool {
	for _, target := range []error{ErrTryAgain, keys.ErrUnavailable, store.ErrUnavailable, store.ErrFull, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// contain turns a panic into an error.
func contain(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked (%T)", r)
		}
	}()
	return f()
}

// finish writes how far the batch's devices are.
func (s *settler) finish() {
	for id, t := range s.b.devices {
		if t.moved {
			s.b.rows.Progress = append(s.b.rows.Progress, store.Progress{Device: id, Through: t.through})
		}
		d := s.p.devices.get(&t.known)
		if t.heard && s.now.Sub(d.seen) >= seenEvery {
			d.seen = s.now
			s.b.rows.Seen = append(s.b.rows.Seen, store.Seen{Device: id, At: s.now})
		}
	}
}
