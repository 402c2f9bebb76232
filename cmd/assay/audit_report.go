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
)

// auditVerifyCall is one call of assay audit channel verify.
type auditVerifyCall struct {
	*cli.Printer
	genesis, by, channelGenesis, head string
	atLeast                           uint64
}

func newAuditVerifyCommand(p *cli.Printer) *cobra.Command {
	c := &auditVerifyCall{Printer: p}
	command := &cobra.Command{
		Use:   "verify REPORT --genesis GENESIS",
		Short: "Check an audit report's signature, and print it",
		Long: `Verify checks that a report is about the consortium of a genesis and signed by a regulator of it, or by the
organisation that --by names, and prints what it says. The audit itself is not done again. The exit code is 0 if the
signature is good and the channel was found sound.

A report is about one channel up to one block. Somebody can found another channel for the same consortium, or leave
the last blocks away: say which channel it must be (--channel-genesis) and how far it must reach (--at-least, --head).`,
		Example: `  assay audit channel verify audit.json --genesis genesis.json --channel-genesis channel.block`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.run(args[0]) },
	}
	f := command.Flags()
	f.StringVar(&c.genesis, "genesis", "", "the consortium's genesis")
	f.StringVar(&c.by, "by", "", "the organisation that must have audited (default: any regulator)")
	f.StringVar(&c.channelGenesis, "channel-genesis", "", "the channel's genesis block, or the hash of its header")
	f.StringVar(&c.head, "head", "", "the hash of the last block")
	f.Uint64Var(&c.atLeast, "at-least", 0, "the height that the report must reach")
	cli.Require(command, "genesis")
	return command
}

func (c *auditVerifyCall) run(path string) error {
	g, err := readGenesis(c.genesis)
	if err != nil {
		return err
	}
	want, err := c.expected()
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
	if err := report.Verify(g, want); err != nil {
		return cli.No("%s: %w", path, err)
	}
	if err := printAudit(c.Printer, report); err != nil {
		return err
	}
	if want.ChannelGenesis.IsZero() {
		c.Note("Compare the channel's genesis with yours: another channel of the same consortium has another (--channel-genesis).")
	}
	if f := report.Failure(); f != nil {
		return cli.No("%s: the channel is not sound: %s", path, f)
	}
	return nil
}

func (c *auditVerifyCall) expected() (want audit.Expected, err error) {
	want.By, want.AtLeast = strings.ToLower(c.by), c.atLeast
	if c.channelGenesis != "" {
		if want.ChannelGenesis, err = channelPin(c.channelGenesis); err != nil {
			return want, err
		}
	}
	if c.head != "" {
		if err := want.Head.UnmarshalText([]byte(c.head)); err != nil {
			return want, cli.Usage("--head: %w", err)
		}
	}
	return want, nil
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
	fmt.Fprintf(&b, "%s   %s\n\n", auditHeadline(r), auditSubject(r))
	fmt.Fprintf(&b, "Genesis       block 0, hash %s\n", r.ChannelGenesis)
	fmt.Fprintf(&b, "Head          block %d, hash %s\n", r.Height, r.Hash)
	n := &r.Counts
	fmt.Fprintf(&b, "Checked       %d blocks, %d transactions, %d signatures, %d validation codes of peers\n", n.Blocks, n.Transactions, n.Signatures, n.Flags)
	fmt.Fprintf(&b, "Contract      %s\n", countsText(n.Calls))
	for _, o := range r.Others {
		fmt.Fprintf(&b, "Other         %s: %d transactions\n", o.Chaincode, o.Transactions)
	}
	if n.PeersWord > 0 {
		fmt.Fprintf(&b, "Peer's word   %d validation codes of other chaincodes, which are not evaluated\n", n.PeersWord)
	}
	for _, hash := range r.Accepted {
		fmt.Fprintf(&b, "Accepted      the configuration of the block with hash %s\n", hash)
	}
	required := map[bool]string{true: "attestations were required", false: "attestations were not required"}[r.AttestationsRequired]
	fmt.Fprintf(&b, "Anchors       %d re-checked with the attestations of %d devices, %d not re-checked; %s\n", n.Anchors, n.Devices, n.AnchorsUnchecked, required)
	fmt.Fprintf(&b, "Proofs        %d verified again\n", n.Proofs)
	if len(n.Codes) > 0 {
		fmt.Fprintf(&b, "No effect     %s\n", countsText(n.Codes))
	}
	for i := range r.Requests {
		b.WriteString(auditedText(&r.Requests[i]))
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

func auditHeadline(r *audit.Report) string {
	switch n := r.Counts.AnchorsUnchecked; {
	case !r.Sound:
		return "NOT SOUND"
	case n > 0:
		return fmt.Sprintf("SOUND but for %d anchors not re-checked", n)
	}
	return "SOUND"
}

func auditedText(q *audit.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Request       %s by %s about %s at epoch %d: asked in block %d", short(q.ID), q.Requester, q.Fleet, q.Epoch, q.Asked.Height)
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
