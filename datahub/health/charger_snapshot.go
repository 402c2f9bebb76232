package health

import "math"

// MarshalBinary takes a snapshot, from which ResumeChargerAccumulator goes on as if the ChargerAccumulator had never stopped.
func (a *ChargerAccumulator) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }

// AppendBinary appends what MarshalBinary returns.
func (a *ChargerAccumulator) AppendBinary(b []byte) ([]byte, error) {
	return appendState(b, stateOfCharger, figuresMark(a.charger.figures()...), a.walk)
}

// ResumeChargerAccumulator goes on from a snapshot. Its errors are those of ResumeAccumulator.
func ResumeChargerAccumulator(c Charger, report func(Issue), state []byte) (*ChargerAccumulator, error) {
	a, err := NewChargerAccumulator(c, report)
	if err != nil {
		return nil, err
	}
	if err := readState(state, stateOfCharger, figuresMark(a.charger.figures()...), a.walk); err != nil {
		return nil, err
	}
	return a, nil
}

// walk writes or reads everything that a ChargerAccumulator remembers.
func (a *ChargerAccumulator) walk(s *state) {
	s.flag(&a.any)
	if !a.any {
		return
	}
	s.signed(&a.firstMicros, 0, maxTestMicros)
	s.signed(&a.lastMicros, a.firstMicros, maxTestMicros)
	s.flag(&a.down)
	s.flag(&a.faulty)
	s.small(&a.faults)
	s.count(&a.used, maxSpan)
	a.meters.walk(s)
	a.sessions.walk(s)
	a.epoch.walk(s)
}

func (m *meters) walk(s *state) {
	s.signed(&m.forgottenUntil, 0, maxTestMicros+1)
	growSlice(s, &m.known, keptMeters)
	for i := range m.known {
		v := &m.known[i]
		s.unsigned(&v.mark, math.MaxUint64)
		s.signed(&v.atMicros, 0, maxTestMicros)
		s.signed(&v.milliWh, 0, maxMilliWh)
		s.flag(&v.broken)
		s.signed(&v.meanFromMicros, 0, v.atMicros)
		s.signed(&v.meanFromMilliWh, 0, v.milliWh)
	}
}

func (m *sessions) walk(s *state) {
	s.signed(&m.forgottenUntil, 0, maxTestMicros+1)
	growSlice(s, &m.ended, keptSessions)
	for i := range m.ended {
		v := &m.ended[i]
		s.unsigned(&v.mark, math.MaxUint64)
		s.signed(&v.atMicros, 0, maxTestMicros)
		s.flag(&v.billed)
	}
	growSlice(s, &m.open, openSessions)
	for i := range m.open {
		v := &m.open[i]
		s.unsigned(&v.mark, math.MaxUint64)
		s.signed(&v.atMicros, 0, maxTestMicros)
		s.signed(&v.cents, 0, maxCents)
	}
}

func (e *chargerEpoch) walk(s *state) {
	s.small(&e.readings)
	s.small(&e.sessions)
	s.unsigned(&e.energyMilliWh, math.MaxUint64)
	s.unsigned(&e.revenueCents, math.MaxUint64)
	s.signed(&e.upMicros, 0, maxSpan)
	s.measured(&e.peakMilliW, 0, maxPowerMilliW)
	s.measured(&e.peakOfMeansMilliW, 0, math.MaxInt64)
	s.flag(&e.registered)
}
