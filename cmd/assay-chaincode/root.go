package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// run carries out one command line. An error has been printed when it returns.
func run(ctx context.Context, args []string, p *cli.Printer) error {
	return cli.Run(ctx, p, newRootCommand(p), args)
}

func newRootCommand(p *cli.Printer) *cobra.Command {
	root := cli.Root(p, &cobra.Command{
		Use:   "assay-chaincode",
		Short: "Run the ledger's contract for a Fabric peer",
		Long: `assay-chaincode runs the ledger's contract as a service, which one organisation's Fabric peer calls, and keeps the
list of what the organisation has consented to.

Every flag can also be given as an environment variable: --tls-cert as ASSAY_CHAINCODE_TLS_CERT. The flag counts
where both are given.

Exit code: 0 for success, 1 for a failure with a reason, 2 for a call that cannot be carried out as written.`,
	}, newServeCommand, newAgreeCommand, newAgreedCommand)
	for _, command := range root.Commands() {
		command.PreRunE = func(c *cobra.Command, _ []string) error { return fromEnvironment(c.Flags(), os.LookupEnv) }
	}
	return root
}
