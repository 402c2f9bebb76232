package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// commands are the constructors of all commands, one file each. A command gets the printer, through which all its output goes.
func commands() []func(*cli.Printer) *cobra.Command {
	return []func(*cli.Printer) *cobra.Command{
		newDemoCommand,
		newDeviceCommand,
		newServeCommand,
		newTokenCommand,
		newImportCommand,
		newVerifyCommand,
		newStatementCommand,
		newLedgerCommand,
		newAuditCommand,
		newEpochCommand,
		newFleetCommand,
		newPolicyCommand,
		newGrantCommand,
		newRequestCommand,
		newQueryCommand,
		newMPCCommand,
		newProofCommand,
		newIngestCommand,
		newStoreCommand,
		newKeysCommand,
		newCeremonyCommand,
		newMakerCommand,
		newProveWorkerCommand,
	}
}

// run carries out one command line. An error has been printed when it returns.
func run(ctx context.Context, args []string, p *cli.Printer) error {
	return cli.Run(ctx, p, newRootCommand(p), args)
}

func newRootCommand(p *cli.Printer) *cobra.Command {
	return cli.Root(p, &cobra.Command{
		Use:   "assay",
		Short: "Prove what a fleet of batteries is worth, without showing a reading",
		Long: `Assay lets a lender learn what a fleet of batteries or charging piles is worth, and a regulator check
that, while nobody but the owner sees a reading.

Exit code: 0 for yes, 1 for no with a reason, 2 for a call that cannot be carried out as written.`,
	}, commands()...)
}
