package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/node"
)

// nodeCall is one call of a command that reads a node's store.
type nodeCall struct {
	*cli.Printer
	configAt string
}

func (c *nodeCall) flags(command *cobra.Command) *cobra.Command {
	command.Flags().StringVar(&c.configAt, "config", "", "the node's configuration")
	cli.Require(command, "config")
	return command
}

// with opens the node's store, beside the node if it runs.
func (c *nodeCall) with(ctx context.Context, do func(*node.Config, *node.Storage) error) error {
	config, err := readConfig(c.configAt)
	if err != nil {
		return err
	}
	s, err := node.OpenStorage(ctx, config, node.StorageOptions{Existing: true})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // what was changed is committed
	return do(config, s)
}

func newFleetCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "fleet",
		Short: "Look at fleets",
		Long:  `status reads an owner's store on its machine; list, show and coverage ask the node that --api names what the ledger knows.`,
	}
	c := &fleetCall{nodeCall: nodeCall{Printer: p}}
	status := c.flags(&cobra.Command{
		Use:   "status --config OWNER.yaml",
		Short: "Show devices, epochs and coverage",
		Long: `Status shows, for each fleet of a node's configuration, how many devices have a seat and how far their enrolment is, and for the
last epochs what was received, how many devices attested, and how many chunks are anchored.`,
		Example: `  assay fleet status --config owner.yaml
  assay fleet status --config owner.yaml --watch
  assay fleet status --config owner.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	})
	status.Flags().IntVar(&c.epochs, "epochs", 10, "how many epochs to show")
	status.Flags().BoolVar(&c.watch, "watch", false, "show again every two seconds")
	command.AddCommand(status, newFleetListCommand(p), newFleetShowCommand(p), newFleetCoverageCommand(p))
	return command
}

type fleetCall struct {
	nodeCall
	epochs int
	watch  bool
}

func (c *fleetCall) run(ctx context.Context) error {
	if c.epochs < 1 || c.epochs > 10_000 {
		return cli.Usage("--epochs %d: must be 1 to 10000", c.epochs)
	}
	return c.with(ctx, func(config *node.Config, s *node.Storage) error {
		for {
			if err := c.show(ctx, config, s); err != nil || !c.watch {
				return err
			}
			if wait(ctx, 2*time.Second) != nil {
				return nil
			}
		}
	})
}

func (c *fleetCall) show(ctx context.Context, config *node.Config, s *node.Storage) error {
	for i := range config.Fleets {
		status, err := node.FleetStatus(ctx, s.Store, config.Fleets[i].ID, c.epochs)
		if err != nil {
			return err
		}
		if c.JSON {
			if err := c.Object(struct {
				Kind string `json:"kind"`
				*node.Status
			}{"fleet_status", status}); err != nil {
				return err
			}
			continue
		}
		if err := c.text(status); err != nil {
			return err
		}
	}
	return nil
}

func (c *fleetCall) text(s *node.Status) error {
	if err := c.Line("Fleet %s: %d devices enrolled, %d being enrolled, %d offered a seat, %d retired", s.Fleet, s.Devices.Enrolled, s.Devices.Accepted, s.Devices.Offered, s.Devices.Retired); err != nil {
		return err
	}
	if len(s.Epochs) == 0 {
		return c.Line("No epoch was closed yet.")
	}
	rows := make([][]string, len(s.Epochs))
	for i, e := range s.Epochs {
		rows[i] = []string{fmt.Sprint(e.Epoch), e.State, fmt.Sprintf("%d/%d", e.Anchored, e.Chunks), fmt.Sprintf("%d/%d", e.Attested, e.Enrolled), e.Coverage + " %",
			fmt.Sprint(e.Frames), fmt.Sprint(e.Readings), fmt.Sprint(e.Late), fmt.Sprint(e.Flagged)}
	}
	return c.Table([]string{"epoch", "state", "chunks", "attested", "coverage", "frames", "readings", "late", "flagged"}, rows)
}
