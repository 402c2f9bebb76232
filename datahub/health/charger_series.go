package health

// chargerSeries is the readings of one pile, with figures by epoch.
type chargerSeries struct {
	a      ChargerAccumulator
	epochs epochs[chargerFigures]
}

func newChargerSeries(c Charger, clock *epochClock, report func(Issue)) *chargerSeries {
	s := &chargerSeries{a: ChargerAccumulator{charger: c, report: report}}
	s.a.keeper, s.epochs.clock = s, clock
	return s
}

// enter sees to it that a reading of that time finds its epoch running, or known to be over. How the pile was holds until the
// reading, so the time up to the end of the running epoch still belongs to that.
func (s *chargerSeries) enter(timeMicros int64, up bool) {
	epoch := s.epochs.clock.at(timeMicros)
	if epoch <= s.epochs.running {
		return
	}
	if start, end := s.epochs.clock.start(s.epochs.running), s.epochs.clock.start(s.epochs.running+1); up && s.a.lastMicros < end {
		s.a.epoch.takeUp(end - max(s.a.lastMicros, start))
	}
	s.roll(epoch)
}

func (s *chargerSeries) roll(to int64) {
	s.epochs.roll(to, s.a.epoch.readings > 0, s.a.figures)
	s.a.epoch = chargerEpoch{}
}

func (s *chargerSeries) settle(closed int64) {
	if closed >= s.epochs.running {
		s.roll(closed + 1)
	}
	s.epochs.settle(closed)
}

func (s *chargerSeries) open(timeMicros int64) (*chargerEpoch, int64) {
	epoch := s.epochs.clock.at(timeMicros)
	switch start := s.epochs.clock.start(epoch); {
	case epoch == s.epochs.running:
		return &s.a.epoch, start
	case s.epochs.open(epoch):
		return &s.epochs.ended.figures.epoch, start
	}
	return nil, 0
}

func (s *chargerSeries) derive(epoch int64) (Health, error) {
	ended, err := s.epochs.find(epoch, s.a.epoch.readings > 0)
	switch {
	case err != nil:
		return Health{}, err
	case ended:
		return s.epochs.ended.figures.health()
	}
	return s.a.Record()
}

func (s *chargerSeries) snapshot(b []byte, mark [8]byte) ([]byte, error) {
	return appendState(b, stateOfTrackedCharger, mark, s.walk)
}

func (s *chargerSeries) resume(b []byte, mark [8]byte) error {
	return readState(b, stateOfTrackedCharger, mark, s.walk)
}

func (s *chargerSeries) walk(st *state) {
	s.a.walk(st)
	s.epochs.walk(st, func(f *chargerFigures) {
		f.epoch.walk(st)
		st.small(&f.faults)
		st.signed(&f.ageMicros, 0, maxSpan)
		st.count(&f.used, maxSpan)
	})
}
