package ingest

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// commitAll stores batch after batch, and only then acknowledges them: to the broker, then to the devices.
func (p *Pipeline) commitAll(ctx context.Context, in <-chan *batch) {
	for b := range in {
		began := time.Now()
		ok := untilDone(ctx, &p.storeHealth, func() error { return p.commit(b) })
		if !ok {
			p.abandon(b)
			continue
		}
		p.metrics.stage.WithLabelValues("commit").Observe(time.Since(began).Seconds())
		p.fence.leave(b.epoch)
		for id, t := range b.devices {
			p.devices.commit(id, t.through)
		}
		b.committed = true
		if p.forget(ctx, b.deletes) == nil {
			b.deletes = nil
		}
		p.settleWithBroker(ctx, b)
		p.acknowledge(b)
		p.count(b)
		b.span.SetAttributes(attribute.Int("frames", len(b.rows.Frames)), attribute.Int("quarantined", len(b.rows.Quarantine)))
		b.span.End()
		if b.done != nil {
			close(b.done)
		}
	}
}

func (p *Pipeline) commit(b *batch) error {
	ctx, span := p.tracer.Start(b.ctx, "commit")
	defer span.End()
	err := p.o.Store.Commit(ctx, &b.rows)
	if errors.Is(err, store.ErrConflict) {
		// The store knows its own earlier attempts, so this is another's.
		p.o.Logger.Error("frames of this batch were stored by another: is a second node running on this store?", "error", err)
		return errors.Join(err, p.leaveOut(ctx, b))
	}
	if errors.Is(err, store.ErrShredded) && b.lighten() {
		// What an operator destroyed the key of cannot be written. Frames are written under the running period's key.
		p.o.Logger.Error("reports, snapshots or quarantined frames of a shredded period are dropped", "error", err)
	}
	return err
}

// lighten drops what may be of a past period. It says whether there was any.
func (b *batch) lighten() bool {
	old := &b.rows
	if len(old.Reports)+len(old.Snapshots)+len(old.Quarantine) == 0 {
		return false
	}
	b.rows = store.Batch{Frames: old.Frames, Progress: old.Progress, Seen: old.Seen}
	return true
}

// leaveOut takes out of a batch what another process stored, and what the batch itself has twice. A frame in whose place something else is stored goes into the
// quarantine.
func (p *Pipeline) leaveOut(ctx context.Context, b *batch) error {
	old := &b.rows
	ids := make([]store.FrameID, len(old.Frames))
	for i, f := range old.Frames {
		ids[i] = store.FrameID{Device: f.Device, Sequence: f.Sequence}
	}
	there, err := p.o.Store.FrameDigests(ctx, ids)
	if err != nil {
		return err
	}
	rows := store.Batch{Progress: old.Progress, Seen: old.Seen, Snapshots: old.Snapshots, Quarantine: slices.Clip(old.Quarantine), Reports: old.Reports}
	first := map[store.FrameID]bool{}
	for i, f := range old.Frames {
		digest, stored := there[ids[i]]
		switch {
		case stored && (digest.IsZero() || digest == p.o.Store.Digest(f.Payload)):
		case stored || first[ids[i]]:
			rows.Quarantine = append(rows.Quarantine, store.Quarantined{
				Fleet: f.Fleet, Device: f.Device, Subject: subject(f.Device, wordUp), Epoch: f.Epoch, Received: f.Received,
				Reason: ReasonConflict, Detail: errConflict.Error(), Size: len(f.Payload), Payload: f.Payload,
				Plain: true, Acknowledged: true, // its device is told so, as it is told of the whole batch
			})
		default:
			first[ids[i]] = true
			rows.Frames = append(rows.Frames, f)
		}
	}
	b.rows = rows
	return nil
}

// settleWithBroker tells the broker that it can forget the batch's messages. One whose acknowledgement is lost comes again, as a
// duplicate.
func (p *Pipeline) settleWithBroker(ctx context.Context, b *batch) {
	for _, it := range b.items {
		switch {
		case it.message == nil:
		case b.surely:
			it.message.DoubleAck(ctx) //nolint:errcheck // it would come again
		default:
			it.message.Ack() //nolint:errcheck // it would come again
		}
	}
}

// acknowledge tells each device once how far its frames are stored. An acknowledgement that is lost is made good by the next: the
// device sends again, which makes a duplicate, which is acknowledged.
func (p *Pipeline) acknowledge(b *batch) {
	heard := make([]commit.DeviceID, 0, len(b.devices))
	for id, t := range b.devices {
		if !t.heard {
			continue
		}
		heard = append(heard, id)
		if err := p.tell(&t.known, &frame.Ack{Through: t.through, Refused: t.refused}); err != nil {
			p.metrics.unsent.Inc()
		}
	}
	if len(heard) > 0 {
		p.o.Sink.Heard(heard, b.epoch)
	}
	for _, it := range b.hellos {
		select {
		case p.hellos <- it:
		default:
			p.metrics.dropped.WithLabelValues("hello").Inc() // the device asks again
		}
	}
}

func (p *Pipeline) count(b *batch) {
	p.metrics.accepted.Add(float64(len(b.rows.Frames)))
	p.metrics.readings.Add(float64(b.readings))
	p.metrics.batchFrames.Observe(float64(len(b.items)))
	p.metrics.batchSeconds.Observe(time.Since(b.began).Seconds())
}
