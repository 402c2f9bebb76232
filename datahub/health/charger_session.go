package health

const (
	// keptSessions bounds the sessions whose end is remembered, so that an end that is sent again does not count again.
	keptSessions = 16
	// openSessions bounds the running sessions whose bill is remembered until their end.
	openSessions = 8
)

// sessions are the charging sessions of a pile that are remembered.
type sessions struct {
	ended []endedSession
	open  []openSession
	// forgottenUntil is after the latest end of a session that made room for another.
	forgottenUntil int64
}

type endedSession struct {
	mark     uint64
	atMicros int64
	billed   bool
}

// openSession is the latest bill of a session that has not ended.
type openSession struct {
	mark     uint64
	atMicros int64
	cents    int64
}

// takeSession counts a session at its end, with its bill. e is nil if the epoch is closed.
func (a *ChargerAccumulator) takeSession(r *ChargerReading, e *chargerEpoch) {
	if r.Event != SessionEnded && r.Transaction == "" {
		return
	}
	mark := r.sessionMark()
	ended := a.sessions.findEnded(mark)
	switch {
	case r.Event == SessionBegun && ended != nil && r.TimeMicros > ended.atMicros:
		a.sessions.reuse(mark)
	case ended != nil:
		ended.bill(r, e)
	case r.Event == SessionEnded:
		a.endSession(mark, r, e)
	case r.RevenueCents.Known && r.TimeMicros >= a.sessions.forgottenUntil:
		a.sessions.noteBill(openSession{mark, r.TimeMicros, r.RevenueCents.Value})
	}
}

func (a *ChargerAccumulator) endSession(mark uint64, r *ChargerReading, e *chargerEpoch) {
	if r.TimeMicros < a.sessions.forgottenUntil {
		a.say(Issue{r.Line, "", Excluded, OldSession, "a session ends before others that are no longer remembered",
			"it may have been counted, and is not counted again"})
		return
	}
	bill := a.sessions.takeBill(mark)
	if r.RevenueCents.Known {
		bill = r.RevenueCents
	}
	if e != nil {
		e.sessions++
		e.revenueCents += uint64(bill.Value)
	}
	a.sessions.end(endedSession{mark, r.TimeMicros, bill.Known})
}

// bill adds the bill of a session that came only after its end.
func (s *endedSession) bill(r *ChargerReading, e *chargerEpoch) {
	if s.billed || !r.RevenueCents.Known || r.TimeMicros < s.atMicros {
		return
	}
	s.billed = true
	if e != nil {
		e.revenueCents += uint64(r.RevenueCents.Value)
	}
}

func (s *sessions) findEnded(mark uint64) *endedSession {
	for i := range s.ended {
		if s.ended[i].mark == mark {
			return &s.ended[i]
		}
	}
	return nil
}

// reuse forgets that a session ended, because another begins under its name.
func (s *sessions) reuse(mark uint64) {
	for i := range s.ended {
		if s.ended[i].mark == mark {
			s.ended = append(s.ended[:i], s.ended[i+1:]...)
			return
		}
	}
}

// end remembers a session, at the cost of the one that ended first.
func (s *sessions) end(d endedSession) {
	if len(s.ended) < keptSessions {
		s.ended = append(s.ended, d)
		return
	}
	first := &s.ended[0]
	for i := range s.ended {
		if s.ended[i].atMicros < first.atMicros {
			first = &s.ended[i]
		}
	}
	s.forgottenUntil = max(s.forgottenUntil, first.atMicros+1)
	*first = d
}

// noteBill remembers the latest bill of a running session, at the cost of the one that was silent for longest.
func (s *sessions) noteBill(o openSession) {
	oldest := 0
	for i := range s.open {
		if s.open[i].mark == o.mark {
			if o.atMicros >= s.open[i].atMicros {
				s.open[i] = o
			}
			return
		}
		if s.open[i].atMicros < s.open[oldest].atMicros {
			oldest = i
		}
	}
	if len(s.open) < openSessions {
		s.open = append(s.open, o)
		return
	}
	s.open[oldest] = o
}

// takeBill is the latest bill of a session that ends.
func (s *sessions) takeBill(mark uint64) Measured {
	for i := range s.open {
		if s.open[i].mark == mark {
			bill := Known(s.open[i].cents)
			s.open = append(s.open[:i], s.open[i+1:]...)
			return bill
		}
	}
	return Measured{}
}
