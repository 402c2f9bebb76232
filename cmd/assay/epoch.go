package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// epochCall is one call of assay epoch.
type epochCall struct {
	*cli.Printer
	profileAt, networkAt, org string
	follow                    bool
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

func (c *epochCall) flags(command *cobra.Command) *cobra.Command {
	f := command.Flags()
	f.StringVar(&c.profileAt, "profile", "", "the organisation's connection profile")
	f.StringVar(&c.networkAt, "network", networkDir, "a local network's folder, for the profile of --org")
	f.StringVar(&c.org, "org", "regulator", "the organisation that calls")
	return command
}

func newEpochOpenCommand(p *cli.Printer) *cobra.Command {
	c := &epochCall{Printer: p}
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
	c := &epochCall{Printer: p}
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

// with connects in the organisation's name.
func (c *epochCall) with(ctx context.Context, do func(context.Context, ledger.Book) error) error {
	if c.profileAt == "" {
		c.profileAt = profilePath(c.networkAt, strings.ToLower(c.org))
	}
	client, err := gateway.OpenProfile(ctx, c.profileAt)
	if err != nil {
		return cli.Usage("%w", err)
	}
	defer client.Close() //nolint:errcheck // nothing is on its way
	return do(ctx, ledger.Book{Client: client})
}

type epochObject struct {
	Kind  string `json:"kind"`
	Epoch uint64 `json:"epoch"`
	Fleet string `json:"fleet,omitempty"`
}

func (c *epochCall) open(ctx context.Context, b ledger.Book) error {
	for {
		e, err := b.Epoch(ctx)
		if err == nil {
			err = c.openOne(ctx, b, e)
		}
		if err != nil && !c.follow || ctx.Err() != nil {
			return err
		}
		if !c.follow {
			return nil
		}
		pause := time.Until(time.Unix(e.End, 0))
		if err != nil { // an organisation may be away for a while
			c.Note("%s", cli.Printable(err.Error()))
			pause = retryOpening
		}
		if wait(ctx, pause) != nil {
			return nil // told to stop
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
	if c.JSON {
		return c.Object(epochObject{Kind: "epoch_opened", Epoch: epoch})
	}
	if already {
		return c.Line("OPEN    epoch %d was open", epoch)
	}
	return c.Line("OPENED  epoch %d", epoch)
}

func (c *epochCall) settle(ctx context.Context, b ledger.Book, of ledger.EpochRef) error {
	if _, err := b.Settle(ctx, of); err != nil {
		return cli.No("%w", err)
	}
	if c.JSON {
		return c.Object(epochObject{"settled", of.Epoch, of.Fleet})
	}
	return c.Line("SETTLED fleet %s at epoch %d", of.Fleet, of.Epoch)
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
