package health

import (
	"fmt"
	"math/bits"
)

const (
	// keptMeters bounds the meters of a pile that are followed at a time.
	keptMeters = 8
	// meanMicros is the shortest time that a mean power is taken over. Over less, the steps that a meter counts in weigh too much.
	meanMicros = 60_000_000
)

// meters are the registers of a pile's meters.
type meters struct {
	known []meter
	// forgottenUntil is after the latest time of a register that made room for another.
	forgottenUntil int64
}

// meter is the last reading of one register.
type meter struct {
	mark     uint64
	atMicros int64
	milliWh  int64
	// broken says that the register is not to be relied on, so that the next one is a new beginning.
	broken bool
	// meanFromMicros and meanFromMilliWh are where the next mean power is measured from.
	meanFromMicros, meanFromMilliWh int64
}

// takeRegister counts what a register rose by since it was last read. e is nil if the epoch is closed.
func (a *ChargerAccumulator) takeRegister(r *ChargerReading, e *chargerEpoch) {
	broken := r.Event == RegisterUnreliable
	if !r.ImportMilliWh.Known && !broken {
		return
	}
	mark := nameMark('m', r.Meter)
	m := a.meters.find(mark)
	switch {
	case m == nil && r.TimeMicros < a.meters.forgottenUntil, m != nil && r.TimeMicros <= m.atMicros:
		return // counted already
	case m == nil:
		m = a.meters.add(mark)
		m.restart(r, broken)
	case m.broken || broken || !a.rises(m, r):
		m.restart(r, broken)
	default:
		a.count(m, r, e)
	}
	if e != nil && !broken {
		e.registered = true
	}
}

func (a *ChargerAccumulator) count(m *meter, r *ChargerReading, e *chargerEpoch) {
	if e != nil {
		e.energyMilliWh += uint64(r.ImportMilliWh.Value - m.milliWh)
	}
	m.atMicros, m.milliWh = r.TimeMicros, r.ImportMilliWh.Value
	micros := m.atMicros - m.meanFromMicros
	if micros < meanMicros {
		return
	}
	if e != nil {
		e.takeMean(meanPower(m.milliWh-m.meanFromMilliWh, micros))
	}
	m.meanFromMicros, m.meanFromMilliWh = m.atMicros, m.milliWh
}

// rises says whether a register goes on from where it was: neither falling nor rising faster than the pile can deliver.
func (a *ChargerAccumulator) rises(m *meter, r *ChargerReading) bool {
	rise := r.ImportMilliWh.Value - m.milliWh
	const action = "nothing is counted up to here"
	if rise < 0 {
		a.say(Issue{r.Line, "import_register", Noted, RegisterReset, "the register falls", action})
		return false
	}
	if rise <= slackMilliWh {
		return true
	}
	high, low := bits.Mul64(uint64(rise-slackMilliWh), hourMicros)
	mostHigh, mostLow := bits.Mul64(uint64(a.charger.MaxPowerMilliW), uint64(r.TimeMicros-m.atMicros))
	if high > mostHigh || high == mostHigh && low > mostLow {
		a.say(Issue{r.Line, "import_register", Excluded, RegisterJump,
			fmt.Sprintf("the register rises faster than %s W", formatDecimal(a.charger.MaxPowerMilliW, 3)), action})
		return false
	}
	return true
}

// meanPower is mWh over µs, in mW, rounded half up. A register that rises makes a quotient far below 2^64.
func meanPower(milliWh, micros int64) int64 {
	high, low := bits.Mul64(uint64(milliWh), 2*hourMicros)
	low, carry := bits.Add64(low, uint64(micros), 0)
	q, _ := bits.Div64(high+carry, low, 2*uint64(micros))
	return int64(q)
}

// restart begins anew at a register, without counting what it shows.
func (m *meter) restart(r *ChargerReading, broken bool) {
	m.atMicros, m.milliWh, m.broken = r.TimeMicros, r.ImportMilliWh.Value, broken
	if broken {
		m.milliWh = 0
	}
	m.meanFromMicros, m.meanFromMilliWh = m.atMicros, m.milliWh
}

func (m *meters) find(mark uint64) *meter {
	for i := range m.known {
		if m.known[i].mark == mark {
			return &m.known[i]
		}
	}
	return nil
}

// add makes room for a meter, at the cost of the one that was silent for longest.
func (m *meters) add(mark uint64) *meter {
	if len(m.known) < keptMeters {
		m.known = append(m.known, meter{mark: mark})
		return &m.known[len(m.known)-1]
	}
	oldest := &m.known[0]
	for i := range m.known {
		if m.known[i].atMicros < oldest.atMicros {
			oldest = &m.known[i]
		}
	}
	m.forgottenUntil = max(m.forgottenUntil, oldest.atMicros+1)
	*oldest = meter{mark: mark}
	return oldest
}
