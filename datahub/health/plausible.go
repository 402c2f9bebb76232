package health

// forgetUnknown clears values that are not known, so that two readings that say the same are the same.
func (r *Reading) forgetUnknown() {
	for _, v := range [...]*Measured{&r.WallMicros, &r.TemperatureMilliC, &r.LowestCellMicroV, &r.HighestCellMicroV} {
		if !v.Known {
			v.Value = 0
		}
	}
}

// spread is the highest less the lowest cell voltage. It is unsound if that is negative.
func (r *Reading) spread() (spread Measured, sound bool) {
	if !r.LowestCellMicroV.Known || !r.HighestCellMicroV.Known {
		return Measured{}, true
	}
	v := r.HighestCellMicroV.Value - r.LowestCellMicroV.Value
	if v < 0 {
		return Measured{}, false
	}
	return Known(v), true
}

// believes says whether every value of a reading is physically possible. Nearly all readings are, so this comes before plausible.
func (b *Battery) believes(r *Reading) bool {
	within := func(v, low, high int64) bool { return v >= low && v <= high }
	optional := func(v Measured, low, high int64) bool { return !v.Known || within(v.Value, low, high) }
	return within(r.TimeMicros, 0, maxTestMicros) &&
		within(r.VoltageMicroV, 0, b.MaxVoltageMicroV) &&
		within(r.CurrentMicroA, -maxRate*b.RatedMicroAh, maxRate*b.RatedMicroAh) &&
		optional(r.WallMicros, 0, maxWallMicros) &&
		optional(r.TemperatureMilliC, minTemperature, maxTemperature) &&
		optional(r.LowestCellMicroV, 0, b.MaxVoltageMicroV) &&
		optional(r.HighestCellMicroV, 0, b.MaxVoltageMicroV)
}

// plausible drops values that are physically impossible: the reading if it cannot do without, else the value.
func (a *Accumulator) plausible(r Reading) (Reading, bool) {
	b, ok := a.battery, true
	for _, v := range []struct {
		quantity
		value int64
	}{{b.time(), r.TimeMicros}, {b.voltage(), r.VoltageMicroV}, {b.current(), r.CurrentMicroA}} {
		if v.impossible(v.value) {
			a.reportOutside(r.Line, v.quantity, v.value, rowLeftOut)
			ok = false
		}
	}
	for _, v := range []struct {
		quantity
		value *Measured
	}{
		{b.wall(), &r.WallMicros}, {b.temperature(), &r.TemperatureMilliC},
		{b.voltage(), &r.LowestCellMicroV}, {b.voltage(), &r.HighestCellMicroV},
	} {
		if v.value.Known && v.impossible(v.value.Value) {
			a.reportOutside(r.Line, v.quantity, v.value.Value, valueLeftOut)
			*v.value = Measured{}
		}
	}
	return r, ok
}

func (a *Accumulator) reportOutside(line int, q quantity, v int64, action string) {
	if a.report == nil {
		return
	}
	if issue, bad := q.outside(line, v, action); bad {
		a.report(issue)
	}
}

// faulty says whether a fault is present in a reading.
func (b *Battery) faulty(r *Reading) bool {
	hot := r.TemperatureMilliC.Known && r.TemperatureMilliC.Value > b.MaxTemperatureMilliC
	margin := tolerance(b.LowMicroV, b.HighMicroV)
	outside := b.windowStated() && (r.VoltageMicroV < b.LowMicroV-margin || r.VoltageMicroV > b.HighMicroV+margin)
	return r.Alarm || hot || outside
}
