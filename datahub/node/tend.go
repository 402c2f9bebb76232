package node

import (
	"context"
	"time"
)

const (
	tendEvery  = 30 * time.Second
	pruneEvery = time.Hour
)

// tend does what comes round now and then: it looks for new makers, counts devices, takes seats from
// devices that have left them, and deletes frames that are old.
func (n *Node) tend(ctx context.Context) error {
	var pruned time.Time
	for {
		if err := n.devices.readMakers(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("reading the makers: will try again", "error", err)
		}
		n.devices.count(n.metrics.devices)
		if time.Since(pruned) > pruneEvery {
			n.leave(ctx)
			for i := range n.config.Fleets {
				n.refresh(ctx, n.config.Fleets[i].ID)
			}
			n.prune(ctx)
			pruned = time.Now()
		}
		if sleep(ctx, tendEvery) != nil {
			return nil
		}
	}
}

// leave takes seats from those who have left them.
func (n *Node) leave(ctx context.Context) {
	opened, err := n.opened(ctx)
	if err != nil {
		return // the clock says so
	}
	stored, err := n.storage.Store.Devices(ctx)
	if err == nil {
		err = n.greeter.leave(ctx, stored, opened)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("looking for devices that have left their seats: will try again", "error", err)
	}
}

func (n *Node) prune(ctx context.Context) {
	opened, err := n.opened(ctx)
	keep := uint64(n.config.Store.KeepFrames/(time.Duration(n.genesis.EpochSeconds)*time.Second)) + 2
	if err != nil || opened <= keep {
		return
	}
	before := opened - keep
	fleets, err := n.storage.Store.Fleets(ctx) // also those that have left the configuration, and strangers' frames
	if err != nil && ctx.Err() == nil {
		n.log.Warn("deleting old frames: will try again", "error", err)
	}
	for _, fleet := range fleets {
		deleted, err := n.storage.Store.Prune(ctx, fleet, before)
		if err != nil && ctx.Err() == nil {
			n.log.Warn("deleting old frames: will try again", "fleet", fleet, "error", err)
		} else if deleted.Frames > 0 {
			n.log.Info("deleted old frames", "fleet", fleet, "before_epoch", before, "frames", deleted.Frames)
		}
	}
}

// refresh moves a fleet's snapshots to the running epoch.
func (n *Node) refresh(ctx context.Context, fleet string) {
	epoch, err := n.opened(ctx)
	if err == nil {
		err = n.sink.refresh(ctx, n.storage.Store, fleet, epoch)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("storing snapshots: those of the epoch before stay", "fleet", fleet, "error", err)
	}
}
