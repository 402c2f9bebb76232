package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func newAuditVerifyCommand(p *cli.Printer) *cobra.Command {
	var genesis string
	command := &cobra.Command{
		Use:   "verify REPORT --genesis GENESIS",
		Short: "Check an audit report's signature, and print it",
		Long: `Verify checks that a report is about the consortium of a genesis and signed by one of its organisations, and prints
what it says. The audit itself is not done again. The exit code is 0 if the signature is good and the channel was
found sound.`,
		Example: `  assay audit verify audit.json --genesis genesis.json`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return verifyAudit(p, args[0], genesis) },
	}
	command.Flags().StringVar(&genesis, "genesis", "", "the consortium's genesis")
	if err := command.MarkFlagRequired("genesis"); err != nil {
		panic(err) // the flag is defined above
	}
	return command
}

func verifyAudit(p *cli.Printer, path, genesis string) error {
	g, err := readGenesis(genesis)
	if err != nil {
		return err
	}
	b, err := readFile(path, audit.MaxReport)
	if err != nil {
		return err
	}
	report, err := audit.ParseReport(b)
	if err != nil {
		return cli.No("%s: %w", path, err)
	}
	if err := report.Verify(g); err != nil {
		return cli.No("%s: %w", path, err)
	}
	if err := printAudit(p, report); err != nil {
		return err
	}
	if !g.HasRole(report.AuditedBy, ledger.RoleRegulator) {
		p.Note("%s is not a regulator of this ledger.", report.AuditedBy)
	}
	if f := report.Failure(); f != nil {
		return cli.No("%s: the channel is not sound: %s", path, f)
	}
	return nil
}

type auditObject struct {
	Kind string `json:"kind"`
	*audit.Report
}

func printAudit(p *cli.Printer, r *audit.Report) error {
	if p.JSON {
		return p.Object(auditObject{"audit", r})
	}
	_, err := io.WriteString(p.Out, cli.Printable(auditText(r)))
	return err
}

func auditText(r *audit.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", map[bool]string{true: "SOUND   ", false: "NOT SOUND   "}[r.Sound]+auditSubject(r))
	fmt.Fprintf(&b, "Head          block %d, hash %s\n", r.Height, r.Hash)
	n := &r.Counts
	fmt.Fprintf(&b, "Checked       %d blocks, %d transactions, %d signatures, %d validation codes of peers\n", n.Blocks, n.Transactions, n.Signatures, n.Flags)
	fmt.Fprintf(&b, "Contract      %s\n", countsText(n.Calls))
	for _, o := range r.Others {
		fmt.Fprintf(&b, "Other         %s: %d transactions\n", o.Chaincode, o.Transactions)
	}
	fmt.Fprintf(&b, "Anchors       %d re-checked with the attestations of %d devices, %d not re-checked\n", n.Anchors, n.Devices, n.AnchorsUnchecked)
	fmt.Fprintf(&b, "Proofs        %d verified again\n", n.Proofs)
	if len(n.Codes) > 0 {
		fmt.Fprintf(&b, "No effect     %s\n", countsText(n.Codes))
	}
	for i := range r.Requests {
		b.WriteString(requestText(&r.Requests[i]))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%-13s %s\n", map[bool]string{true: "FAILURE", false: "Notice"}[f.Failure], f)
	}
	by := "not signed"
	if r.AuditedBy != "" {
		by = "signed by " + r.AuditedBy
	}
	fmt.Fprintf(&b, "\nReport        of %s, %s\n", time.Unix(r.AuditedAt, 0).UTC().Format(time.RFC3339), by)
	return b.String()
}

func requestText(q *audit.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Request       %s… by %s about %s at epoch %d: asked in block %d", q.ID.String()[:16], q.Requester, q.Fleet, q.Epoch, q.Asked.Height)
	if d := q.Decided; d != nil && d.Approved {
		fmt.Fprintf(&b, ", approved in block %d", d.Height)
	} else if d != nil {
		fmt.Fprintf(&b, ", refused in block %d", d.Height)
	}
	if w := q.Withdrawn; w != nil {
		fmt.Fprintf(&b, ", withdrawn in block %d", w.Height)
	}
	if v := q.Verified; v != nil {
		fmt.Fprintf(&b, ", proof verified in block %d: its claims %s", v.Height, map[bool]string{true: "hold", false: "do not all hold"}[v.Holds])
	}
	return b.String() + "\n"
}

func countsText(counts map[string]uint64) string {
	parts := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if len(parts) == 0 {
		return "no calls"
	}
	return strings.Join(parts, ", ")
}
