package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

// shownIssues is how many issues of a kind are printed unless all are asked for.
const shownIssues = 3

// importCall is one call of assay import.
type importCall struct {
	*cli.Printer
	options   health.Options
	format    string
	cycle     string
	window    string
	allIssues bool
}

func newImportCommand(p *cli.Printer) *cobra.Command {
	c := &importCall{Printer: p}
	command := &cobra.Command{
		Use:   "import FILE --format bdf|cycles --rated-capacity AH",
		Short: "Derive health records from measured data",
		Long: `Import reads measurements of batteries and prints the battery/v1 health record of each cell.

  bdf     Battery Data Format (LF Energy): one cell, one row per reading. Its capacity is the charge of the latest
          full discharge that is not faster than --max-rate.
  cycles  one row per discharge cycle of one or more cells, with the capacity measured in it.

Rows that are not used as they stand are listed with their line, the reason and what was done. A FILE of - is standard
input. The exit code is 1 if no record could be made.`,
		Example: `  assay import nasa-pcoe-cycles.csv --format cycles --rated-capacity 2.0
  assay import cell.bdf.csv --format bdf --rated-capacity 12 --voltage-window 3.0-4.35 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.run(command.Context(), args[0]) },
	}
	c.flags(command)
	return command
}

func (c *importCall) flags(command *cobra.Command) {
	f, b := command.Flags(), &c.options.Battery
	f.StringVar(&c.format, "format", "", "bdf or cycles")
	f.Var(&decimalFlag{value: &b.RatedMicroAh, places: 6, unit: "AH"}, "rated-capacity", "rated capacity of a cell in Ah")
	f.StringVar(&c.cycle, "cycle", "last", "make the record of this cycle: a number, last, or every")
	f.StringVar(&c.options.Cell, "cell", "", "name of the cell in a bdf file (default: the file's); the one cell to import from cycles")
	f.StringVar(&c.window, "voltage-window", "", "voltages LOW-HIGH in V between which a discharge is full (default: the extremes of the data)")
	f.Var(&decimalFlag{value: &b.MaxRateMilliC, places: 3, unit: "C"}, "max-rate", "fastest mean discharge in C that measures capacity (default 0.5)")
	f.Var(&decimalFlag{value: &b.MaxGapMicros, places: 6, unit: "SECONDS"}, "max-gap", "longest time in s between rows that is integrated over (default 60)")
	f.BoolVar(&c.allIssues, "issues", false, "list all issues, not only the first 3 of each kind")
	for _, name := range []string{"format", "rated-capacity"} {
		if err := command.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined a few lines above
		}
	}
}

func (c *importCall) run(ctx context.Context, path string) error {
	if err := c.complete(path); err != nil {
		return err
	}
	in, done, err := c.open(path)
	if err != nil {
		return err
	}
	defer done()
	result, err := health.Import(ctx, in, c.options)
	if printErr := c.print(result); printErr != nil {
		return printErr
	}
	switch {
	case err != nil:
		return cli.No("%s: %w", path, err)
	case len(result.Cells) == 0:
		return cli.No("%s: no usable record: %s", path, reasonFor(result))
	}
	return nil
}

// complete turns the flags into options.
func (c *importCall) complete(path string) error {
	c.options.Format = health.Format(c.format)
	if c.options.Format != health.BDF && c.options.Format != health.Cycles {
		return cli.Usage("--format %q: must be bdf or cycles", c.format)
	}
	epoch, err := health.ParseEpoch(c.cycle)
	if err != nil {
		return cli.Usage("--cycle: %w", err)
	}
	c.options.Epoch = epoch
	if err := c.parseWindow(); err != nil {
		return err
	}
	if err := c.options.Battery.Check(); err != nil {
		return cli.Usage("%w", err)
	}
	if c.options.Cell == "" {
		if c.options.Format == health.BDF {
			c.options.Cell = cellOf(path)
		}
	} else if err := health.CheckCellID(c.options.Cell); err != nil {
		return cli.Usage("--cell: %w", err)
	}
	return nil
}

func (c *importCall) parseWindow() error {
	if c.window == "" {
		return nil
	}
	low, high, ok := strings.Cut(c.window, "-")
	b := &c.options.Battery
	var errLow, errHigh error
	b.LowMicroV, errLow = health.ParseDecimal(low, 6)
	b.HighMicroV, errHigh = health.ParseDecimal(high, 6)
	if !ok || errLow != nil || errHigh != nil {
		return cli.Usage("--voltage-window %q: must be two voltages such as 3.0-4.2", c.window)
	}
	return nil
}

// cellOf names a cell after its file: the part before the first dot.
func cellOf(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	if path == "-" || health.CheckCellID(name) != nil {
		return ""
	}
	return name
}

// open returns the data, with progress if there is much of it.
func (c *importCall) open(path string) (io.Reader, func() error, error) {
	if path == "-" {
		return c.In, func() error { return nil }, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, cli.Usage("%w", err)
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		f.Close()
		return nil, nil, cli.Usage("%s is not a file", path)
	}
	return c.Watched(f, info.Size(), "reading "+filepath.Base(path)), f.Close, nil
}

func (c *importCall) print(r *health.Result) error {
	if c.JSON {
		return c.printJSON(r)
	}
	if len(r.Cells) > 0 {
		if err := c.printTable(r.Cells); err != nil {
			return err
		}
	}
	c.printIssues(r.Issues)
	c.Note("%d records from %d rows, %d issues", len(r.Cells), r.Rows, len(r.Issues)+r.Beyond)
	return nil
}

// printIssues notes the first issues of each kind, so that a thousand of one kind do not hide the only one of another.
func (c *importCall) printIssues(issues []health.Issue) {
	seen := map[health.Code]int{}
	var kinds []health.Code
	for _, issue := range issues {
		if seen[issue.Code]++; seen[issue.Code] == 1 {
			kinds = append(kinds, issue.Code)
		}
		if c.allIssues || seen[issue.Code] <= shownIssues {
			c.Note("%s", cli.Printable(issue.String()))
		}
	}
	for _, kind := range kinds {
		if more := seen[kind] - shownIssues; more > 0 && !c.allIssues {
			c.Note("… and %d more of kind %s; --issues lists them", more, kind)
		}
	}
}

// healthColumns are the headings of the table, by lane.
var healthColumns = [record.Lanes]string{
	"", "health %", "full cycles", "age days", "capacity mAh", "spread mV", "peak °C", "faults",
}

func (c *importCall) printTable(cells []health.Cell) error {
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		return err
	}
	var rows [][]string
	for _, cell := range cells {
		row := []string{cell.ID, fmt.Sprint(cell.Cycle)}
		for i := 1; i < record.Lanes; i++ {
			row = append(row, schema.Lanes[i].Format(cell.Record[i]))
		}
		rows = append(rows, row)
	}
	return c.Table(append([]string{"cell", "cycle"}, healthColumns[1:]...), rows)
}

// importedRecord is a record as a line of JSON: as it is stored, and by lane in physical units.
type importedRecord struct {
	Kind    string                 `json:"kind"`
	Cell    string                 `json:"cell"`
	Cycle   int                    `json:"cycle"`
	Schema  string                 `json:"schema"`
	Record  record.Record          `json:"record"`
	Lanes   map[string]json.Number `json:"lanes"`
	Details health.Details         `json:"details"`
}

type importSummary struct {
	Kind    string `json:"kind"`
	Records int    `json:"records"`
	Rows    int    `json:"rows"`
	Issues  int    `json:"issues"`
}

type importedIssue struct {
	Kind string `json:"kind"`
	health.Issue
}

func (c *importCall) printJSON(r *health.Result) error {
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		return err
	}
	for _, cell := range r.Cells {
		lanes := map[string]json.Number{}
		for i := 1; i < record.Lanes; i++ {
			lanes[schema.Lanes[i].Name] = json.Number(schema.Lanes[i].Format(cell.Record[i]))
		}
		if err := c.Object(importedRecord{"record", cell.ID, cell.Cycle, schema.Name, cell.Record, lanes, cell.Details}); err != nil {
			return err
		}
	}
	for _, issue := range r.Issues {
		if err := c.Object(importedIssue{"issue", issue}); err != nil {
			return err
		}
	}
	return c.Object(importSummary{"summary", len(r.Cells), r.Rows, len(r.Issues) + r.Beyond})
}

// reasonFor is why there is no record.
func reasonFor(r *health.Result) string {
	for _, issue := range r.Issues {
		if issue.Code == health.NoRecord {
			return issue.Reason
		}
	}
	return "the data holds none"
}

// decimalFlag is a flag that takes a decimal number above 0.
type decimalFlag struct {
	value  *int64
	places int
	unit   string
	text   string
}

func (d *decimalFlag) String() string { return d.text }
func (d *decimalFlag) Type() string   { return d.unit }

func (d *decimalFlag) Set(text string) error {
	v, err := health.ParseDecimal(text, d.places)
	if err != nil {
		return err
	}
	if v <= 0 {
		return errors.New("must be above 0")
	}
	*d.value, d.text = v, text
	return nil
}
