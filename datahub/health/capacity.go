package health

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// keptDischarges bounds the discharges that an Accumulator keeps. Where the voltage window was stated, the latest full one is enough. Where it
// is inferred it may yet widen, and an older discharge that began higher or ended lower than all since may then be the only full one: they are
// few unless voltages drift both ways at once.
const keptDischarges = 64

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

// keepDischarge considers the discharge that has just ended.
func (a *Accumulator) keepDischarge() {
	l := &a.discharges
	d := l.latest[len(l.latest)-1]
	low, high := a.window()
	if a.unfit(&d) != "" || a.battery.windowStated() && d.partial(low, high) != "" {
		return
	}
	kept := l.kept[:0]
	for _, older := range l.kept {
		if !a.battery.windowStated() && (older.fullestMicroV > d.fullestMicroV || older.lowestMicroV < d.lowestMicroV) {
			kept = append(kept, older)
		}
	}
	l.kept = append(a.makeRoom(kept, low, high), d)
}

// makeRoom drops a discharge if there are too many: the oldest that is not full as things stand, else the oldest.
func (a *Accumulator) makeRoom(kept []discharge, low, high int64) []discharge {
	if len(kept) < keptDischarges {
		return kept
	}
	drop := 0
	for i := range kept {
		if kept[i].partial(low, high) != "" {
			drop = i
			break
		}
	}
	return append(kept[:drop], kept[drop+1:]...)
}

// measuring finds the discharge that measures the capacity, or says why there is none.
func (a *Accumulator) measuring() (*discharge, error) {
	low, high := a.window()
	if !a.battery.windowStated() && high-low < minInferredWindow {
		return nil, fmt.Errorf("the readings span %s V to %s V only: state the battery's voltage window", formatMicro(low), formatMicro(high))
	}
	l := &a.discharges
	if l.current.running && a.unsuitable(&l.current, low, high) == "" {
		return &l.current, nil
	}
	for i := len(l.kept) - 1; i >= 0; i-- {
		if l.kept[i].partial(low, high) == "" {
			return &l.kept[i], nil
		}
	}
	return nil, a.noMeasure(low, high)
}

// noMeasure says of the last three discharges why they do not measure the capacity.
func (a *Accumulator) noMeasure(low, high int64) error {
	l := &a.discharges
	seen, latest := l.done, l.latest[max(0, len(l.latest)-l.done):]
	if l.current.running {
		seen, latest = seen+1, append(latest[:len(latest):len(latest)], l.current)
	}
	if seen == 0 {
		return errors.New("no discharge was seen")
	}
	var reasons []string
	for i := len(latest) - 1; i >= 0 && len(reasons) < 3; i-- {
		d := &latest[i]
		reasons = append(reasons, fmt.Sprintf("lines %d to %d: %s", d.firstLine, d.lastLine, a.unsuitable(d, low, high)))
	}
	return fmt.Errorf("none of %d discharges measures it (%s)", seen, strings.Join(reasons, "; "))
}

// unsuitable says why a discharge does not measure the capacity. It is empty for one that does.
func (a *Accumulator) unsuitable(d *discharge, low, high int64) string {
	if d.running && !a.endReached(d) {
		return "still running"
	}
	if !d.beginSeen {
		return "its beginning was not seen"
	}
	if reason := d.partial(low, high); reason != "" {
		return reason
	}
	return a.unfit(d)
}

// partial says why a discharge is no full one between two voltages.
func (d *discharge) partial(low, high int64) string {
	margin := tolerance(low, high)
	switch {
	case d.fullestMicroV < high-margin:
		return fmt.Sprintf("began at %s V, below the upper end of %s V", formatMicro(d.fullestMicroV), formatMicro(high))
	case d.lowestMicroV > low+margin:
		return fmt.Sprintf("ended at %s V, above the lower end of %s V", formatMicro(d.lowestMicroV), formatMicro(low))
	}
	return ""
}

// unfit says why a discharge does not measure the capacity between whichever voltages.
func (a *Accumulator) unfit(d *discharge) string {
	rated := a.battery.RatedMicroAh
	switch {
	case !d.beginSeen:
		return "its beginning was not seen"
	case d.tooFast(rated, a.battery.MaxRateMilliC):
		return fmt.Sprintf("mean current of %s A is above %s C", formatMicro(d.meanMicroA()), formatDecimal(a.battery.MaxRateMilliC, 3))
	case !d.deep(rated, 10):
		return "delivered less than 10 % of the rated capacity"
	case new(big.Int).Lsh(d.delivered.big(), 1).Cmp(halfPicocoulombs(3*rated)) > 0:
		return "delivered more than 150 % of the rated capacity"
	}
	return ""
}
