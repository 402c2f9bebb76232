package health

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/assay-net/assay/zk/record"
)

// Format is the format of a file.
type Format string

// The formats that Import reads.
const (
	// BDF is the Battery Data Format of LF Energy, ontology 1.3.0: one cell, one row per reading.
	BDF Format = "bdf"
	// Cycles is one row per discharge cycle of one or more cells, in the columns of the NASA PCoE battery data set: cycle, cell,
	// measured capacity, temperature, and if there are any duration, voltage and current at the end of the discharge.
	Cycles Format = "cycles"
)

// Options tell Import what a file does not.
type Options struct {
	Format  Format
	Battery Battery
	// Epoch chooses the cycles that records are made for. The zero value is the last one.
	Epoch Epoch
	// Cell names the cell of a BDF file, "cell" if empty. Of a file of cycles it picks the one cell to import, all if empty.
	Cell string
}

// Epoch chooses cycles. The zero value is the last cycle of each cell.
type Epoch struct {
	kind  epochKind
	cycle int
}

type epochKind int

const (
	lastCycle epochKind = iota
	oneCycle
	everyCycle
)

// LastCycle chooses the last cycle of each cell.
func LastCycle() Epoch { return Epoch{} }

// EveryCycle chooses all cycles.
func EveryCycle() Epoch { return Epoch{kind: everyCycle} }

// AtCycle chooses the cycle of that number.
func AtCycle(n int) Epoch { return Epoch{kind: oneCycle, cycle: n} }

// ParseEpoch reads "last", "every" or the number of a cycle.
func ParseEpoch(text string) (Epoch, error) {
	switch text {
	case "last":
		return LastCycle(), nil
	case "every":
		return EveryCycle(), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxCycle {
		return Epoch{}, fmt.Errorf("cycle %q: must be last, every, or a number from 0 to %d", text, maxCycle)
	}
	return AtCycle(n), nil
}

const (
	// maxCycle bounds the number of a cycle, maxCycleJump how many may be missing between two rows.
	maxCycle     = 1_000_000
	maxCycleJump = 1000
)

// Cell is the health of one cell at the end of one cycle.
type Cell struct {
	ID      string
	Cycle   int
	Record  record.Record
	Details Details
}

// Result is what was found in a file.
type Result struct {
	// Cells are the records that could be made, in the order of the file.
	Cells []Cell
	// Issues are what was found wrong, and where no record could be made, why: at most 10 100. Beyond counts the rest.
	Issues []Issue
	Beyond int
	// Rows is how many rows were read, without the header.
	Rows int
}

// Import reads a file of measurements and derives the health records of the chosen cycles. The file is streamed; memory grows
// with the number of cells and of records only.
//
// An error says that the file could not be read: a *FormatError if it is not in the format, otherwise a failure of r, of the
// options or of ctx. Even then the result holds the issues found so far and no cells. A readable file that yields no record is no
// error: Cells is empty and an issue of code NoRecord says why.
func Import(ctx context.Context, r io.Reader, o Options) (*Result, error) {
	o.Battery = o.Battery.withDefaults()
	if err := o.Battery.check(); err != nil {
		return &Result{}, err
	}
	if o.Cell != "" {
		if err := CheckCellID(o.Cell); err != nil {
			return &Result{}, err
		}
	}
	importers := map[Format]func(context.Context, *table, Options) (*Result, error){BDF: importBDF, Cycles: importCycles}
	run, ok := importers[o.Format]
	if !ok {
		return &Result{}, fmt.Errorf("format %q: must be %q or %q", o.Format, BDF, Cycles)
	}
	j := &journal{}
	result := &Result{}
	t, err := newTable(r, j)
	if err == nil {
		result, err = run(ctx, t, o)
	}
	if err != nil {
		result = &Result{}
	}
	result.Issues, result.Beyond = j.issues, j.beyond
	return result, err
}

// each calls use for every whole row of a table until use returns false.
func (t *table) each(ctx context.Context, use func(cells []string) bool) (rows int, err error) {
	for {
		if rows%1024 == 0 && ctx.Err() != nil {
			return rows, ctx.Err()
		}
		cells, err := t.next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows++
		if !use(cells) {
			return rows, nil
		}
	}
}

const maxCellID = 64

// CheckCellID accepts names of 1 to 64 bytes that are fit for a terminal.
func CheckCellID(id string) error {
	if id == "" || len(id) > maxCellID || !utf8.ValidString(id) {
		return fmt.Errorf("cell id %s: must be 1 to %d bytes of UTF-8", quoted(id), maxCellID)
	}
	for _, c := range id {
		if !unicode.IsPrint(c) {
			return fmt.Errorf("cell id %s: must be printable", quoted(id))
		}
	}
	return nil
}
