package health

import (
	"fmt"
	"strings"
)

// cycleColumn is a column of a file of cycles: the names it goes by, lower case and without unit, the units it may state, and the
// quantity it holds.
type cycleColumn struct {
	quantity
	names    []string
	units    []string
	required bool
}

// cycleColumns are the columns of a file of cycles, for a battery. The first name is the one issues use.
func cycleColumns(b Battery) []cycleColumn {
	mostNanoAh := b.RatedMicroAh * 1500 // 150 %
	return []cycleColumn{
		{quantity{"cycle", "", 6, 0, maxCycle * 1_000_000}, []string{"cycle", "cycle_count", "cycle number"}, []string{"1"}, true},
		{quantity{"cell", "", 0, 0, 0}, []string{"cell", "cell_id", "sampleid", "sample_id"}, nil, true},
		{quantity{"capacity", "Ah", 9, 1, mostNanoAh}, []string{"capacity", "capacity_ah", "discharging_capacity_ah"}, []string{"ah"}, true},
		{named(b.temperature(), "temperature"), []string{"temperature", "temperature measured", "temperature_celsius"}, []string{"c", "°c", "degc"}, true},
		{named(b.time(), "duration"), []string{"duration", "time measured", "duration_second"}, []string{"sec", "s"}, false},
		{named(b.voltage(), "voltage"), []string{"voltage", "voltage measured", "voltage_volt"}, []string{"v"}, false},
		{named(b.current(), "current"), []string{"current", "current measured", "current_ampere"}, []string{"a"}, false},
	}
}

func named(q quantity, column string) quantity {
	q.column = column
	return q
}

// cyclesHeader finds the columns. A capacity or temperature without any unit in its header is taken to be in Ah or °C, a time
// in s, a voltage in V, a current in A; one with another unit is refused.
func cyclesHeader(header []string, line int, columns []cycleColumn, j *journal) (map[string]int, error) {
	at := map[string]int{}
	wrong := map[string]string{}
	for i, cell := range header {
		base, unit := splitUnit(cell)
		c := findColumn(columns, base)
		switch {
		case c == nil:
			j.add(unknownColumn(cell, "", line))
		case !c.accepts(unit):
			j.add(unknownColumn(cell, c.unit, line))
			wrong[c.column] = cell
		default:
			if first, twice := at[c.column]; twice {
				return nil, &FormatError{line, fmt.Sprintf("columns %d and %d are both the %s", first+1, i+1, c.column)}
			}
			at[c.column] = i
		}
	}
	for _, c := range columns {
		if _, ok := at[c.column]; ok || !c.required {
			continue
		}
		reason := fmt.Sprintf("required column %s is missing", c.column)
		if cell, ok := wrong[c.column]; ok {
			reason += fmt.Sprintf("; %s has another unit than %s and is not converted", quoted(cell), c.unit)
		}
		return nil, &FormatError{line, reason}
	}
	return at, nil
}

// splitUnit takes "Capacity(Ah)" or "Capacity / Ah" apart. The unit is empty if none is stated.
func splitUnit(cell string) (base, unit string) {
	base = strings.ToLower(strings.TrimSpace(cell))
	if open := strings.IndexByte(base, '('); open >= 0 && strings.HasSuffix(base, ")") {
		base, unit = base[:open], base[open+1:len(base)-1]
	} else if slash := strings.LastIndexByte(base, '/'); slash >= 0 {
		base, unit = base[:slash], base[slash+1:]
	}
	return strings.Join(strings.Fields(base), " "), strings.TrimSpace(unit)
}

func findColumn(columns []cycleColumn, base string) *cycleColumn {
	for i := range columns {
		for _, name := range columns[i].names {
			if base == name {
				return &columns[i]
			}
		}
	}
	return nil
}

func (c *cycleColumn) accepts(unit string) bool {
	if unit == "" {
		return true
	}
	for _, u := range c.units {
		if unit == u {
			return true
		}
	}
	return false
}
