package main

import (
	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/embedded"
)

func newLedgerCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{Use: "ledger", Short: "Work with an embedded ledger"}
	command.AddCommand(&cobra.Command{
		Use:   "verify DIR",
		Short: "Verify an embedded ledger from its genesis",
		Long: `Verify walks all blocks: hash chain, signatures of callers and endorsers, endorsement rules, and every write
replayed into a fresh state that must equal the stored one. The exit code is 1 if anything differs, with the block.`,
		Example: `  assay ledger verify assay-demo/ledger`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return verifyLedger(p, args[0]) },
	})
	return command
}

type ledgerObject struct {
	Kind  string `json:"kind"`
	Valid bool   `json:"valid"`
	embedded.Report
}

func verifyLedger(p *cli.Printer, dir string) error {
	report, err := embedded.Verify(dir)
	if err != nil {
		return cli.No("%s: %w", dir, err)
	}
	if p.JSON {
		return p.Object(ledgerObject{"ledger", true, report})
	}
	return p.Line("VALID   ledger %s: %d blocks, %d transactions, last block hash %s", report.Ledger, report.Height, report.Transactions, report.Head)
}
