package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// closer turns each epoch into anchored commitments. The life of an epoch's closing:
//
//	started     the epoch is over; devices are asked for their records until all have answered or time is up
//	chunk       what a chunk commits to is fixed and stored; from then on it is the same whatever happens
//	anchored    the ledger has the chunk's commitment, with that content
//	ended       every chunk is anchored or missed
//
// Each step is stored before the next begins, and doing a step again has no further effect, so a node that was stopped anywhere goes on from there. The ledger
// is asked before a chunk is given up: an anchor whose answer was lost is found.
type closer struct {
	config   Epochs
	schedule schedule
	devices  *devices
	store    closeStore
	genesis  *ledger.Genesis
	srs      *commit.SRS
	derive   func(fleet string, id commit.DeviceID, epoch uint64) *frame.Attest
	send     func(id commit.DeviceID, m frame.Message)
	through  func(id commit.DeviceID) uint64 // how far a device's frames are stored
	settled  func(ctx context.Context, epoch uint64) error
	line     func(fleet string, epoch uint64)        // draws the line under an epoch's readings
	after    func(ctx context.Context, fleet string) // when an epoch was closed
	clock    func() time.Time
	log      *slog.Logger
	metrics  *metrics
	tracer   trace.Tracer
	started  time.Time

	mu        sync.Mutex
	gathering map[epochOf]*gathering
	finished  map[string]uint64 // the last epoch of a fleet that was closed
}

type closeStore interface {
	PutClosing(ctx context.Context, c store.Closing) error
	Closing(ctx context.Context, fleet string, epoch uint64) (store.Closing, error)
	PutChunk(ctx context.Context, c store.Chunk) error
	Chunk(ctx context.Context, fleet string, epoch uint64, index uint32) (store.Chunk, error)
	ChunkReports(ctx context.Context, fleet string, epoch uint64, chunk uint32) ([]store.Report, error)
	Count(ctx context.Context, fleet string, epoch uint64) (frames, readings, late uint64, err error)
	PutDevices(ctx context.Context, devices []store.Device) error
}

// run closes epochs as the ledger goes on to later ones, beginning with those whose time for anchors is not over yet. It is the ledger that says which epochs are over: a
// regulator has opened the next one. A clock of this machine that is ahead draws no line too early, and one that jumps skips no epoch.
func (c *closer) run(ctx context.Context) error {
	var wait sync.WaitGroup
	defer wait.Wait()
	next, begun := uint64(0), false
	for ctx.Err() == nil {
		e, err := c.devices.book.Epoch(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Warn("asking the ledger for its epoch: will try again", "error", err)
		}
		if err == nil && e.Opened != nil {
			if !begun {
				next, begun = c.first(*e.Opened, time.Unix(e.Now, 0)), true
			}
			for ; next < *e.Opened; next++ {
				c.begins(ctx, &wait, next)
			}
		}
		if sleep(ctx, c.pause(next)) != nil {
			return nil
		}
	}
	return nil
}

// first is the first epoch before the opened one whose time for anchors is not over.
func (c *closer) first(opened uint64, now time.Time) uint64 {
	for opened > 0 && c.genesis.AnchorDeadline(opened-1).After(now) {
		opened--
	}
	return opened
}

// begins has the epoch closed for every fleet, if it is one that is closed.
func (c *closer) begins(ctx context.Context, wait *sync.WaitGroup, epoch uint64) {
	at, closes := c.closes(epoch)
	if !closes {
		return
	}
	for i := range c.devices.fleets {
		wait.Go(func() {
			if c.until(ctx, at) == nil {
				c.close(ctx, &c.devices.fleets[i], epoch)
			}
		})
	}
}

const (
	clockStep = 5 * time.Second        // how often the clock is looked at: a machine may sleep, and clocks are set
	openPause = 250 * time.Millisecond // how often the ledger is asked whether it has opened an epoch that should be
)

// pause is how long the ledger need not be asked.
func (c *closer) pause(next uint64) time.Duration {
	return min(clockStep, max(openPause, c.genesis.EpochEnd(next).Sub(c.clock())))
}

// until waits for a time of day.
func (c *closer) until(ctx context.Context, at time.Time) error {
	for {
		left := at.Sub(c.clock())
		if left <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, min(left, clockStep)); err != nil {
			return err
		}
	}
}

// close closes a fleet's epoch, and tries again what failed for reasons that may pass, while there is time.
func (c *closer) close(ctx context.Context, f *Fleet, epoch uint64) {
	log := c.log.With("fleet", f.ID, "epoch", epoch)
	deadline := c.genesis.SettledAfter(epoch)
	for {
		err := c.attempt(ctx, log, f, epoch)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case c.clock().After(deadline):
			log.Error("the epoch could not be closed in time", "error", err)
			c.metrics.closings.WithLabelValues("failed").Inc()
			return
		}
		if !errors.Is(err, errNobody) {
			log.Warn("closing the epoch: will try again", "error", err)
		}
		if sleep(ctx, time.Second) != nil {
			return
		}
	}
}

// span is an epoch's chunk with those who are enrolled in it.
type span struct {
	index   uint32
	members []member
}

func (c *closer) attempt(ctx context.Context, log *slog.Logger, f *Fleet, epoch uint64) error {
	row, err := c.store.Closing(ctx, f.ID, epoch)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && !row.Ended.IsZero() {
		c.finish(f.ID, epoch)
		return nil
	}
	ctx, tracing := c.tracer.Start(ctx, "close epoch", trace.WithAttributes(attribute.String("fleet", f.ID), attribute.Int64("epoch", int64(epoch))))
	defer tracing.End()
	spans, err := c.enrolled(ctx, f, epoch)
	if err != nil || len(spans) == 0 {
		return err
	}
	began := c.clock()
	if row.Started.IsZero() {
		row = store.Closing{Fleet: f.ID, Epoch: epoch, Started: began, Chunks: uint32(len(spans))}
		log.Info("closing the epoch", "chunks", len(spans), "devices", count(spans))
	}
	if err := c.counted(ctx, &row); err != nil {
		return err
	}
	c.settle(ctx, f.ID, epoch)
	if err := c.gather(ctx, log, f, epoch, spans); err != nil {
		return err
	}
	summary, err := c.anchorAll(ctx, log, f, epoch, spans)
	if err != nil {
		return err
	}
	c.finish(f.ID, epoch)
	row.Ended = c.clock()
	if err := c.counted(ctx, &row); err != nil {
		return err
	}
	c.after(ctx, f.ID)
	c.metrics.closed(f.ID, epoch, summary, row.Ended.Sub(row.Started))
	log.Info("epoch closed", "attested", summary.attested, "enrolled", summary.enrolled, "anchored_chunks", summary.anchored, "missed_chunks", summary.missed, "took", row.Ended.Sub(began).Round(time.Millisecond))
	return nil
}

func count(spans []span) (n int) {
	for _, s := range spans {
		n += len(s.members)
	}
	return n
}

// counted stores the closing with what was received in the epoch.
func (c *closer) counted(ctx context.Context, row *store.Closing) error {
	var err error
	if row.Frames, row.Readings, row.Late, err = c.store.Count(ctx, row.Fleet, row.Epoch); err != nil {
		return err
	}
	return c.store.PutClosing(ctx, *row)
}

// enrolled asks the ledger who is enrolled in the epoch, and takes over what it says about the node's devices.
func (c *closer) enrolled(ctx context.Context, f *Fleet, epoch uint64) ([]span, error) {
	chunks, err := c.devices.book.Chunks(ctx, f.ID)
	if ledger.CodeOf(err) == ledger.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var spans []span
	for _, chunk := range chunks {
		if chunk.From > epoch {
			continue
		}
		slots, err := c.devices.book.Slots(ctx, f.ID, chunk.Index)
		if err != nil {
			return nil, err
		}
		s, err := c.span(ctx, f.ID, chunk.Index, slots, epoch)
		if err != nil {
			return nil, err
		}
		if len(s.members) > 0 {
			spans = append(spans, s)
		}
	}
	return spans, nil
}

// span lists a chunk's members. A device that the ledger has and this node does not know stays among them without a secret: it counts as absent.
func (c *closer) span(ctx context.Context, fleet string, index uint32, slots []ledger.SlotEntry, epoch uint64) (span, error) {
	s := span{index: index}
	var changed []store.Device
	for _, e := range slots {
		if !e.Enrolment.Active(epoch) {
			continue
		}
		m, known := c.devices.get(e.Enrolment.Device)
		if !known || m.Fleet != fleet || m.Chunk != index || m.Slot != e.Slot {
			key, err := commit.ParsePublicKey(e.Enrolment.Key)
			if err != nil {
				return s, fmt.Errorf("chunk %d slot %d: %w", index, e.Slot, err)
			}
			m = member{Device: store.Device{ID: e.Enrolment.Device, Chunk: index, Slot: e.Slot}, key: key}
		} else if m.From != e.Enrolment.From || m.Until != e.Enrolment.Until {
			changed = append(changed, c.devices.change(m.ID, func(m *member) { m.State, m.From, m.Until = store.Enrolled, e.Enrolment.From, e.Enrolment.Until }))
		}
		s.members = append(s.members, m)
	}
	if len(changed) == 0 {
		return s, nil
	}
	return s, c.store.PutDevices(ctx, changed)
}

// settleWithin is how long frames of the epoch that are still on their way into the store are waited for. What comes later is late.
const settleWithin = 5 * time.Second

// settle draws the line under an epoch's readings.
func (c *closer) settle(ctx context.Context, fleet string, epoch uint64) {
	from := c.begin(epoch)
	if c.started.After(from) {
		from = c.started // what devices and broker kept while the node was away has yet to come in
	}
	if sleep(ctx, from.Add(c.grace(epoch)).Sub(c.clock())) != nil {
		return
	}
	wait, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := c.settled(wait, epoch); err != nil && ctx.Err() == nil {
		c.log.Warn("frames of the epoch are still on their way", "fleet", fleet, "epoch", epoch)
	}
	c.line(fleet, epoch)
}

// gather asks the devices of chunks that are not fixed yet for their records, and waits for them.
func (c *closer) gather(ctx context.Context, log *slog.Logger, f *Fleet, epoch uint64, spans []span) error {
	g := newGathering()
	for _, s := range spans {
		if err := c.expect(ctx, g, f, epoch, s); err != nil {
			return err
		}
	}
	c.keep(epochOf{f.ID, epoch}, g)
	if err := g.wait(ctx, c.gatherUntil(epoch), c.clock, func(id commit.DeviceID) { c.send(id, c.derive(f.ID, id, epoch)) }); err != nil {
		return err
	}
	if n := g.waiting(); n > 0 {
		log.Warn("devices did not report in time", "missing", n, "of", count(spans))
	}
	return nil
}

// expect adds a chunk's devices to those who are asked, but for those whose reports are there.
func (c *closer) expect(ctx context.Context, g *gathering, f *Fleet, epoch uint64, s span) error {
	_, err := c.store.Chunk(ctx, f.ID, epoch, s.index)
	fixed := err == nil
	if !fixed && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	reports, err := c.store.ChunkReports(ctx, f.ID, epoch, s.index)
	if err != nil {
		return err
	}
	for _, r := range reports {
		g.reports[r.Device] = reported{digest: sha256.Sum256(r.Attestation), chunk: s.index}
	}
	if fixed {
		g.close(s.index)
		return nil
	}
	for _, m := range s.members {
		if _, there := g.reports[m.ID]; !there && !m.transport.IsZero() {
			g.missing[m.ID] = time.Time{}
		}
	}
	return nil
}

// finish takes note that an epoch is closed.
func (c *closer) finish(fleet string, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.finished[fleet]; !ok || epoch > last {
		c.finished[fleet] = epoch
	}
}

// over says that an epoch was closed, or is not to be.
func (c *closer) over(fleet string, epoch uint64) bool {
	c.mu.Lock()
	last, ok := c.finished[fleet]
	c.mu.Unlock()
	if ok && epoch <= last {
		return true
	}
	_, closes := c.closes(epoch)
	return !closes
}

// keep makes a gathering known. The one before stays, for those that repeat their report.
func (c *closer) keep(e epochOf, g *gathering) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.gathering, func(old epochOf, _ *gathering) bool { return old.fleet == e.fleet && old.epoch+1 < e.epoch })
	c.gathering[e] = g
}

// gatherUntil counts from now, since the node may just have been started, and leaves half of the time that is left to anchoring, however long the
// configuration says.
func (c *closer) gatherUntil(epoch uint64) time.Time {
	now := c.clock()
	return now.Add(max(0, min(c.config.Gather, c.genesis.AnchorDeadline(epoch).Sub(now)/2)))
}

// lastCall is until when a chunk of which nobody has reported is waited for: devices may have been cut off from the node, or the node from
// them.
func (c *closer) lastCall(epoch uint64) time.Time {
	deadline := c.genesis.AnchorDeadline(epoch)
	return deadline.Add(-deadline.Sub(c.begin(epoch)) / 4)
}

// begin is when an epoch's closing begins.
func (c *closer) begin(epoch uint64) time.Time {
	if at, ok := c.closes(epoch); ok {
		return at
	}
	return c.genesis.EpochEnd(epoch)
}

// closes asks the schedule whether an epoch is closed, and when that begins.
func (c *closer) closes(epoch uint64) (time.Time, bool) {
	return c.schedule.at(epoch, c.genesis.EpochEnd(epoch), c.genesis.EpochEnd(epoch+1))
}

// grace is how long readings of the epoch that were under way at its end count as in time: an eighth of the time for anchors at most.
func (c *closer) grace(epoch uint64) time.Duration {
	return min(c.config.Grace, c.genesis.AnchorDeadline(epoch).Sub(c.begin(epoch))/8)
}

// of finds the gathering of an epoch.
func (c *closer) of(e epochOf) *gathering {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gathering[e]
}

// all are the gatherings that go on.
func (c *closer) all() map[epochOf]*gathering {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.gathering)
}
