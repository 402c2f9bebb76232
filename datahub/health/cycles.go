package health

import (
	"context"
	"fmt"
	"math/big"
	"strings"
)

// maxCells bounds the cells of one file.
const maxCells = 100_000

// cyclesImport is the import of one file of cycles.
type cyclesImport struct {
	table   *table
	options Options
	columns []cycleColumn
	at      map[string]int
	cells   map[string]*cellCycles
	order   []*cellCycles
	result  *Result
}

// cellCycles is what is known of one cell so far.
type cellCycles struct {
	id        string
	last      cycleRow
	used      int
	nanoAh    big.Int // sum of the measured capacities
	ageMicros int64
	faults    uint32
	faulty    bool
	chosen    bool // a cycle that was asked for was found
}

// cycleRow is one discharge of one cell.
type cycleRow struct {
	line, cycle int
	nanoAh      int64
	milliC      int64
	micros      Measured
	voltage     Measured
	current     Measured
}

func importCycles(ctx context.Context, t *table, o Options) (*Result, error) {
	columns := cycleColumns(o.Battery)
	at, err := cyclesHeader(t.header, t.line, columns, t.journal)
	if err != nil {
		return nil, err
	}
	c := &cyclesImport{table: t, options: o, columns: columns, at: at, cells: map[string]*cellCycles{}, result: &Result{}}
	var failed error
	c.result.Rows, err = t.each(ctx, func(cells []string) bool {
		failed = c.row(cells)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	c.finish()
	return c.result, nil
}

// row takes a row. The error ends the import.
func (c *cyclesImport) row(cells []string) error {
	id := strings.TrimSpace(cells[c.at["cell"]])
	if err := CheckCellID(id); err != nil {
		c.table.journal.add(Issue{c.table.line, "cell", Excluded, BadCell, err.Error(), rowLeftOut})
		return nil
	}
	if c.options.Cell != "" && id != c.options.Cell {
		return nil
	}
	cell, known := c.cells[id]
	if !known {
		if len(c.cells) == maxCells {
			return &FormatError{c.table.line, fmt.Sprintf("more than %d cells", maxCells)}
		}
		cell = &cellCycles{id: id}
		c.cells[id] = cell
		c.order = append(c.order, cell)
	}
	row, ok := c.parse(cells)
	e := c.options.Epoch
	if !ok || (e.kind == oneCycle && row.cycle > e.cycle) || !c.inOrder(cell, row) {
		return nil
	}
	cell.take(row, c.options.Battery)
	if e.kind == everyCycle || (e.kind == oneCycle && row.cycle == e.cycle) {
		c.emit(cell)
	}
	return nil
}

// parse reads the values of a row. It is false if the row has to be left out.
func (c *cyclesImport) parse(cells []string) (cycleRow, bool) {
	row, ok := cycleRow{line: c.table.line}, true
	var cycle, capacity, temperature Measured
	into := map[string]*Measured{
		"cycle": &cycle, "capacity": &capacity, "temperature": &temperature,
		"duration": &row.micros, "voltage": &row.voltage, "current": &row.current,
	}
	for _, column := range c.columns {
		i, present := c.at[column.column]
		if target := into[column.column]; present && target != nil {
			*target = c.value(column, cells[i])
			ok = ok && (target.Known || !column.required)
		}
	}
	row.cycle, row.nanoAh, row.milliC = int(cycle.Value/1_000_000), capacity.Value, temperature.Value
	if ok && cycle.Value%1_000_000 != 0 {
		c.leaveOut(row.line, "cycle", OutOfRange, "the number of the cycle is no whole number")
		ok = false
	}
	return row, ok
}

// value parses and bounds one value, and reports it if it cannot be used.
func (c *cyclesImport) value(column cycleColumn, text string) Measured {
	action := valueLeftOut
	if column.required {
		action = rowLeftOut
	}
	v, err := ParseDecimal(text, column.places)
	if err != nil {
		c.table.journal.add(badValue(c.table.line, column.column, text, err, action))
		return Measured{}
	}
	if issue, bad := column.outside(c.table.line, v, action); bad {
		c.table.journal.add(issue)
		return Measured{}
	}
	return Known(v)
}

// inOrder checks a row against the row before of the same cell.
func (c *cyclesImport) inOrder(cell *cellCycles, row cycleRow) bool {
	if cell.used == 0 {
		return true
	}
	same := cell.last
	same.line = row.line
	switch step := row.cycle - cell.last.cycle; {
	case row == same:
		c.leaveOut(row.line, "", Repeated, fmt.Sprintf("repeats line %d", cell.last.line))
		return false
	case step == 0:
		c.leaveOut(row.line, "cycle", Repeated,
			fmt.Sprintf("cycle %d of %s again, with other values than in line %d", row.cycle, cell.id, cell.last.line))
		return false
	case step < 0 || step > maxCycleJump:
		c.leaveOut(row.line, "cycle", CycleOrder,
			fmt.Sprintf("cycle of %s goes from %d to %d", cell.id, cell.last.cycle, row.cycle))
		return false
	case step > 1:
		c.table.journal.add(Issue{row.line, "cycle", Noted, CyclesMissing,
			fmt.Sprintf("%d cycles of %s are missing before this one", step-1, cell.id),
			"used; full cycles and age do not count the missing ones"})
	}
	return true
}

func (c *cyclesImport) leaveOut(line int, column string, code Code, reason string) {
	c.table.journal.add(Issue{line, column, Excluded, code, reason, rowLeftOut})
}

// take counts a cycle.
func (cell *cellCycles) take(row cycleRow, b Battery) {
	cell.last = row
	cell.used++
	cell.nanoAh.Add(&cell.nanoAh, big.NewInt(row.nanoAh))
	cell.ageMicros = min(cell.ageMicros+row.micros.Value, maxTestMicros)
	r := Reading{VoltageMicroV: row.voltage.Value, TemperatureMilliC: Known(row.milliC)}
	if !row.voltage.Known {
		b.LowMicroV, b.HighMicroV = 0, 0
	}
	faulty := b.faulty(&r)
	if faulty && !cell.faulty {
		cell.faults++
	}
	cell.faulty = faulty
}

// finish makes the records of each cell's last cycle, if that is what was asked for, and reports the cells without one.
func (c *cyclesImport) finish() {
	for _, cell := range c.order {
		if c.options.Epoch.kind == lastCycle && cell.used > 0 {
			c.emit(cell)
		}
		if !cell.chosen {
			reason := "it has no usable row"
			if e := c.options.Epoch; e.kind == oneCycle {
				reason = fmt.Sprintf("it has no usable row for cycle %d", e.cycle)
			}
			c.noRecord(reason, cell.id)
		}
	}
	if len(c.order) == 0 {
		c.noRecord("there is no row of a cell that was asked for", "the file")
	}
}

// emit makes the record of a cell's latest cycle.
func (c *cyclesImport) emit(cell *cellCycles) {
	cell.chosen = true
	halfOf := func(nanoAh *big.Int) *big.Int { return new(big.Int).Mul(nanoAh, big.NewInt(7_200_000)) }
	capacity := halfOf(big.NewInt(cell.last.nanoAh))
	r, err := lanes{
		capacity:   capacity,
		throughput: new(big.Int).Lsh(halfOf(&cell.nanoAh), 1), // as much went in as came out
		ageMicros:  cell.ageMicros,
		peakMilliC: cell.last.milliC,
		faults:     cell.faults,
	}.record(c.options.Battery.RatedMicroAh)
	if err != nil {
		c.noRecord(err.Error(), fmt.Sprintf("%s at cycle %d", cell.id, cell.last.cycle))
		return
	}
	microAh := func(nanoAh *big.Int) int64 { return ratio(nanoAh, 1, big.NewInt(1000)).Int64() }
	total := microAh(&cell.nanoAh)
	c.result.Cells = append(c.result.Cells, Cell{cell.id, cell.last.cycle, r, Details{
		Formulas:          Formulas,
		CapacityMicroAh:   microAh(big.NewInt(cell.last.nanoAh)),
		FirstLine:         cell.last.line,
		LastLine:          cell.last.line,
		ChargedMicroAh:    total,
		DischargedMicroAh: total,
		Readings:          cell.used,
	}})
}

func (c *cyclesImport) noRecord(reason, of string) {
	c.table.journal.add(Issue{0, "", Excluded, NoRecord, reason, "no record is made of " + of})
}
