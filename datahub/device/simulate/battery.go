package simulate

import (
	"math"
	"math/rand/v2"

	"github.com/assay-net/assay/zk/record"
)

const (
	ratedMilliampHours = 50_000

	referenceKelvin   = 298.15
	arrheniusKelvin   = 6976   // Schmalstieg et al. 2014
	calendarPerDay    = 0.0016 // loss per √day at the reference temperature
	cyclePerEFC       = 6e-5   // loss per equivalent full cycle at 80 % depth of discharge, C/2 and the reference temperature
	badShare          = 0.02
	kneeOfABadPack    = 0.85
	largestLoss       = 0.55 // where a battery management system takes a pack out of use
	stepDays          = 10
	faultsPerDay      = 0.0008
	badFaultsPerDay   = 0.02
	longestHistory    = 6 * 365
	periodBeforeStart = 30
)

// battery is one pack. Temperatures are in degrees Celsius.
type battery struct {
	// What the pack is.
	initialRatio, calendarFactor, cycleFactor float64
	bad                                       bool
	// How it is used.
	siteMean, siteSwing, cyclesPerDay, depth, rate float64
	// What has become of it.
	ageDays                  int
	calendarStress           float64 // Σ a(T)²·Δt, in days at the reference temperature
	cycleLoss, fullCycles    float64
	faults                   uint32
	baseSpread, spread, peak float64
}

func newBattery(random *rand.Rand) physics {
	b := &battery{
		initialRatio:   around(random, 1.005, 0.008),
		calendarFactor: factor(random, 0.12),
		cycleFactor:    factor(random, 0.15),
		bad:            random.Float64() < badShare,
		siteMean:       between(random, 12, 24),
		siteSwing:      between(random, 6, 13),
		cyclesPerDay:   between(random, 0.4, 1.1),
		depth:          between(random, 0.65, 0.95),
		rate:           between(random, 0.3, 0.9),
		baseSpread:     between(random, 4, 12),
	}
	if b.bad {
		b.cycleFactor *= between(random, 2.5, 5)
	}
	history := periodBeforeStart + random.IntN(longestHistory)
	b.advance(random, -history, history-periodBeforeStart)
	b.advance(random, -periodBeforeStart, periodBeforeStart)
	return b
}

func (b *battery) advance(random *rand.Rand, day, days int) {
	b.peak = math.Inf(-1)
	for done := 0; done < days; {
		step := min(stepDays, days-done)
		b.step(random, float64(day+done), float64(step))
		done += step
	}
	b.ageDays += days
	b.spread = b.baseSpread + b.drift()*b.loss() + around(random, 0, 1)
}

// step lets a few days pass at one temperature.
func (b *battery) step(random *rand.Rand, day, days float64) {
	ambient := b.siteMean + b.siteSwing*season(day) + around(random, 0, 2.5)
	selfHeating := 12 * b.rate * b.rate * (1 + 2*b.loss())
	average := ambient + selfHeating/2
	stress := arrhenius(average)
	b.calendarStress += stress * stress * days

	cycles := b.cyclesPerDay * days * max(0, around(random, 1, 0.2))
	b.fullCycles += cycles * b.depth
	conditions := depthFactor(b.depth) * rateFactor(b.rate) * heatFactor(average)
	b.cycleLoss += cyclePerEFC * b.cycleFactor * b.knee() * conditions * cycles * b.depth

	b.peak = max(b.peak, ambient+5+selfHeating+math.Abs(around(random, 0, 1.5)))
	b.faults += poisson(random, b.faultRate()*days)
}

// loss is the fraction of the initial capacity that is gone.
func (b *battery) loss() float64 {
	return min(largestLoss, calendarPerDay*b.calendarFactor*math.Sqrt(b.calendarStress)+b.cycleLoss)
}

// knee is what speeds up a bad pack's fade once it has begun.
func (b *battery) knee() float64 {
	if b.bad && 1-b.loss() < kneeOfABadPack {
		return 2
	}
	return 1
}

// drift is how many millivolts the cells drift apart while all capacity is lost.
func (b *battery) drift() float64 {
	if b.bad {
		return 400
	}
	return 120
}

func (b *battery) faultRate() float64 {
	if b.bad {
		return badFaultsPerDay
	}
	return faultsPerDay * (1 + 10*b.loss())
}

func arrhenius(celsius float64) float64 {
	return math.Exp(arrheniusKelvin * (1/referenceKelvin - 1/(celsius+273.15)))
}

func depthFactor(depth float64) float64 { return (0.760 + 4.081*depth) / (0.760 + 4.081*0.8) }

func rateFactor(rate float64) float64 { return math.Exp(0.35 * (rate - 0.5)) }

func heatFactor(celsius float64) float64 {
	x := (celsius + 273.15 - referenceKelvin) / 30
	return 1 + x*x
}

// record gives the lanes of battery/v1. State of health is the stored capacity over the rated one, as anyone can
// recompute.
func (b *battery) record() record.Record {
	capacity := stored(ratedMilliampHours * b.initialRatio * (1 - b.loss()))
	return record.Record{
		1: uint32(uint64(capacity) * 10_000 / ratedMilliampHours),
		2: stored(b.fullCycles * 10),
		3: uint32(b.ageDays),
		4: capacity,
		5: stored(max(1, b.spread)),
		6: stored((b.peak + 40) * 10),
		7: b.faults,
	}
}
