package health

// keptGaps bounds the gaps that readings which arrive later may fill.
const keptGaps = 4

// gap is a stretch of time that nothing was integrated over. It shrinks from its beginning as readings fill it in, so that no time is
// ever counted twice.
type gap struct {
	fromMicros, fromMicroA int64
	toMicros, toMicroA     int64
	// faulty says that a fault was present at its beginning.
	faulty bool
}

// broke remembers a gap. Time does not fall here: what is older than the last reading never gets to the Accumulator.
func (s *batterySeries) broke(before, after *Reading) {
	if len(s.gaps) == keptGaps {
		s.gaps = append(s.gaps[:0], s.gaps[1:]...)
	}
	s.gaps = append(s.gaps, gap{before.TimeMicros, before.CurrentMicroA, after.TimeMicros, after.CurrentMicroA, s.a.faulty})
}

// fill integrates from the beginning of a gap to a late reading within it.
func (s *batterySeries) fill(r *Reading) {
	for i := range s.gaps {
		if g := &s.gaps[i]; r.TimeMicros > g.fromMicros && r.TimeMicros < g.toMicros {
			if s.shorten(g, r) {
				s.gaps = append(s.gaps[:i], s.gaps[i+1:]...)
			}
			return
		}
	}
}

// shorten moves the beginning of a gap to r. It is true once the gap is closed, which it is when its rest is no longer than the step before.
func (s *batterySeries) shorten(g *gap, r *Reading) bool {
	a := &s.a
	step, rest := r.TimeMicros-g.fromMicros, g.toMicros-r.TimeMicros
	a.fillIn(g.fromMicroA, r.CurrentMicroA, step)
	faulty := a.battery.faulty(r)
	if faulty && !g.faulty {
		a.faults++
	}
	a.used = min(a.used+1, maxSpan)
	a.lowMicroV, a.highMicroV = min(a.lowMicroV, r.VoltageMicroV), max(a.highMicroV, r.VoltageMicroV)
	g.fromMicros, g.fromMicroA, g.faulty = r.TimeMicros, r.CurrentMicroA, faulty
	if rest > min(step, a.battery.MaxGapMicros) {
		return false
	}
	a.fillIn(g.fromMicroA, g.toMicroA, rest)
	return true
}

// fillIn adds charge to the totals, none to a discharge: one that was interrupted stays so.
func (a *Accumulator) fillIn(from, to, micros int64) {
	if micros > a.battery.MaxGapMicros {
		return
	}
	a.charged.add(segment(max(from, 0), max(to, 0), micros))
	a.discharged.add(segment(max(-from, 0), max(-to, 0), micros))
}

func (g *gap) walk(s *state, b *Battery) {
	s.signed(&g.fromMicros, 0, maxTestMicros)
	s.signed(&g.fromMicroA, -maxRate*b.RatedMicroAh, maxRate*b.RatedMicroAh)
	s.signed(&g.toMicros, g.fromMicros, maxTestMicros)
	s.signed(&g.toMicroA, -maxRate*b.RatedMicroAh, maxRate*b.RatedMicroAh)
	s.flag(&g.faulty)
}
