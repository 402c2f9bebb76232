package node

import (
	"context"
	"errors"
	"log/slog"
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
	backlog  func(ctx context.Context) (oldest, newest uint64, err error)
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
	drawn     map[string]uint64 // the first epoch of a fleet under which no line was drawn
}

type closeStore interface {
	PutClosing(ctx context.Context, c store.Closing) error
	Closing(ctx context.Context, fleet string, epoch uint64) (store.Closing, error)
	PutChunk(ctx context.Context, c store.Chunk) error
	Chunk(ctx context.Context, fleet string, epoch uint64, index uint32) (store.Chunk, error)
	ChunkReports(ctx context.Context, fleet string, epoch uint64, chunk uint32) ([]store.Report, error)
	Closings(ctx context.Context, fleet string, limit int) ([]store.Closing, error)
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
				next = c.first(*e.Opened, time.Unix(e.Now, 0))
				begun = c.leftovers(ctx, &wait, next) == nil
			}
			for ; begun && next < *e.Opened; next++ {
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

// leftoverEpochs is how many of a fleet's last closings are looked through for some that have not ended.
const leftoverEpochs = 64

// leftovers ends the closings that a process before left open and whose time for anchors is over: the ledger says what became of their chunks.
func (c *closer) leftovers(ctx context.Context, wait *sync.WaitGroup, before uint64) error {
	var open []func()
	for i := range c.devices.fleets {
		f := &c.devices.fleets[i]
		last, err := c.store.Closings(ctx, f.ID, leftoverEpochs)
		if err != nil {
			if ctx.Err() == nil {
				c.log.Warn("reading the fleet's closings: will try again", "fleet", f.ID, "error", err)
			}
			return err
		}
		for _, row := range last {
			if row.Ended.IsZero() && row.Epoch < before {
				open = append(open, func() { c.close(ctx, f, row.Epoch) })
			}
		}
	}
	for _, closing := range open {
		wait.Go(closing)
	}
	return nil
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

const (
	closePause = time.Second
	latePause  = 30 * time.Second // once the time for anchors is over
)

// close closes a fleet's epoch, and tries again what failed for reasons that may pass. When there is no time for anchors any more it still asks
// the ledger what became of those that were under way.
func (c *closer) close(ctx context.Context, f *Fleet, epoch uint64) {
	log := c.log.With("fleet", f.ID, "epoch", epoch)
	deadline := c.genesis.SettledAfter(epoch)
	for pause := closePause; ; {
		err := c.attempt(ctx, log, f, epoch)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case pause == latePause:
		case c.clock().After(deadline):
			log.Error("the epoch could not be closed in time: it stays open until the ledger says what it has", "error", err)
			c.metrics.closings.WithLabelValues("failed").Inc()
			pause = latePause
		case !errors.Is(err, errNobody):
			log.Warn("closing the epoch: will try again", "error", err)
		}
		if sleep(ctx, pause) != nil {
			return
		}
	}
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
	if ctx.Err() != nil {
		return ctx.Err()
	}
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

// counted stores the closing with what was received in the epoch.
func (c *closer) counted(ctx context.Context, row *store.Closing) error {
	var err error
	if row.Frames, row.Readings, row.Late, err = c.store.Count(ctx, row.Fleet, row.Epoch); err != nil {
		return err
	}
	return c.store.PutClosing(ctx, *row)
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
