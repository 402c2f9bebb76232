package node

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errNoEpoch = errors.New("the ledger has not opened an epoch yet")

// opened is the epoch that the ledger has opened last. What deletes or draws lines goes by it, and not by this machine's clock.
func (n *Node) opened(ctx context.Context) (uint64, error) {
	e, err := n.env.Book.Epoch(ctx)
	if err != nil {
		return 0, err
	}
	if e.Opened == nil {
		return 0, errNoEpoch
	}
	return *e.Opened, nil
}

// checkClock holds this machine's clock against the ledger's epochs.
func (n *Node) checkClock(ctx context.Context) error {
	opened, err := n.opened(ctx)
	if err != nil {
		return nil // the ledger's own line says so
	}
	here, err := n.genesis.EpochAt(time.Now())
	if err != nil {
		return err
	}
	if here > opened+clockEpochs || here+clockEpochs < opened {
		return fmt.Errorf("this machine's clock is in epoch %d, the ledger has opened %d", here, opened)
	}
	return nil
}

// clockEpochs is by how many epochs the clock may differ from what a regulator has opened.
const clockEpochs = 2

// awaitClock takes no frames while the clock is so far from the ledger's epochs that honest readings would be put aside: behind what a regulator has opened, or
// ahead by half of what readings may be old. A regulator that is away for less is no reason to wait.
func (n *Node) awaitClock(ctx context.Context) error {
	for waited := false; ; waited = true {
		err := n.checkClock(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		opened, unknown := n.opened(ctx)
		ahead := time.Since(n.genesis.EpochEnd(opened))
		if unknown != nil || ahead > 0 && ahead < n.config.Ingest.Past/2 {
			n.log.Warn("the clock and the ledger's epochs differ", "error", err)
			return nil
		}
		if !waited {
			n.log.Error("the node waits before it takes frames", "error", err)
		}
		if err := sleep(ctx, storagePause); err != nil {
			return err
		}
	}
}
