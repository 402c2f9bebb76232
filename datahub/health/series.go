package health

import (
	"errors"
	"fmt"
)

// batterySeries is the readings of one battery by Unix time: an Accumulator with figures by epoch, which takes readings out of order too.
type batterySeries struct {
	a      Accumulator
	epochs epochs[figures]
	gaps   []gap
}

func newBatterySeries(b Battery, clock *epochClock, report func(Issue)) *batterySeries {
	s := &batterySeries{a: Accumulator{battery: b, report: report, discharges: dischargeLog{ratedMicroAh: b.RatedMicroAh}}}
	s.a.keeper, s.epochs.clock = s, clock
	return s
}

// add takes the next reading in the order of arrival.
func (s *batterySeries) add(r Reading) {
	r.WallMicros = Measured{} // the test clock is the wall clock
	if s.a.any && r.TimeMicros < s.a.last.TimeMicros {
		s.late(r)
		return
	}
	s.a.Add(r)
}

// enter sees to it that a reading of that time finds its epoch running, or known to be over.
func (s *batterySeries) enter(timeMicros int64) {
	epoch := s.epochs.clock.at(timeMicros)
	if epoch > s.epochs.running {
		s.roll(epoch)
	}
	s.a.closed = epoch < s.epochs.running
}

func (s *batterySeries) roll(to int64) {
	s.epochs.roll(to, s.a.epoch.readings > 0, func() figures {
		f, _ := s.a.figures()
		f.measure.running = false
		return f
	})
	s.a.epoch = epoch{}
}

func (s *batterySeries) settle(closed int64) {
	if closed >= s.epochs.running {
		s.roll(closed + 1)
	}
	s.epochs.settle(closed)
}

// late takes a reading from before the last one.
func (s *batterySeries) late(r Reading) {
	r.forgetUnknown()
	r, ok := s.a.plausible(r)
	if !ok {
		return
	}
	if s.a.report != nil {
		s.a.report(Issue{r.Line, s.a.battery.time().column, Noted, LateReading,
			fmt.Sprintf("time is %s s before the last reading", formatMicro(s.a.last.TimeMicros-r.TimeMicros)),
			"used where nothing is known yet, never twice"})
	}
	if e := s.open(r.TimeMicros); e != nil {
		e.readings++
		e.takeTemperature(r.TemperatureMilliC)
		if spread, _ := r.spread(); spread.Known {
			e.takeLateSpread(spread.Value, s.a.discharges.atRest(&r), r.TimeMicros)
		}
	}
	s.fill(&r)
}

// open is the epoch of a time, nil if its figures stay as they are.
func (s *batterySeries) open(timeMicros int64) *epoch {
	switch e := s.epochs.clock.at(timeMicros); {
	case e == s.epochs.running:
		return &s.a.epoch
	case s.epochs.open(e):
		return &s.epochs.ended.figures.epoch
	}
	return nil
}

// takeLateSpread notes a spread if it is of a later time than the one noted.
func (e *epoch) takeLateSpread(microV int64, atRest bool, at int64) {
	if !e.spreadMicroV.Known || at > e.spreadAt {
		e.spreadMicroV, e.spreadAt = Known(microV), at
	}
	if atRest && (!e.spreadRestMicroV.Known || at > e.spreadRestAt) {
		e.spreadRestMicroV, e.spreadRestAt = Known(microV), at
	}
}

func (s *batterySeries) derive(epoch int64) (Health, error) {
	ended, err := s.epochs.find(epoch, s.a.epoch.readings > 0)
	switch {
	case err != nil:
		return Health{}, err
	case !ended:
		return s.a.Record()
	case !s.epochs.ended.figures.measured:
		return Health{}, errors.New("no capacity: no discharge up to the end of the epoch measures it")
	}
	return s.epochs.ended.figures.health(s.a.battery)
}

func (s *batterySeries) snapshot(b []byte, mark [8]byte) ([]byte, error) {
	return appendState(b, stateOfTrackedBattery, mark, s.walk)
}

func (s *batterySeries) resume(b []byte, mark [8]byte) error {
	return readState(b, stateOfTrackedBattery, mark, s.walk)
}

func (s *batterySeries) walk(st *state) {
	s.a.walk(st)
	s.epochs.walk(st, func(f *figures) { s.a.battery.walkFigures(st, f) })
	growSlice(st, &s.gaps, keptGaps)
	for i := range s.gaps {
		s.gaps[i].walk(st, &s.a.battery)
	}
}

func (b *Battery) walkFigures(s *state, f *figures) {
	b.walkEpoch(s, &f.epoch)
	s.flag(&f.measured)
	if f.measured {
		b.walkDischarge(s, &f.measure)
	}
	s.charge(&f.charged)
	s.charge(&f.discharged)
	s.signed(&f.ageMicros, 0, maxSpan)
	s.small(&f.faults)
	s.signed(&f.lowMicroV, 0, b.MaxVoltageMicroV)
	s.signed(&f.highMicroV, f.lowMicroV, b.MaxVoltageMicroV)
	s.count(&f.used, maxSpan)
}
