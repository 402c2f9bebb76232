package health

import (
	"fmt"
	"math/big"
)

// Accumulator counts the charge of one battery, reading by reading, and derives its record. Its size does not grow with the
// number of readings. It is not safe for concurrent use.
type Accumulator struct {
	battery Battery
	report  func(Issue)

	last Reading
	any  bool
	// held is a reading whose time does not follow last. The reading after it decides what it was.
	held    Reading
	holding bool

	charged, discharged, part big.Int // half picocoulombs: (µA + µA) · µs
	elapsedMicros             int64
	firstWall, lastWall       Measured
	lowMicroV, highMicroV     int64
	discharges                dischargeLog
	used                      int

	epoch  epoch
	faulty bool
	faults uint32
}

// epoch is what is measured anew in every epoch.
type epoch struct {
	peakMilliC                     Measured
	spreadMicroV, spreadRestMicroV Measured
}

// NewAccumulator starts counting for a battery. report receives each issue as it is found; nil discards them.
func NewAccumulator(b Battery, report func(Issue)) (*Accumulator, error) {
	b = b.withDefaults()
	if err := b.check(); err != nil {
		return nil, err
	}
	if report == nil {
		report = func(Issue) {}
	}
	return &Accumulator{battery: b, report: report, discharges: dischargeLog{ratedMicroAh: b.RatedMicroAh}}, nil
}

// Add takes the next reading. A reading that is not used as it stands is reported.
func (a *Accumulator) Add(r Reading) {
	r, ok := a.plausible(r)
	switch {
	case !ok:
	case !a.any:
		a.begin(r)
	case a.follows(a.last, r):
		a.dropHeld("returns in the next row", ", the integral spans its neighbours")
		a.extend(r)
	case a.holding && a.follows(a.held, r):
		a.adoptHeld()
		a.extend(r)
	default:
		a.dropHeld("the row fits neither row beside it", "")
		a.held, a.holding = r, true
	}
}

// StartEpoch begins a new epoch: the peak temperature and the voltage spread are measured anew, everything else goes on.
func (a *Accumulator) StartEpoch() { a.epoch = epoch{} }

// Finish reports what is left hanging when no more readings come: a reading held back and a discharge still running. Neither
// has been used.
func (a *Accumulator) Finish() {
	a.dropHeld("no row after it confirms that", "")
	if d := a.discharges.running; d != nil && d.deep(a.battery.RatedMicroAh, 100) && !a.endReached(d) {
		a.report(Issue{d.firstLine, "", Excluded, OpenDischarge, "the data ends inside the discharge that begins here",
			"it is no measurement of capacity, its charge counts towards full cycles"})
	}
}

// plausible drops values that are physically impossible: the reading if it cannot do without, else the value.
func (a *Accumulator) plausible(r Reading) (Reading, bool) {
	b, ok := a.battery, true
	for _, v := range []struct {
		quantity
		value int64
	}{{b.time(), r.TimeMicros}, {b.voltage(), r.VoltageMicroV}, {b.current(), r.CurrentMicroA}} {
		if issue, bad := v.outside(r.Line, v.value, rowLeftOut); bad {
			a.report(issue)
			ok = false
		}
	}
	for _, v := range []struct {
		quantity
		value *Measured
	}{
		{b.wall(), &r.WallMicros}, {b.temperature(), &r.TemperatureMilliC},
		{b.voltage(), &r.LowestCellMicroV}, {b.voltage(), &r.HighestCellMicroV},
	} {
		if issue, bad := v.outside(r.Line, v.value.Value, valueLeftOut); v.value.Known && bad {
			a.report(issue)
			*v.value = Measured{}
		}
	}
	return r, ok
}

func (a *Accumulator) follows(before, r Reading) bool {
	d := r.TimeMicros - before.TimeMicros
	return d >= 0 && d <= a.battery.MaxGapMicros
}

// begin takes the first reading, or the first one after a break, which nothing is integrated up to.
func (a *Accumulator) begin(r Reading) {
	if !a.any {
		a.lowMicroV, a.highMicroV = r.VoltageMicroV, r.VoltageMicroV
	}
	a.any = true
	a.discharges.begin(r)
	a.take(r)
}

// extend integrates from the last reading to r.
func (a *Accumulator) extend(r Reading) {
	if r.TimeMicros == a.last.TimeMicros && a.repeats(r) {
		return
	}
	before := a.last
	micros := r.TimeMicros - before.TimeMicros
	a.elapsedMicros += micros
	a.charged.Add(&a.charged, a.trapezoid(max(before.CurrentMicroA, 0), max(r.CurrentMicroA, 0), micros))
	out := a.trapezoid(max(-before.CurrentMicroA, 0), max(-r.CurrentMicroA, 0), micros)
	a.discharged.Add(&a.discharged, out)
	a.discharges.extend(r, out, micros)
	a.take(r)
}

// repeats reports a reading at the time of the last one, and says whether it is the same reading again.
func (a *Accumulator) repeats(r Reading) bool {
	same := a.last
	same.Line = r.Line
	if r == same {
		a.report(Issue{r.Line, "", Excluded, Repeated, fmt.Sprintf("repeats line %d", a.last.Line), rowLeftOut})
		return true
	}
	a.report(Issue{r.Line, a.battery.time().column, Noted, SameTime,
		fmt.Sprintf("same time as line %d with other values", a.last.Line), "used, without adding charge"})
	return false
}

// trapezoid returns twice the charge of a segment. The result is valid until the next call.
func (a *Accumulator) trapezoid(from, to, micros int64) *big.Int {
	var t big.Int
	return a.part.Mul(a.part.SetInt64(from+to), t.SetInt64(micros))
}

// take notes everything about a reading but its charge, and makes it the last one.
func (a *Accumulator) take(r Reading) {
	a.last = r
	a.used++
	a.lowMicroV, a.highMicroV = min(a.lowMicroV, r.VoltageMicroV), max(a.highMicroV, r.VoltageMicroV)
	if r.TemperatureMilliC.Known && (!a.epoch.peakMilliC.Known || r.TemperatureMilliC.Value > a.epoch.peakMilliC.Value) {
		a.epoch.peakMilliC = r.TemperatureMilliC
	}
	a.takeSpread(r)
	a.takeWall(r)
	faulty := a.battery.faulty(r)
	if faulty && !a.faulty {
		a.faults++
	}
	a.faulty = faulty
}

func (a *Accumulator) takeSpread(r Reading) {
	if !r.LowestCellMicroV.Known || !r.HighestCellMicroV.Known {
		return
	}
	spread := r.HighestCellMicroV.Value - r.LowestCellMicroV.Value
	if spread < 0 {
		a.report(Issue{r.Line, "", Excluded, OutOfRange, "the highest cell voltage is below the lowest", valueLeftOut})
		return
	}
	a.epoch.spreadMicroV = Known(spread)
	if a.discharges.atRest(r) {
		a.epoch.spreadRestMicroV = Known(spread)
	}
}

func (a *Accumulator) takeWall(r Reading) {
	switch wall := r.WallMicros; {
	case !wall.Known:
	case a.lastWall.Known && wall.Value < a.lastWall.Value:
		a.report(Issue{r.Line, a.battery.wall().column, Noted, WallClockFell,
			fmt.Sprintf("wall clock falls from %s s to %s s", formatMicro(a.lastWall.Value), formatMicro(wall.Value)),
			"used for age only, which takes the first and the last value"})
		a.lastWall = wall
	default:
		if !a.firstWall.Known {
			a.firstWall = wall
		}
		a.lastWall = wall
	}
}

// faulty says whether a fault is present in a reading.
func (b Battery) faulty(r Reading) bool {
	hot := r.TemperatureMilliC.Known && r.TemperatureMilliC.Value > b.MaxTemperatureMilliC
	margin := tolerance(b.LowMicroV, b.HighMicroV)
	outside := b.windowStated() && (r.VoltageMicroV < b.LowMicroV-margin || r.VoltageMicroV > b.HighMicroV+margin)
	return r.Alarm || hot || outside
}
