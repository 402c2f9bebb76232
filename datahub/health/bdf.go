package health

import (
	"context"
	"fmt"
)

// bdfTemperatures are the columns that hold a temperature of the battery itself.
var bdfTemperatures = []string{
	"surface_temperature_celsius", "temperature_t1_celsius", "temperature_t2_celsius", "temperature_t3_celsius",
	"temperature_t4_celsius", "temperature_t5_celsius",
}

// bdfImport is the import of one BDF file.
type bdfImport struct {
	table       *table
	options     Options
	column      map[string]int
	checks      *bdfChecks
	accumulator *Accumulator
	result      *Result
	cycle       int
	numbered    bool // a row with a cycle number was seen
}

func importBDF(ctx context.Context, t *table, o Options) (*Result, error) {
	column, err := bdfHeader(t.header, t.line, t.journal)
	if err != nil {
		return nil, err
	}
	if _, ok := column["cycle_count"]; !ok && o.Epoch.kind == oneCycle {
		return nil, &FormatError{t.line, fmt.Sprintf("cycle %d was asked for, but there is no column cycle_count", o.Epoch.cycle)}
	}
	accumulator, err := NewAccumulator(o.Battery, t.journal.add)
	if err != nil {
		return nil, err
	}
	if o.Cell == "" {
		o.Cell = "cell"
	}
	b := &bdfImport{
		table: t, options: o, column: column, checks: newBDFChecks(column, t.journal),
		accumulator: accumulator, result: &Result{}, cycle: 1,
	}
	b.result.Rows, err = t.each(ctx, b.row)
	if err != nil {
		return nil, err
	}
	b.finish()
	return b.result, nil
}

// row takes a row. It returns false once the cycle asked for is over.
func (b *bdfImport) row(cells []string) bool {
	b.checks.row(b.table.line, cells)
	cycle := b.cycleOf(cells)
	r, ok := b.reading(cells)
	if cycle != b.cycle {
		if b.options.Epoch.kind == oneCycle && cycle > b.options.Epoch.cycle {
			return false
		}
		if b.options.Epoch.kind == everyCycle {
			b.emit()
		}
		b.accumulator.StartEpoch()
		b.cycle = cycle
	}
	if ok {
		b.accumulator.Add(r)
	}
	return true
}

// reading parses a row. It is false if the row has to be left out.
func (b *bdfImport) reading(cells []string) (Reading, bool) {
	battery := b.options.Battery
	r := Reading{Line: b.table.line}
	ok := true
	for _, v := range []struct {
		quantity
		into *int64
	}{{battery.time(), &r.TimeMicros}, {battery.voltage(), &r.VoltageMicroV}, {battery.current(), &r.CurrentMicroA}} {
		text := cells[b.column[v.column]]
		parsed, err := ParseDecimal(text, v.places)
		if err != nil {
			b.table.journal.add(badValue(b.table.line, v.column, text, err, rowLeftOut))
			ok = false
		}
		*v.into = parsed
	}
	if !ok {
		return Reading{}, false
	}
	r.WallMicros = b.optional(cells, battery.wall())
	r.TemperatureMilliC = b.hottest(cells)
	return r, true
}

// optional parses a value that a row can do without.
func (b *bdfImport) optional(cells []string, q quantity) Measured {
	i, ok := b.column[q.column]
	if !ok {
		return Measured{}
	}
	v, err := ParseDecimal(cells[i], q.places)
	if err != nil {
		b.table.journal.add(badValue(b.table.line, q.column, cells[i], err, valueLeftOut))
		return Measured{}
	}
	if issue, bad := q.outside(b.table.line, v, valueLeftOut); bad {
		b.table.journal.add(issue)
		return Measured{}
	}
	return Known(v)
}

func (b *bdfImport) hottest(cells []string) Measured {
	var hottest Measured
	q := b.options.Battery.temperature()
	for _, q.column = range bdfTemperatures {
		v := b.optional(cells, q)
		if v.Known && (!hottest.Known || v.Value > hottest.Value) {
			hottest = v
		}
	}
	return hottest
}

// cycleOf is the cycle a row belongs to: its own number, or where that is unusable, the number before.
func (b *bdfImport) cycleOf(cells []string) int {
	const column, action = "cycle_count", "the row is counted to the cycle before"
	i, ok := b.column[column]
	if !ok {
		return b.cycle
	}
	micros, err := ParseDecimal(cells[i], 6)
	n := int(micros / 1_000_000)
	switch {
	case err != nil:
		b.table.journal.add(badValue(b.table.line, column, cells[i], err, action))
		return b.cycle
	case micros%1_000_000 != 0 || n < 0 || n > maxCycle:
		b.table.journal.add(Issue{b.table.line, column, Excluded, OutOfRange,
			fmt.Sprintf("%s is no whole number from 0 to %d", quoted(cells[i]), maxCycle), action})
		return b.cycle
	case b.numbered && (n < b.cycle || n > b.cycle+maxCycleJump):
		b.table.journal.add(Issue{b.table.line, column, Excluded, CycleOrder,
			fmt.Sprintf("cycle goes from %d to %d", b.cycle, n), action})
		return b.cycle
	}
	if !b.numbered {
		b.numbered, b.cycle = true, n
	}
	return n
}

// finish makes the record of the last cycle.
func (b *bdfImport) finish() {
	b.accumulator.Finish()
	if refused := b.checks.finish(); refused != "" {
		b.result.Cells = nil
		b.noRecord(refused, b.cycle)
		return
	}
	if e := b.options.Epoch; e.kind == oneCycle && e.cycle != b.cycle {
		b.noRecord(fmt.Sprintf("there is no cycle %d", e.cycle), e.cycle)
		return
	}
	b.emit()
	if low, high := b.accumulator.window(); !b.options.Battery.windowStated() && len(b.result.Cells) > 0 {
		b.table.journal.add(Issue{0, "voltage_volt", Noted, InferredWindow, "no voltage window was stated",
			fmt.Sprintf("a full discharge is one between the extremes of the data, %s V and %s V", formatMicro(low), formatMicro(high))})
	}
}

// emit makes the record of the current cycle, or reports why there is none.
func (b *bdfImport) emit() {
	h, err := b.accumulator.Record()
	if err != nil {
		b.noRecord(err.Error(), b.cycle)
		return
	}
	b.result.Cells = append(b.result.Cells, Cell{b.options.Cell, b.cycle, h.Record, h.Details})
}

func (b *bdfImport) noRecord(reason string, cycle int) {
	b.table.journal.add(Issue{0, "", Excluded, NoRecord, reason,
		fmt.Sprintf("no record is made of %s at cycle %d", b.options.Cell, cycle)})
}
