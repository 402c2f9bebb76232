package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

func newFleetListCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var owner string
	command := &cobra.Command{
		Use:   "list",
		Short: "List the fleets on the ledger",
		Long:  `List prints the fleets that a node's ledger knows, its own organisation's and others'.`,
		Example: `  assay fleet list
  assay fleet list --owner swapco --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				l := listing{Printer: p, kind: "fleet", header: []string{"fleet", "owner", "schema", "chunk size", "registered"}}
				for f, err := range node.AllFleets(ctx, owner) {
					if err != nil {
						return err
					}
					if err := l.add(f, f.GetId(), f.GetOwner(), f.GetSchema(), fmt.Sprint(f.GetChunkSize()), timeText(f.GetRegisteredAt())); err != nil {
						return err
					}
				}
				return l.end("There is no fleet.")
			})
		},
	}
	command.Flags().StringVar(&owner, "owner", "", "only fleets of this organisation")
	c.flags(command.Flags())
	return command
}

func newFleetShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:     "show FLEET",
		Short:   "Show a fleet as the ledger knows it",
		Long:    `Show prints a fleet's owner and schema: what a statement about it may name.`,
		Example: `  assay fleet show swapco-fleet`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				answer, err := node.Fleets.GetFleet(ctx, &assayv1.GetFleetRequest{Fleet: args[0]})
				if err != nil {
					return err
				}
				f := answer.GetFleet()
				if p.JSON {
					return printMessage(p, "fleet", f)
				}
				return p.Line("%s", cli.Printable(fmt.Sprintf("Fleet       %s\nOwner       %s\nSchema      %s\nChunks      of %d devices\nRegistered  %s, transaction %s",
					f.GetId(), f.GetOwner(), f.GetSchema(), f.GetChunkSize(), timeText(f.GetRegisteredAt()), f.GetTxId())))
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func newFleetCoverageCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var epoch uint64
	command := &cobra.Command{
		Use:   "coverage FLEET [--epoch N]",
		Short: "Show how many of a fleet's devices reported",
		Long: `Coverage compares the devices that attested to a record of an epoch with those enrolled when it began, by the anchors on the ledger. An epoch that is
final can be asked about.`,
		Example: `  assay fleet coverage swapco-fleet
  assay fleet coverage swapco-fleet --epoch 41 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			in := &assayv1.GetCoverageRequest{Fleet: args[0]}
			if command.Flags().Changed("epoch") {
				in.Epoch = &epoch
			}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				answer, err := node.Fleets.GetCoverage(ctx, in)
				if err != nil {
					return err
				}
				m := answer.GetCoverage()
				if p.JSON {
					return printMessage(p, "coverage", m)
				}
				return p.Line("%s", cli.Printable(coverageText(m)))
			})
		},
	}
	command.Flags().Uint64Var(&epoch, "epoch", 0, "the epoch (default: the last that is over)")
	c.flags(command.Flags())
	return command
}

func coverageText(m *assayv1.Coverage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Fleet       %s at epoch %d, %s to %s\n", m.GetFleet(), m.GetEpoch(), timeText(m.GetEpochStart()), timeText(m.GetEpochEnd()))
	fmt.Fprintf(&b, "Coverage    %s %%: %d of %d enrolled devices reported; %d of %d chunks are not anchored\n", m.GetPercent(), m.GetAttested(), m.GetEnrolled(), m.GetMissingChunks(), m.GetChunks())
	fmt.Fprintf(&b, "Retired     %d devices since the epoch before\n", m.GetRetired())
	for _, class := range slices.Sorted(maps.Keys(m.GetKeyClasses())) {
		fmt.Fprintf(&b, "Keys        %s: %d devices\n", class, m.GetKeyClasses()[class])
	}
	fmt.Fprintf(&b, "Final       %s", map[bool]string{true: "yes: it can be asked about", false: "not yet: anchors may still come"}[m.GetFinal()])
	return b.String()
}
