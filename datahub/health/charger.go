package health

import "math"

// ChargerAccumulator counts what one charging pile delivers and earns, reading by reading, and derives its record. Its size is bounded. It
// is not safe for concurrent use.
type ChargerAccumulator struct {
	charger Charger
	report  func(Issue)

	any                     bool
	firstMicros, lastMicros int64
	// down and faulty are how the pile was at the last reading.
	down, faulty bool
	faults       uint32
	used         int

	meters   meters
	sessions sessions
	epoch    chargerEpoch
	keeper   chargerKeeper
}

// chargerKeeper divides the readings of a pile into epochs by their time.
type chargerKeeper interface {
	// enter comes before a reading of that time changes any figure. up says that the pile could charge since the last one.
	enter(timeMicros int64, up bool)
	// open is the epoch that a time belongs to and when it began; nil if its figures stay as they are.
	open(timeMicros int64) (e *chargerEpoch, start int64)
}

// chargerEpoch is what is measured anew in every epoch.
type chargerEpoch struct {
	readings, sessions            uint32
	energyMilliWh, revenueCents   uint64
	upMicros                      int64
	peakMilliW, peakOfMeansMilliW Measured
	// registered says that a register was read.
	registered bool
}

// NewChargerAccumulator starts counting for a pile. report receives each issue as it is found; nil discards them.
func NewChargerAccumulator(c Charger, report func(Issue)) (*ChargerAccumulator, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return &ChargerAccumulator{charger: c.withDefaults(), report: report}, nil
}

// StartEpoch begins a new epoch: faults and age go on, everything else is measured anew. What is counted between two readings belongs to
// the epoch of the later one.
func (a *ChargerAccumulator) StartEpoch() { a.epoch = chargerEpoch{} }

// Add takes the next reading.
func (a *ChargerAccumulator) Add(r ChargerReading) {
	if !a.plausible(&r) {
		return
	}
	if !a.any || r.TimeMicros >= a.lastMicros {
		a.advance(&r)
	}
	e, _ := a.open(r.TimeMicros)
	if e != nil {
		e.readings++
		e.takePower(r.PowerMilliW)
	}
	a.takeRegister(&r, e)
	a.takeSession(&r, e)
	a.used = min(a.used+1, maxSpan)
}

// advance takes what depends on the order of the readings.
func (a *ChargerAccumulator) advance(r *ChargerReading) {
	up := a.any && !a.down && r.TimeMicros-a.lastMicros <= a.charger.MaxGapMicros
	if a.keeper != nil {
		a.keeper.enter(r.TimeMicros, up)
	}
	if e, start := a.open(r.TimeMicros); up && e != nil {
		e.takeUp(r.TimeMicros - max(a.lastMicros, start))
	}
	if !a.any {
		a.any, a.firstMicros = true, r.TimeMicros
	}
	if r.Fault && !a.faulty {
		a.faults++
	}
	a.lastMicros, a.faulty, a.down = r.TimeMicros, r.Fault, r.Down
}

func (a *ChargerAccumulator) open(timeMicros int64) (*chargerEpoch, int64) {
	if a.keeper != nil {
		return a.keeper.open(timeMicros)
	}
	return &a.epoch, math.MinInt64
}

func (e *chargerEpoch) takeUp(micros int64) { e.upMicros = min(e.upMicros+micros, maxSpan) }

func (e *chargerEpoch) takePower(v Measured) {
	if v.Known && (!e.peakMilliW.Known || v.Value > e.peakMilliW.Value) {
		e.peakMilliW = v
	}
}

func (e *chargerEpoch) takeMean(milliW int64) {
	if !e.peakOfMeansMilliW.Known || milliW > e.peakOfMeansMilliW.Value {
		e.peakOfMeansMilliW = Known(milliW)
	}
}
