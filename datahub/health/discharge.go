package health

import (
	"fmt"
	"math/big"
)

// keptDischarges bounds the discharges an Accumulator remembers: the latest that qualifies measures the capacity, so only a
// battery with a thousand unsuitable discharges in a row could lose one that mattered.
const keptDischarges = 1024

// discharge is an unbroken run of readings with a current out of the battery.
type discharge struct {
	firstLine, lastLine int
	half                big.Int // charge delivered, in half picocoulombs
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
	running       *discharge
	done          []*discharge
}

// atRest says whether the current is below C/200 either way.
func (l *dischargeLog) atRest(r Reading) bool {
	return max(r.CurrentMicroA, -r.CurrentMicroA)*200 < l.ratedMicroAh
}

func (l *dischargeLog) discharging(r Reading) bool { return r.CurrentMicroA < 0 && !l.atRest(r) }

// begin forgets what was before: after a break nobody knows what flowed.
func (l *dischargeLog) begin(r Reading) {
	l.running, l.fullestMicroV = nil, r.VoltageMicroV
	if l.discharging(r) {
		l.running = l.start(r, false)
	}
}

func (l *dischargeLog) start(r Reading, beginSeen bool) *discharge {
	return &discharge{
		firstLine: r.Line, lastLine: r.Line, running: true, beginSeen: beginSeen,
		fullestMicroV: l.fullestMicroV, lowestMicroV: r.VoltageMicroV,
	}
}

// extend takes the next reading with what flowed out since the last one.
func (l *dischargeLog) extend(r Reading, half *big.Int, micros int64) {
	out := l.discharging(r)
	if l.running == nil {
		if !out {
			l.fullestMicroV = max(l.fullestMicroV, r.VoltageMicroV)
			return
		}
		l.running = l.start(r, true)
	}
	l.running.half.Add(&l.running.half, half)
	l.running.micros += micros
	if !out {
		l.end(r)
		return
	}
	l.running.lastLine = r.Line
	l.running.lowestMicroV = min(l.running.lowestMicroV, r.VoltageMicroV)
}

// end closes the running discharge. One of less than a hundredth of the rated capacity is a blip: the battery is as full
// after it as it was before.
func (l *dischargeLog) end(r Reading) {
	d := l.running
	l.running, d.running = nil, false
	if !d.deep(l.ratedMicroAh, 100) {
		l.fullestMicroV = max(l.fullestMicroV, r.VoltageMicroV)
		return
	}
	l.fullestMicroV = r.VoltageMicroV
	if len(l.done) == keptDischarges {
		l.done = append(l.done[:0], l.done[1:]...)
	}
	l.done = append(l.done, d)
}

// deep says whether at least 1/part of the rated capacity was delivered.
func (d *discharge) deep(ratedMicroAh, part int64) bool {
	return new(big.Int).Mul(&d.half, big.NewInt(part)).Cmp(halfPicocoulombs(ratedMicroAh)) >= 0
}

// meanMicroA is the mean current, rounded half up.
func (d *discharge) meanMicroA() int64 {
	if d.micros == 0 {
		return 0
	}
	return ratio(&d.half, 1, big.NewInt(2*d.micros)).Int64()
}

// tooFast says whether the mean current is above rate/1000 C. A discharge without duration has no rate.
func (d *discharge) tooFast(ratedMicroAh, rateMilliC int64) bool {
	limit := new(big.Int).Mul(big.NewInt(2*d.micros), big.NewInt(ratedMicroAh))
	limit.Mul(limit, big.NewInt(rateMilliC))
	return new(big.Int).Mul(&d.half, big.NewInt(1000)).Cmp(limit) > 0
}

// tolerance is 2 % of a voltage window's width.
func tolerance(low, high int64) int64 { return (high - low) / 50 }

// window is the voltage window that decides what a full discharge is.
func (a *Accumulator) window() (low, high int64) {
	if a.battery.windowStated() {
		return a.battery.LowMicroV, a.battery.HighMicroV
	}
	return a.lowMicroV, a.highMicroV
}

// endReached says whether a discharge that is still running already reached a stated lower end. A lower end that is only
// inferred from the readings may itself lie further down.
func (a *Accumulator) endReached(d *discharge) bool {
	return a.battery.windowStated() && d.lowestMicroV <= a.battery.LowMicroV
}

// minInferredWindow is the narrowest window that is inferred from readings, in µV: narrower ones come from partial cycling.
const minInferredWindow = 500_000

// measuring finds the discharge that measures the capacity, or says why there is none.
func (a *Accumulator) measuring() (*discharge, error) {
	low, high := a.window()
	if !a.battery.windowStated() && high-low < minInferredWindow {
		return nil, fmt.Errorf("the readings span %s V to %s V only: state the battery's voltage window", formatMicro(low), formatMicro(high))
	}
	var reasons []string
	candidates := a.discharges.done
	if a.discharges.running != nil {
		candidates = append(candidates[:len(candidates):len(candidates)], a.discharges.running)
	}
	for i := len(candidates) - 1; i >= 0; i-- {
		reason := a.unsuitable(candidates[i], low, high)
		if reason == "" {
			return candidates[i], nil
		}
		if len(reasons) < 3 {
			reasons = append(reasons, fmt.Sprintf("lines %d to %d: %s", candidates[i].firstLine, candidates[i].lastLine, reason))
		}
	}
	return nil, noMeasure(len(candidates), reasons)
}

// unsuitable says why a discharge does not measure the capacity. It is empty for one that does.
func (a *Accumulator) unsuitable(d *discharge, low, high int64) string {
	rated, margin := a.battery.RatedMicroAh, tolerance(low, high)
	switch {
	case d.running && !a.endReached(d):
		return "still running"
	case !d.beginSeen:
		return "its beginning was not seen"
	case d.fullestMicroV < high-margin:
		return fmt.Sprintf("began at %s V, below the upper end of %s V", formatMicro(d.fullestMicroV), formatMicro(high))
	case d.lowestMicroV > low+margin:
		return fmt.Sprintf("ended at %s V, above the lower end of %s V", formatMicro(d.lowestMicroV), formatMicro(low))
	case d.tooFast(rated, a.battery.MaxRateMilliC):
		return fmt.Sprintf("mean current of %s A is above %s C", formatMicro(d.meanMicroA()), formatDecimal(a.battery.MaxRateMilliC, 3))
	case !d.deep(rated, 10):
		return "delivered less than 10 % of the rated capacity"
	case new(big.Int).Mul(&d.half, big.NewInt(2)).Cmp(halfPicocoulombs(3*rated)) > 0:
		return "delivered more than 150 % of the rated capacity"
	}
	return ""
}
