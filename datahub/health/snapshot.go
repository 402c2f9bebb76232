package health

import "math"

// maxSpan bounds sums of times and counts of readings, so that they never overflow: 146 000 years in µs.
const maxSpan = math.MaxInt64 / 2

// MarshalBinary takes a snapshot, from which ResumeAccumulator goes on as if the Accumulator had never stopped. It is as secret as the readings.
func (a *Accumulator) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }

// AppendBinary appends what MarshalBinary returns.
func (a *Accumulator) AppendBinary(b []byte) ([]byte, error) {
	return appendState(b, stateOfBattery, a.battery.mark(), a.walk)
}

// ResumeAccumulator goes on from a snapshot. The battery must be the one that it was taken with, in all its figures: ErrOtherFigures says that it is not.
// Every other error says what is wrong with the snapshot's bytes.
func ResumeAccumulator(b Battery, report func(Issue), state []byte) (*Accumulator, error) {
	a, err := NewAccumulator(b, report)
	if err != nil {
		return nil, err
	}
	if err := readState(state, stateOfBattery, a.battery.mark(), a.walk); err != nil {
		return nil, err
	}
	return a, nil
}

func (b *Battery) mark() [8]byte { return figuresMark(b.figures()...) }

// figures are all that the derivation knows of a battery, and the version of the formulas.
func (b *Battery) figures() []int64 {
	return []int64{1, b.RatedMicroAh, b.LowMicroV, b.HighMicroV, b.MaxRateMilliC, b.MaxGapMicros, b.MaxTemperatureMilliC, b.MaxVoltageMicroV}
}

// walk writes or reads everything that an Accumulator remembers.
func (a *Accumulator) walk(s *state) {
	s.flag(&a.any)
	a.walkHeld(s)
	if !a.any {
		return
	}
	a.battery.walkReading(s, &a.last)
	s.charge(&a.charged)
	s.charge(&a.discharged)
	s.signed(&a.elapsedMicros, 0, maxSpan)
	s.measured(&a.firstWall, 0, maxWallMicros)
	s.measured(&a.lastWall, 0, maxWallMicros)
	s.signed(&a.lowMicroV, 0, a.battery.MaxVoltageMicroV)
	s.signed(&a.highMicroV, a.lowMicroV, a.battery.MaxVoltageMicroV)
	s.count(&a.used, maxSpan)
	s.flag(&a.faulty)
	s.small(&a.faults)
	a.battery.walkEpoch(s, &a.epoch)
	a.walkDischarges(s)
}

// walkHeld comes with the first reading only: nothing is held back before there is one.
func (a *Accumulator) walkHeld(s *state) {
	s.flag(&a.holding)
	if !a.holding {
		return
	}
	s.check(a.any, "a reading is held back before the first one")
	a.battery.walkReading(s, &a.held)
}

func (a *Accumulator) walkDischarges(s *state) {
	b, l := &a.battery, &a.discharges
	s.signed(&l.fullestMicroV, 0, b.MaxVoltageMicroV)
	s.flag(&l.current.running)
	if l.current.running {
		b.walkDischarge(s, &l.current)
	}
	s.count(&l.done, maxSpan)
	for i := range l.latest {
		if i >= len(l.latest)-l.done {
			b.walkDischarge(s, &l.latest[i])
		}
	}
	growSlice(s, &l.kept, keptDischarges)
	for i := range l.kept {
		b.walkDischarge(s, &l.kept[i])
	}
}

func (b *Battery) walkReading(s *state, r *Reading) {
	s.line(&r.Line)
	s.signed(&r.TimeMicros, 0, maxTestMicros)
	s.signed(&r.VoltageMicroV, 0, b.MaxVoltageMicroV)
	s.signed(&r.CurrentMicroA, -maxRate*b.RatedMicroAh, maxRate*b.RatedMicroAh)
	s.measured(&r.WallMicros, 0, maxWallMicros)
	s.measured(&r.TemperatureMilliC, minTemperature, maxTemperature)
	s.measured(&r.LowestCellMicroV, 0, b.MaxVoltageMicroV)
	s.measured(&r.HighestCellMicroV, 0, b.MaxVoltageMicroV)
	s.flag(&r.Alarm)
}

func (b *Battery) walkEpoch(s *state, e *epoch) {
	s.small(&e.readings)
	s.measured(&e.peakMilliC, minTemperature, maxTemperature)
	s.measured(&e.spreadMicroV, 0, b.MaxVoltageMicroV)
	if e.spreadMicroV.Known {
		s.signed(&e.spreadAt, 0, maxTestMicros)
	}
	s.measured(&e.spreadRestMicroV, 0, b.MaxVoltageMicroV)
	if e.spreadRestMicroV.Known {
		s.signed(&e.spreadRestAt, 0, maxTestMicros)
	}
}

// walkDischarge leaves it to the caller to say whether the discharge is running.
func (b *Battery) walkDischarge(s *state, d *discharge) {
	s.line(&d.firstLine)
	s.line(&d.lastLine)
	s.charge(&d.delivered)
	s.signed(&d.micros, 0, maxSpan)
	s.signed(&d.fullestMicroV, 0, b.MaxVoltageMicroV)
	s.signed(&d.lowestMicroV, 0, b.MaxVoltageMicroV)
	s.flag(&d.beginSeen)
}
