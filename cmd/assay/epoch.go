package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// epochCall is one call of assay epoch.
type epochCall struct {
	memberCall
	follow bool
}

func newEpochCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "epoch",
		Short: "Open epochs on a Fabric ledger, and settle them",
		Long: `Who is enrolled in an epoch is settled when a regulator opens it on the ledger: whatever was endorsed before and
kept back is void then. An epoch that is not opened soon after it begins cannot be anchored.`,
	}
	command.AddCommand(newEpochOpenCommand(p), newEpochSettleCommand(p))
	return command
}

func newEpochOpenCommand(p *cli.Printer) *cobra.Command {
	c := &epochCall{memberCall: memberCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "open",
		Short: "Open the current epoch, as a regulator",
		Long: `Open opens the current epoch, unless it is open. With --follow it goes on to open every epoch as it begins: a
regulator keeps it running.`,
		Example: `  assay epoch open --follow --profile profiles/regulator.json
  assay epoch open --network assay-network`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.with(command.Context(), c.open) },
	})
	command.Flags().BoolVar(&c.follow, "follow", false, "go on, with every epoch as it begins")
	return command
}

func newEpochSettleCommand(p *cli.Printer) *cobra.Command {
	c := &epochCall{memberCall: memberCall{Printer: p}}
	return c.flags(&cobra.Command{
		Use:   "settle FLEET EPOCH",
		Short: "Close a fleet's epoch: no anchor for it is taken any more",
		Long: `Settle closes a fleet's epoch about which no proof was verified, once its time for anchors is over. Any organisation may. A
trust export is made of closed epochs only.`,
		Example: `  assay epoch settle swapco-fleet 12 --org greenbank`,
		Args:    cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			epoch, err := strconv.ParseUint(args[1], 10, 64)
			if err != nil || epoch >= ledger.MaxEpoch {
				return cli.Usage("EPOCH is %q, must be a number below %d", args[1], uint64(ledger.MaxEpoch))
			}
			return c.with(command.Context(), func(ctx context.Context, b ledger.Book) error {
				return c.settle(ctx, b, ledger.EpochRef{Fleet: args[0], Epoch: epoch})
			})
		},
	})
}

type epochObject struct {
	Kind  string `json:"kind"`
	Epoch uint64 `json:"epoch"`
	Fleet string `json:"fleet,omitempty"`
}

func (c *epochCall) open(ctx context.Context, b ledger.Book) error {
	if !c.follow {
		e, err := b.Epoch(ctx)
		if err != nil {
			return err
		}
		return c.openOne(ctx, b, e)
	}
	return followEpochs(ctx, b, func(e ledger.EpochInfo) error { return c.openOne(ctx, b, e) }, func(err error) { c.Note("%s", cli.Printable(err.Error())) })
}

// followEpochs calls open at the beginning of every epoch, and again if it failed: an organisation may be away for a while.
func followEpochs(ctx context.Context, b ledger.Book, open func(ledger.EpochInfo) error, failed func(error)) error {
	for {
		pause := retryOpening
		e, err := b.Epoch(ctx)
		if err == nil {
			pause, err = time.Until(time.Unix(e.End, 0)), open(e)
		}
		if ctx.Err() != nil {
			return nil // told to stop
		}
		if err != nil {
			failed(err)
			pause = retryOpening
		}
		if wait(ctx, pause) != nil {
			return nil
		}
	}
}

// retryOpening is how long a follower waits after a failure.
const retryOpening = 2 * time.Second

func (c *epochCall) openOne(ctx context.Context, b ledger.Book, e ledger.EpochInfo) error {
	already := e.Opened != nil && *e.Opened >= e.Epoch
	epoch, err := b.OpenEpoch(ctx)
	if err != nil {
		return cli.No("%w", err)
	}
	o := epochObject{Kind: "epoch_opened", Epoch: epoch}
	if already {
		return c.Result(o, "OPEN    epoch %d was open", epoch)
	}
	return c.Result(o, "OPENED  epoch %d", epoch)
}

func (c *epochCall) settle(ctx context.Context, b ledger.Book, of ledger.EpochRef) error {
	if _, err := b.Settle(ctx, of); err != nil {
		return cli.No("%w", err)
	}
	return c.Result(epochObject{"settled", of.Epoch, of.Fleet}, "SETTLED fleet %s at epoch %d", of.Fleet, of.Epoch)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errors.New("stopped")
	case <-timer.C:
		return nil
	}
}
