package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
)

// gather asks the devices of chunks that are not fixed yet for their records, and waits for them.
func (c *closer) gather(ctx context.Context, log *slog.Logger, f *Fleet, epoch uint64, spans []span) error {
	g := newGathering()
	for _, s := range spans {
		if err := c.expect(ctx, g, f, epoch, s); err != nil {
			return err
		}
	}
	c.keep(epochOf{f.ID, epoch}, g)
	if c.clock().After(c.genesis.AnchorDeadline(epoch)) {
		g.finish()
		return nil
	}
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

// keep makes a gathering known. The one before stays, for those that repeat their report.
func (c *closer) keep(e epochOf, g *gathering) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.gathering, func(old epochOf, _ *gathering) bool { return old.fleet == e.fleet && old.epoch+1 < e.epoch })
	c.gathering[e] = g
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
