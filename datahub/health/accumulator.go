package health

import "fmt"

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

	charged, discharged   charge
	elapsedMicros         int64
	firstWall, lastWall   Measured
	lowMicroV, highMicroV int64
	discharges            dischargeLog
	used                  int

	epoch  epoch
	faulty bool
	faults uint32

	// keeper, if there is one, divides the readings into epochs by their time.
	keeper keeper
	// closed says that the reading being taken belongs to an epoch that is over, whose figures stay as they are.
	closed bool
}

// keeper is told what an Accumulator is about to do.
type keeper interface {
	// enter comes before a reading of that time changes any figure.
	enter(timeMicros int64)
	// broke comes before nothing is integrated from one reading to the next.
	broke(before, after *Reading)
}

// NewAccumulator starts counting for a battery. report receives each issue as it is found; nil discards them.
func NewAccumulator(b Battery, report func(Issue)) (*Accumulator, error) {
	b = b.withDefaults()
	if err := b.check(); err != nil {
		return nil, err
	}
	return &Accumulator{battery: b, report: report, discharges: dischargeLog{ratedMicroAh: b.RatedMicroAh}}, nil
}

// Add takes the next reading. A reading that is not used as it stands is reported.
func (a *Accumulator) Add(r Reading) {
	r.forgetUnknown()
	if !a.battery.believes(&r) {
		var ok bool
		if r, ok = a.plausible(r); !ok {
			return
		}
	}
	switch {
	case !a.any:
		a.enter(r.TimeMicros)
		a.begin(&r)
	case a.follows(&a.last, &r):
		a.dropHeld("returns in the next row", ", the integral spans its neighbours")
		a.extend(&r)
	case a.holding && a.follows(&a.held, &r):
		a.adoptHeld()
		a.extend(&r)
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
	d := &a.discharges.current
	if a.report != nil && d.running && d.deep(a.battery.RatedMicroAh, 100) && !a.endReached(d) {
		a.report(Issue{d.firstLine, "", Excluded, OpenDischarge, "the data ends inside the discharge that begins here",
			"it is no measurement of capacity, its charge counts towards full cycles"})
	}
}

func (a *Accumulator) enter(timeMicros int64) {
	if a.keeper != nil {
		a.keeper.enter(timeMicros)
	}
}

func (a *Accumulator) follows(before, r *Reading) bool {
	d := r.TimeMicros - before.TimeMicros
	return d >= 0 && d <= a.battery.MaxGapMicros
}

// begin takes the first reading, or the first one after a break, which nothing is integrated up to.
func (a *Accumulator) begin(r *Reading) {
	if !a.any {
		a.lowMicroV, a.highMicroV = r.VoltageMicroV, r.VoltageMicroV
	}
	a.any = true
	a.discharges.begin(r)
	a.take(r)
}

// extend integrates from the last reading to r.
func (a *Accumulator) extend(r *Reading) {
	if r.TimeMicros == a.last.TimeMicros && a.repeats(r) {
		return
	}
	a.enter(r.TimeMicros)
	from, micros := a.last.CurrentMicroA, r.TimeMicros-a.last.TimeMicros
	a.elapsedMicros = min(a.elapsedMicros+micros, maxSpan)
	a.charged.add(segment(max(from, 0), max(r.CurrentMicroA, 0), micros))
	out := segment(max(-from, 0), max(-r.CurrentMicroA, 0), micros)
	a.discharged.add(out)
	if a.discharges.extend(r, out, micros) {
		a.keepDischarge()
	}
	a.take(r)
}

// repeats reports a reading at the time of the last one, and says whether it is the same reading again.
func (a *Accumulator) repeats(r *Reading) bool {
	same := a.last
	same.Line = r.Line
	repeated := *r == same
	switch {
	case a.report == nil:
	case repeated:
		a.report(Issue{r.Line, "", Excluded, Repeated, fmt.Sprintf("repeats line %d", a.last.Line), rowLeftOut})
	default:
		a.report(Issue{r.Line, a.battery.time().column, Noted, SameTime,
			fmt.Sprintf("same time as line %d with other values", a.last.Line), "used, without adding charge"})
	}
	return repeated
}

// take notes everything about a reading but its charge, and makes it the last one.
func (a *Accumulator) take(r *Reading) {
	a.last = *r
	a.used = min(a.used+1, maxSpan)
	a.lowMicroV, a.highMicroV = min(a.lowMicroV, r.VoltageMicroV), max(a.highMicroV, r.VoltageMicroV)
	a.takeEpoch(r)
	a.takeWall(r)
	faulty := a.battery.faulty(r)
	if faulty && !a.faulty {
		a.faults++
	}
	a.faulty = faulty
}

// takeEpoch notes what is of the epoch only.
func (a *Accumulator) takeEpoch(r *Reading) {
	spread, sound := r.spread()
	if !sound && a.report != nil {
		a.report(Issue{r.Line, "", Excluded, OutOfRange, "the highest cell voltage is below the lowest", valueLeftOut})
	}
	if a.closed {
		return
	}
	a.epoch.readings++
	a.epoch.takeTemperature(r.TemperatureMilliC)
	if spread.Known {
		a.epoch.takeSpread(spread.Value, a.discharges.atRest(r), r.TimeMicros)
	}
}

func (a *Accumulator) takeWall(r *Reading) {
	switch wall := r.WallMicros; {
	case !wall.Known:
	case a.lastWall.Known && wall.Value < a.lastWall.Value:
		if a.report != nil {
			a.report(Issue{r.Line, a.battery.wall().column, Noted, WallClockFell,
				fmt.Sprintf("wall clock falls from %s s to %s s", formatMicro(a.lastWall.Value), formatMicro(wall.Value)),
				"used for age only, which takes the first and the last value"})
		}
		a.lastWall = wall
	default:
		if !a.firstWall.Known {
			a.firstWall = wall
		}
		a.lastWall = wall
	}
}
