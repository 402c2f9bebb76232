package health

import (
	"fmt"
	"strings"
)

// bdfUnits gives each unit of BDF labels the ending that machine names have for it.
var bdfUnits = map[string]string{
	"1": "", "s": "_second", "V": "_volt", "A": "_ampere", "W": "_watt", "degC": "_celsius",
	"Ah": "_ah", "Wh": "_wh", "ohm": "_ohm", "Pa": "_pa", "Hz": "_hertz", "deg": "_degree", "ms": "_millisecond",
}

// bdfQuantities are the columns of BDF ontology 1.3.0 by the name that precedes the unit.
var bdfQuantities = func() map[string]string {
	byUnit := map[string]string{
		"s":    "test_time unix_time step_time",
		"V":    "voltage",
		"A":    "current",
		"W":    "power",
		"1":    "cycle_count step_count step_id step_type record_index step_record_index",
		"degC": "ambient_temperature surface_temperature temperature_t1 temperature_t2 temperature_t3 temperature_t4 temperature_t5",
		"ohm":  "internal_resistance dc_internal_resistance ac_internal_resistance absolute_impedance real_impedance imaginary_impedance",
		"Pa":   "ambient_pressure applied_pressure surface_pressure",
		"Hz":   "frequency",
		"deg":  "phase",
	}
	units := map[string]string{}
	for unit, names := range byUnit {
		for _, name := range strings.Fields(names) {
			units[name] = unit
		}
	}
	for _, scope := range []string{"", "step_", "cycle_"} {
		for _, kind := range []string{"charging", "discharging", "net", "cumulative"} {
			units[scope+kind+"_capacity"], units[scope+kind+"_energy"] = "Ah", "Wh"
		}
	}
	for _, kind := range []string{"charging", "discharging"} {
		units["schedule_"+kind+"_capacity"], units["schedule_"+kind+"_energy"] = "Ah", "Wh"
	}
	return units
}()

// bdfOld gives outdated names their successors. Only those that mean the same are read under the new name.
var bdfOld = map[string]struct {
	successor string
	same      bool
}{
	"test_time_millisecond":          {"test_time_second", false},
	"unix_time_millisecond":          {"unix_time_second", false},
	"step_capacity_ah":               {"step_cumulative_capacity_ah", true},
	"step_energy_wh":                 {"step_cumulative_energy_wh", true},
	"step_index":                     {"step_id or step_record_index", false},
	"temperature_celsius":            {"temperature_t1_celsius", true},
	"surface_temperature_t1_celsius": {"temperature_t1_celsius", true},
	"surface_temperature_t2_celsius": {"temperature_t2_celsius", true},
	"surface_temperature_t3_celsius": {"temperature_t3_celsius", true},
	"surface_temperature_t4_celsius": {"temperature_t4_celsius", true},
	"surface_temperature_t5_celsius": {"temperature_t5_celsius", true},
}

var bdfRequired = []string{"test_time_second", "voltage_volt", "current_ampere"}

// bdfName is the machine name that a header cell stands for: "Test Time / s" is test_time_second. A cell without a unit is taken
// for a machine name already.
func bdfName(cell string) string {
	at := strings.LastIndex(cell, "/")
	if at < 0 {
		return cell
	}
	base := strings.ToLower(strings.Join(strings.Fields(cell[:at]), "_"))
	unit := strings.TrimSpace(cell[at+1:])
	if unit == "°C" || unit == "℃" || unit == "Celsius" {
		unit = "degC"
	}
	ending, ok := bdfUnits[unit]
	if !ok {
		return base + " in " + unit
	}
	return base + ending
}

// bdfMatch finds the quantity that a machine name stands for and the unit it should have. known is false if it is written with
// another unit. A name of no quantity has no unit.
func bdfMatch(name string) (base, unit string, known bool) {
	for base, unit := range bdfQuantities {
		rest, ok := strings.CutPrefix(name, base)
		switch {
		case !ok:
		case rest == bdfUnits[unit]:
			return base, unit, true
		case strings.HasPrefix(rest, " in ") || isUnitEnding(rest):
			return base, unit, false
		}
	}
	return name, "", false
}

// isUnitEnding recognises the endings of machine names, also those with a prefix such as _millivolt or _mah.
func isUnitEnding(ending string) bool {
	if ending == "" {
		return true
	}
	for _, unit := range bdfUnits {
		bare := strings.TrimPrefix(unit, "_")
		for _, prefix := range []string{"", "milli", "micro", "kilo", "m", "u", "k"} {
			if bare != "" && ending == "_"+prefix+bare {
				return true
			}
		}
	}
	switch ending {
	case "_minute", "_hour", "_fahrenheit", "_kelvin":
		return true
	}
	return false
}

// bdfHeader finds the columns of a file. It reports those it does not read as they stand, and refuses a file that lacks a
// required one.
func bdfHeader(header []string, line int, j *journal) (map[string]int, error) {
	at := map[string]int{}
	wrong := map[string]string{}
	for i, cell := range header {
		name := bdfName(cell)
		if old, ok := bdfOld[name]; ok {
			name = oldColumn(cell, name, line, j)
			if !old.same {
				wrong[old.successor] = cell
				continue
			}
		}
		base, unit, known := bdfMatch(name)
		if !known {
			j.add(unknownColumn(cell, unit, line))
			wrong[base+bdfUnits[unit]] = cell
			continue
		}
		if first, twice := at[name]; twice {
			return nil, &FormatError{line, fmt.Sprintf("columns %d and %d are both %s", first+1, i+1, name)}
		}
		at[name] = i
	}
	for _, name := range bdfRequired {
		if _, ok := at[name]; ok {
			continue
		}
		reason := "required column " + name + " is missing"
		if cell, ok := wrong[name]; ok {
			reason += fmt.Sprintf("; %s has another unit and is not converted", quoted(cell))
		}
		return nil, &FormatError{line, reason}
	}
	return at, nil
}

func oldColumn(cell, name string, line int, j *journal) string {
	old := bdfOld[name]
	action := "not read"
	if old.same {
		action = "read as " + old.successor
		name = old.successor
	}
	j.add(Issue{line, cell, Noted, OldColumn, "outdated column, now " + old.successor, action})
	return name
}

func unknownColumn(cell, unit string, line int) Issue {
	if unit != "" {
		return Issue{line, cell, Excluded, WrongUnit, "the unit of this column should be " + unit, "not read and not converted"}
	}
	return Issue{line, cell, Noted, UnknownColumn, "not a column of the format", "not read"}
}
