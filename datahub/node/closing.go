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
	secrets  *secrets
	store    closeStore
	genesis  *ledger.Genesis
	srs      *commit.SRS
	derive   func(fleet string, id commit.DeviceID, epoch uint64) *frame.Attest
	send     func(id commit.DeviceID, m frame.Message)
	settled  func(ctx context.Context, epoch uint64) error
	ended    func(fleet string, epoch uint64)
	after    func(ctx context.Context, fleet string) // when an epoch was closed
	clock    func() time.Time
	log      *slog.Logger
	metrics  *metrics

	mu        sync.Mutex
	gathering map[epochOf]*gathering
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

// run closes epochs as they end, beginning with those whose time for anchors is not over yet.
func (c *closer) run(ctx context.Context) error {
	var wait sync.WaitGroup
	defer wait.Wait()
	now := c.clock()
	current, err := c.genesis.EpochAt(now)
	if err != nil {
		return fmt.Errorf("the ledger's epochs: %w", err)
	}
	first := current
	for first > 0 && c.genesis.AnchorDeadline(first-1).After(now) {
		first--
	}
	for epoch := first; ; epoch++ {
		at, closes := c.schedule.at(epoch, c.genesis.EpochEnd(epoch), c.genesis.EpochEnd(epoch+1))
		if !closes {
			at = c.genesis.EpochEnd(epoch)
		}
		if sleep(ctx, at.Sub(c.clock())) != nil {
			return nil
		}
		if !closes {
			continue
		}
		for i := range c.devices.fleets {
			wait.Go(func() { c.close(ctx, &c.devices.fleets[i], epoch) })
		}
	}
}

// close closes a fleet's epoch, and tries again what failed for reasons that may pass, while there is time.
func (c *closer) close(ctx context.Context, f *Fleet, epoch uint64) {
	log := c.log.With("fleet", f.ID, "epoch", epoch)
	deadline := c.genesis.AnchorDeadline(epoch)
	for {
		err := c.attempt(ctx, log, f, epoch)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case !c.clock().Before(deadline):
			log.Error("the epoch could not be closed in time", "error", err)
			c.metrics.closings.WithLabelValues("failed").Inc()
			return
		}
		log.Warn("closing the epoch: will try again", "error", err)
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
		return nil
	}
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
		s, err := c.span(ctx, chunk.Index, slots, epoch)
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
func (c *closer) span(ctx context.Context, index uint32, slots []ledger.SlotEntry, epoch uint64) (span, error) {
	s := span{index: index}
	var changed []store.Device
	for _, e := range slots {
		if !e.Enrolment.Active(epoch) {
			continue
		}
		m, known := c.devices.get(e.Enrolment.Device)
		if !known || m.Chunk != index || m.Slot != e.Slot {
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
	wait, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := c.settled(wait, epoch); err != nil && ctx.Err() == nil {
		c.log.Warn("frames of the epoch are still on their way", "fleet", fleet, "epoch", epoch)
	}
	c.ended(fleet, epoch)
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
		g.reports[r.Device] = sha256.Sum256(r.Attestation)
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

// keep makes a gathering known. The one before stays, for those that repeat their report.
func (c *closer) keep(e epochOf, g *gathering) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.gathering, func(old epochOf, _ *gathering) bool { return old.fleet == e.fleet && old.epoch+1 < e.epoch })
	c.gathering[e] = g
}

// gatherUntil leaves half of the time for anchors to anchoring, however long the configuration says.
func (c *closer) gatherUntil(epoch uint64) time.Time {
	now, deadline := c.clock(), c.genesis.AnchorDeadline(epoch)
	begin := c.genesis.EpochEnd(epoch)
	if at, ok := c.schedule.at(epoch, begin, c.genesis.EpochEnd(epoch+1)); ok {
		begin = at
	}
	until := begin.Add(min(c.config.Gather, deadline.Sub(begin)/2))
	if until.Before(now) {
		return now
	}
	return until
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
