package node

import (
	"context"
	"time"
)

const (
	// settleWithin is how long frames of the epoch that are still on their way into the store are waited for. What comes later is late.
	settleWithin = 5 * time.Second
	backlogPause = 200 * time.Millisecond
)

// settle draws the line under an epoch's readings: when their grace is over, and what the broker had by then is stored. What devices and broker
// kept while the node was away comes in meanwhile.
func (c *closer) settle(ctx context.Context, fleet string, epoch uint64) {
	if c.isDrawn(fleet, epoch) {
		return
	}
	defer func() {
		if ctx.Err() == nil {
			c.line(fleet, epoch)
			c.draw(fleet, epoch)
		}
	}()
	if c.clock().After(c.genesis.AnchorDeadline(epoch)) {
		return // nothing is derived of it any more
	}
	from := c.begin(epoch)
	if c.started.After(from) {
		from = c.started
	}
	if c.until(ctx, from.Add(c.grace(epoch))) != nil {
		return
	}
	c.readBacklog(ctx, fleet, epoch)
	wait, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := c.settled(wait, epoch); err != nil && ctx.Err() == nil {
		c.log.Warn("frames of the epoch are still on their way", "fleet", fleet, "epoch", epoch)
	}
}

// readBacklog waits until what the broker has now is stored, for a quarter of the time that is left for anchors at most.
func (c *closer) readBacklog(ctx context.Context, fleet string, epoch uint64) {
	_, newest, err := c.backlog(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("the line under an epoch is drawn without knowing what the broker has", "fleet", fleet, "epoch", epoch, "error", err)
		}
		return
	}
	now := c.clock()
	for until := now.Add(c.genesis.AnchorDeadline(epoch).Sub(now) / 4); ; {
		oldest, _, err := c.backlog(ctx)
		if err == nil && oldest > newest || ctx.Err() != nil {
			return
		}
		if !c.clock().Before(until) {
			c.log.Warn("the broker's backlog is not read in time: readings in it are late", "fleet", fleet, "epoch", epoch)
			return
		}
		sleep(ctx, backlogPause) //nolint:errcheck // asked above
	}
}

// draw takes note that the line under an epoch was drawn, and those before.
func (c *closer) draw(fleet string, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drawn[fleet] = max(c.drawn[fleet], epoch+1)
}

func (c *closer) isDrawn(fleet string, epoch uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return epoch < c.drawn[fleet]
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

// closes asks the schedule whether an epoch is closed, and when that begins. One whose time for anchors would be over by then is not.
func (c *closer) closes(epoch uint64) (time.Time, bool) {
	at, closes := c.schedule.at(epoch, c.genesis.EpochEnd(epoch), c.genesis.EpochEnd(epoch+1))
	return at, closes && at.Before(c.genesis.AnchorDeadline(epoch))
}

// grace is how long readings of the epoch that were under way at its end count as in time: an eighth of the time for anchors at most.
func (c *closer) grace(epoch uint64) time.Duration {
	return min(c.config.Grace, c.genesis.AnchorDeadline(epoch).Sub(c.begin(epoch))/8)
}
