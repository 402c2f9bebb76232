package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/transcript"
)

func newCeremonyStatus(c *ceremonyCall) *cobra.Command {
	return &cobra.Command{
		Use:   "status FOLDER",
		Short: "Show how far a ceremony is",
		Long: `Status reads headers and signatures only and takes no time. It says who has contributed, who may still, and which stage is open. It does
not verify what was contributed: verify does.`,
		Example: `  assay ceremony status ceremony`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			opened, err := c.open(command.Context(), args[0], false)
			if err != nil {
				return err
			}
			status, err := opened.Status()
			if err != nil {
				return err
			}
			return c.status(opened, status)
		},
	}
}

type statusObject struct {
	Kind string `json:"kind"`
	*ceremony.Status
}

func (c *ceremonyCall) status(opened *ceremony.Ceremony, s *ceremony.Status) error {
	if c.JSON {
		return c.Object(statusObject{"ceremony_status", s})
	}
	if err := c.Line("%s", cli.Printable(fmt.Sprintf("Ceremony     %s\n%s", opened.ID(), planText(opened.Plan())))); err != nil {
		return err
	}
	if err := c.table(s.Record); err != nil {
		return err
	}
	for _, o := range s.Open {
		missing, ready := "everybody has contributed", ""
		if len(o.Missing) > 0 {
			missing = "may still contribute: " + strings.Join(o.Missing, ", ")
		}
		if o.CanClose {
			ready = "; can be closed"
		}
		if err := c.Line("%s", cli.Printable(fmt.Sprintf("OPEN    stage %d  %-14s %s%s", s.Stage, o.Part, missing, ready))); err != nil {
			return err
		}
	}
	if s.Stage == 0 {
		return c.Line("CLOSED  transcript %s", s.Transcript)
	}
	return nil
}

type recordObject struct {
	Kind   string `json:"kind"`
	Result string `json:"result"`
	*transcript.Record
}

// record prints what a replay has found.
func (c *ceremonyCall) record(result string, opened *ceremony.Ceremony, r *transcript.Record) error {
	if c.JSON {
		return c.Object(recordObject{"ceremony", strings.ToLower(result), r})
	}
	if err := c.table(r); err != nil {
		return err
	}
	if err := c.Line("%s  ceremony %s, %d contributions", result, opened.ID(), len(r.Contributions)); err != nil || r.Transcript.IsZero() {
		return err
	}
	if err := c.Line("Transcript  %s", r.Transcript); err != nil {
		return err
	}
	rows := [][]string{}
	for _, k := range r.Keys {
		kept := "not in the key cache"
		if k.Kept {
			kept = "in the key cache"
		}
		rows = append(rows, []string{k.CircuitID, k.Digest.String(), k.Source.String(), kept})
	}
	return c.Table([]string{"key", "digest", "constraints, or SRS", "proving key"}, rows)
}

func (c *ceremonyCall) table(r *transcript.Record) error {
	var rows [][]string
	for _, e := range r.Contributions {
		rows = append(rows, []string{e.Part, fmt.Sprint(e.Number), e.Contributor, e.Digest.String(), fmt.Sprint(e.Bytes)})
	}
	if len(rows) > 0 {
		if err := c.Table([]string{"part", "number", "contributor", "digest", "bytes"}, rows); err != nil {
			return err
		}
	}
	rows = nil
	for _, e := range r.Closings {
		rows = append(rows, []string{e.Part, fmt.Sprint(e.Contributions), e.Beacon.String(), e.Source})
	}
	if len(rows) == 0 {
		return nil
	}
	return c.Table([]string{"closed", "contributions", "with", "which is"}, rows)
}
