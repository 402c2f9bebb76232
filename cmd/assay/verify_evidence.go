package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/zk/commit"
)

// evidenceObject is a report about evidence as a line of JSON.
type evidenceObject struct {
	Kind string `json:"kind"`
	*evidence.Report
}

// checkEvidence verifies a file of evidence.
func (c *verifyCall) checkEvidence() error {
	b, err := readFile(c.evidence, evidence.MaxBytes)
	if err != nil {
		return err
	}
	e, err := evidence.Parse(b)
	if err != nil {
		return cli.No("%s: %w", c.evidence, err)
	}
	o := evidence.Options{}
	if c.ledger != "" {
		if err := o.Ledger.UnmarshalText([]byte(c.ledger)); err != nil {
			return cli.Usage("--ledger: %w", err)
		}
		if o.Ledger != e.Ledger {
			return cli.No("%s is of ledger %s, not of %s", c.evidence, e.Ledger, o.Ledger)
		}
	}
	if o.Blocks, err = c.blocksOf(e); err != nil {
		return err
	}
	report := evidence.Verify(e, o)
	if err := c.printEvidence(report); err != nil {
		return err
	}
	if faults := report.Faults(); len(faults) > 0 {
		return cli.No("%s is not sound: %s: %s", c.evidence, faults[0].Subject, faults[0].Text)
	}
	return nil
}

// blocksOf is what reads the blocks of a file, by their format.
func (c *verifyCall) blocksOf(e *evidence.Evidence) (evidence.Blocks, error) {
	g := &e.Genesis
	if c.genesis != "" {
		var err error
		if g, err = readGenesis(c.genesis); err != nil {
			return nil, cli.Usage("--genesis: %w", err)
		}
		if g.ID() != e.Ledger {
			return nil, cli.No("%s is of ledger %s, %s of ledger %s", c.evidence, e.Ledger, c.genesis, g.ID())
		}
	}
	var pin commit.Digest
	if c.channelGenesis != "" {
		var err error
		if pin, err = channelPin(c.channelGenesis); err != nil {
			return nil, err
		}
	}
	blocks, err := e.Reader(audit.Blocks{Genesis: g, ChannelGenesis: pin, Chaincode: c.chaincode}, embedded.Blocks{Genesis: g})
	if err != nil {
		return nil, cli.No("%s: %w", c.evidence, err)
	}
	return blocks, nil
}

func (c *verifyCall) printEvidence(r *evidence.Report) error {
	if c.JSON {
		return c.Object(evidenceObject{"evidence", r})
	}
	return c.Line("%s", strings.TrimRight(cli.Printable(evidenceText(r)), "\n"))
}

func evidenceText(r *evidence.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s   request %s, which is %s\n", map[bool]string{true: "SOUND", false: "NOT SOUND"}[r.Sound], r.Request, r.Status)
	fmt.Fprintf(&b, "Exported by %s, %s\n\n", r.ExportedBy, time.Unix(r.ExportedAt, 0).UTC().Format(time.RFC3339))
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "%-8s %-10s %s\n", evidenceMark[l.Kind], l.Subject, l.Text)
	}
	if v := r.Verdict; v != nil {
		fmt.Fprintf(&b, "\nCoverage    %s %%: %d of %d enrolled devices reported\n", v.Coverage.Percent, v.Coverage.Attested, v.Coverage.Enrolled)
		b.WriteString(findingsText(v))
	}
	return b.String()
}

var evidenceMark = map[evidence.Kind]string{evidence.Shown: "shown", evidence.Assumed: "ASSUMED", evidence.Wrong: "WRONG"}

// check says what the call is about: a bundle with an export, or evidence.
func (c *verifyCall) check(args []string) error {
	switch {
	case c.evidence != "" && (len(args) > 0 || c.trust != ""):
		return cli.Usage("--evidence stands alone: it holds the proof and what it was verified with")
	case c.evidence == "" && len(args) == 0:
		return cli.Usage("name a bundle, or a file of evidence with --evidence")
	case c.evidence == "" && c.trust == "":
		return cli.Usage(`required flag(s) "trust" not set`)
	case c.evidence == "" && (c.genesis != "" || c.channelGenesis != ""):
		return cli.Usage("--genesis and --channel-genesis go with --evidence")
	}
	return nil
}
