package health

import "math/big"

// discharge is an unbroken run of readings with a current out of the battery.
type discharge struct {
	firstLine, lastLine int
	delivered           charge
	micros              int64
	// fullestMicroV is the highest voltage since the discharge before, lowestMicroV the lowest during this one.
	fullestMicroV, lowestMicroV int64
	// beginSeen says that the reading before the first one was seen, and was no discharge.
	beginSeen bool
	running   bool
}

// dischargeLog finds the discharges in a sequence of readings.
type dischargeLog struct {
	ratedMicroAh  int64
	fullestMicroV int64
	// current is the discharge that is running, if it says so.
	current discharge
	// done is how many ended, latest are the last of them, the oldest first, for saying why none measures the capacity.
	done   int
	latest [3]discharge
	// kept are those that may measure it, the oldest first.
	kept []discharge
}

// atRest says whether the current is below C/200 either way.
func (l *dischargeLog) atRest(r *Reading) bool {
	return max(r.CurrentMicroA, -r.CurrentMicroA)*200 < l.ratedMicroAh
}

func (l *dischargeLog) discharging(r *Reading) bool { return r.CurrentMicroA < 0 && !l.atRest(r) }

// begin forgets what was before: after a break nobody knows what flowed.
func (l *dischargeLog) begin(r *Reading) {
	l.current, l.fullestMicroV = discharge{}, r.VoltageMicroV
	if l.discharging(r) {
		l.start(r, false)
	}
}

func (l *dischargeLog) start(r *Reading, beginSeen bool) {
	l.current = discharge{
		firstLine: r.Line, lastLine: r.Line, running: true, beginSeen: beginSeen,
		fullestMicroV: l.fullestMicroV, lowestMicroV: r.VoltageMicroV,
	}
}

// extend takes the next reading with what flowed out since the last one. It is true if that ended a discharge, now the latest.
func (l *dischargeLog) extend(r *Reading, out charge, micros int64) bool {
	discharging := l.discharging(r)
	if !l.current.running {
		if !discharging {
			l.fullestMicroV = max(l.fullestMicroV, r.VoltageMicroV)
			return false
		}
		l.start(r, true)
	}
	l.current.delivered.add(out)
	l.current.micros = min(l.current.micros+micros, maxSpan)
	if !discharging {
		return l.end(r)
	}
	l.current.lastLine = r.Line
	l.current.lowestMicroV = min(l.current.lowestMicroV, r.VoltageMicroV)
	return false
}

// end closes the running discharge. One of less than a hundredth of the rated capacity is a blip: the battery is as full
// after it as it was before.
func (l *dischargeLog) end(r *Reading) bool {
	d := l.current
	d.running, l.current = false, discharge{}
	if !d.deep(l.ratedMicroAh, 100) {
		l.fullestMicroV = max(l.fullestMicroV, r.VoltageMicroV)
		return false
	}
	l.fullestMicroV = r.VoltageMicroV
	l.done = min(l.done+1, maxSpan)
	l.latest = [3]discharge{l.latest[1], l.latest[2], d}
	return true
}

// deep says whether at least 1/part of the rated capacity was delivered.
func (d *discharge) deep(ratedMicroAh, part int64) bool {
	return new(big.Int).Mul(d.delivered.big(), big.NewInt(part)).Cmp(halfPicocoulombs(ratedMicroAh)) >= 0
}

// meanMicroA is the mean current, rounded half up.
func (d *discharge) meanMicroA() int64 {
	if d.micros == 0 {
		return 0
	}
	return ratio(d.delivered.big(), 1, big.NewInt(2*d.micros)).Int64()
}

// tooFast says whether the mean current is above rate/1000 C. A discharge without duration has no rate.
func (d *discharge) tooFast(ratedMicroAh, rateMilliC int64) bool {
	limit := new(big.Int).Mul(big.NewInt(2*d.micros), big.NewInt(ratedMicroAh))
	limit.Mul(limit, big.NewInt(rateMilliC))
	return new(big.Int).Mul(d.delivered.big(), big.NewInt(1000)).Cmp(limit) > 0
}
