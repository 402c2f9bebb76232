package node

import (
	"context"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	epochRetry = 2 * time.Second
	// epochLook bounds how long the next epoch is waited for without a look: the ledger's clock is not this machine's.
	epochLook = time.Minute
)

// openEpochs opens every epoch on the ledger as it begins, as a regulator does. Another regulator, or another process, may be faster.
func (n *Node) openEpochs(ctx context.Context) error {
	for ctx.Err() == nil {
		pause, err := n.openEpoch(ctx)
		if err != nil && ctx.Err() == nil {
			n.metrics.epochFailures.Inc()
			n.log.Warn("opening the epoch: will try again", "error", err)
			pause = epochRetry
		}
		if sleep(ctx, pause) != nil {
			break
		}
	}
	return nil
}

// openEpoch opens the current epoch unless it is open, and says when to look again.
func (n *Node) openEpoch(ctx context.Context) (time.Duration, error) {
	e, err := n.env.Book.Epoch(ctx)
	if err != nil {
		return 0, err
	}
	if e.Opened == nil || *e.Opened < e.Epoch {
		epoch, err := n.env.Book.OpenEpoch(ctx)
		if err != nil {
			return 0, err
		}
		n.metrics.epochOpened.Set(float64(epoch))
		n.log.Info("epoch opened", "epoch", epoch)
	}
	return untilNext(&e), nil
}

// untilNext is the time until the next epoch by the ledger's clock, which goes by whole seconds: a look that is too early is only too early.
func untilNext(e *ledger.EpochInfo) time.Duration {
	left := time.Duration(e.End-e.Now) * time.Second
	return min(max(left, 100*time.Millisecond), epochLook)
}
