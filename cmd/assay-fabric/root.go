package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// commands are the constructors of all commands.
var commands = []func(*cli.Printer) *cobra.Command{
	newUpCommand,
	newStatusCommand,
	newLogsCommand,
	newDownCommand,
	newDestroyCommand,
	newChannelCommand,
	newPeersCommand,
	newHeightCommand,
	newExportCommand,
	newContractCommand,
}

// run carries out one command line. An error has been printed when it returns.
func run(ctx context.Context, args []string, p *cli.Printer) error {
	return cli.Run(ctx, p, newRootCommand(p), args)
}

func newRootCommand(p *cli.Printer) *cobra.Command {
	return cli.Root(p, &cobra.Command{
		Use:   "assay-fabric",
		Short: "Run a local Fabric network for Assay, administer a real one",
		Long: `assay-fabric runs a Hyperledger Fabric network on this machine, as plain processes without containers: up, status, logs,
down, destroy. On real networks it does an organisation's administration: channel, contract, peers, height, export.

Exit code: 0 for yes, 1 for no with a reason, 2 for a call that cannot be carried out as written.`,
	}, commands...)
}

// group is a command that only has others.
func group(name, short, long string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(commands...)
	return c
}
