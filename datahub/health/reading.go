package health

import "fmt"

// Measured is a value that a reading may lack.
type Measured struct {
	Value int64
	Known bool
}

// Known is a value that was measured.
func Known(v int64) Measured { return Measured{v, true} }

// Reading is one moment of one battery.
type Reading struct {
	// Line identifies the reading in issues: the line of its file, or a number the caller chose.
	Line int
	// TimeMicros is the test clock in µs. It should never fall.
	TimeMicros int64
	// VoltageMicroV is the voltage of the battery, CurrentMicroA its current: positive charges, negative discharges.
	VoltageMicroV, CurrentMicroA int64
	// WallMicros is Unix time in µs.
	WallMicros Measured
	// TemperatureMilliC is the hottest temperature of the battery in m°C.
	TemperatureMilliC Measured
	// LowestCellMicroV and HighestCellMicroV are the extremes over the cells of a pack. A single cell has none.
	LowestCellMicroV, HighestCellMicroV Measured
	// Alarm says that the battery management system reported an alarm.
	Alarm bool
}

// Battery is what has to be known about a battery to judge its readings. Zero fields take their defaults, except the rated
// capacity.
type Battery struct {
	// RatedMicroAh is the rated capacity in µAh: above 0, at most 1 048 Ah, the bound of the record's capacity lane.
	RatedMicroAh int64
	// LowMicroV and HighMicroV are the voltages between which the rated capacity is meant. Both 0: taken from the readings.
	LowMicroV, HighMicroV int64
	// MaxRateMilliC bounds the mean current of a discharge that measures capacity, in thousandths of C. Default 500, C/2.
	MaxRateMilliC int64
	// MaxGapMicros is the longest time between two readings that is integrated over, in µs. Default 60 s, at most a day.
	MaxGapMicros int64
	// MaxTemperatureMilliC is the temperature above which a reading is a fault, in m°C. Default 60 °C.
	MaxTemperatureMilliC int64
	// MaxVoltageMicroV bounds a believable voltage. Default 6 V, which suits one cell; a pack needs its own.
	MaxVoltageMicroV int64
}

const (
	maxRatedMicroAh = 1_048_575_000
	dayMicros       = 86_400_000_000
	maxTestMicros   = 36_525 * dayMicros
	maxWallMicros   = 1 << 33 * 1_000_000 // seconds since 1970 until the year 2242
	minTemperature  = -40_000             // m°C, the bounds of the record's temperature lane
	maxTemperature  = 200_000
	maxRate         = 100 // a current of more than 100 C is not believed
)

func (b Battery) withDefaults() Battery {
	for _, d := range []struct {
		field *int64
		value int64
	}{
		{&b.MaxRateMilliC, 500},
		{&b.MaxGapMicros, 60_000_000},
		{&b.MaxTemperatureMilliC, 60_000},
		{&b.MaxVoltageMicroV, 6_000_000},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return b
}

// Check says what is wrong with the figures of a battery, after defaults.
func (b Battery) Check() error {
	return b.withDefaults().check()
}

func (b Battery) check() error {
	stated := b.windowStated()
	switch {
	case b.RatedMicroAh <= 0 || b.RatedMicroAh > maxRatedMicroAh:
		return fmt.Errorf("rated capacity %s Ah: must be above 0 and at most %s Ah",
			formatMicro(b.RatedMicroAh), formatMicro(maxRatedMicroAh))
	case b.MaxVoltageMicroV < 0 || b.MaxVoltageMicroV > 2_000_000_000:
		return fmt.Errorf("highest believable voltage %s V: must be above 0 and at most 2000 V", formatMicro(b.MaxVoltageMicroV))
	case stated && (b.LowMicroV < 0 || b.HighMicroV <= b.LowMicroV || b.HighMicroV > b.MaxVoltageMicroV):
		return fmt.Errorf("voltage window %s to %s V: must rise and lie within 0 to %s V",
			formatMicro(b.LowMicroV), formatMicro(b.HighMicroV), formatMicro(b.MaxVoltageMicroV))
	case b.MaxRateMilliC < 0 || b.MaxRateMilliC > maxRate*1000:
		return fmt.Errorf("discharge rate %s C: must be above 0 and at most %d C", formatDecimal(b.MaxRateMilliC, 3), maxRate)
	case b.MaxGapMicros < 0 || b.MaxGapMicros > dayMicros:
		return fmt.Errorf("longest gap %s s: must be above 0 and at most a day", formatMicro(b.MaxGapMicros))
	case b.MaxTemperatureMilliC < minTemperature || b.MaxTemperatureMilliC > maxTemperature:
		return fmt.Errorf("fault temperature %s °C: must be between %d and %d °C", formatDecimal(b.MaxTemperatureMilliC, 3), minTemperature/1000, maxTemperature/1000)
	}
	return nil
}

func (b Battery) windowStated() bool { return b.LowMicroV != 0 || b.HighMicroV != 0 }

// quantity is a measured column: how its text becomes an integer and what values are physically possible.
type quantity struct {
	column    string
	unit      string
	places    int
	low, high int64
}

func (b Battery) time() quantity {
	return quantity{"test_time_second", "s", 6, 0, maxTestMicros}
}

func (b Battery) wall() quantity {
	return quantity{"unix_time_second", "s", 6, 0, maxWallMicros}
}

func (b Battery) voltage() quantity {
	return quantity{"voltage_volt", "V", 6, 0, b.MaxVoltageMicroV}
}

func (b Battery) current() quantity {
	return quantity{"current_ampere", "A", 6, -maxRate * b.RatedMicroAh, maxRate * b.RatedMicroAh}
}

func (b Battery) temperature() quantity {
	return quantity{"temperature", "°C", 3, minTemperature, maxTemperature}
}

func (q quantity) impossible(v int64) bool { return v < q.low || v > q.high }

// outside reports a value beyond the physical bounds. The last result is false for a good value.
func (q quantity) outside(line int, v int64, action string) (Issue, bool) {
	if !q.impossible(v) {
		return Issue{}, false
	}
	reason := fmt.Sprintf("%s %s is outside %s to %s %s", formatDecimal(v, q.places), q.unit,
		formatDecimal(q.low, q.places), formatDecimal(q.high, q.places), q.unit)
	return Issue{line, q.column, Excluded, OutOfRange, reason, action}, true
}
