package simulate

import (
	"math"
	"math/rand/v2"

	"github.com/assay-net/assay/zk/record"
)

const (
	badPileShare       = 0.04
	pileDeratingPerDay = 1e-5
	minutesPerDay      = 24 * 60
)

// ratedWatts are the powers that piles are built for.
var ratedWatts = []float64{60_000, 120_000, 180_000}

// pile is one charging pile. What it did is counted for the last period only; age and faults are counted since it was
// new.
type pile struct {
	watts, sessionsPerDay, wattHoursPerSession, centsPerKilowattHour float64
	bad                                                              bool
	ageDays                                                          int
	faults                                                           uint32
	// In the last period.
	wattHours, cents, uptimeMinutes, peakWatts float64
	sessions                                   uint32
}

func newPile(random *rand.Rand) physics {
	p := &pile{
		watts:                ratedWatts[random.IntN(len(ratedWatts))],
		sessionsPerDay:       6 * factor(random, 0.5),
		wattHoursPerSession:  26_000 * factor(random, 0.2),
		centsPerKilowattHour: math.Round(between(random, 80, 160)),
		bad:                  random.Float64() < badPileShare,
		ageDays:              random.IntN(longestHistory),
	}
	p.faults = poisson(random, p.faultRate()*float64(p.ageDays))
	p.advance(random, -periodBeforeStart, periodBeforeStart)
	return p
}

func (p *pile) advance(random *rand.Rand, day, days int) {
	p.wattHours, p.cents, p.uptimeMinutes, p.peakWatts, p.sessions = 0, 0, 0, 0, 0
	for d := range days {
		p.oneDay(random, float64(day+d))
		p.ageDays++
	}
}

func (p *pile) oneDay(random *rand.Rand, day float64) {
	up := p.availability(random)
	p.uptimeMinutes += up * minutesPerDay
	p.faults += poisson(random, p.faultRate())
	sessions := poisson(random, p.sessionsPerDay*up*(1+0.15*season(day)))
	if sessions == 0 {
		return
	}
	p.sessions += sessions
	energy := p.wattHoursPerSession * float64(sessions) * factor(random, 0.3)
	power := p.watts * max(0.5, 1-pileDeratingPerDay*float64(p.ageDays))
	energy = math.Floor(min(energy, 0.8*power*24*up))
	p.wattHours += energy
	p.cents += math.Floor(energy * p.centsPerKilowattHour / 1000)
	p.peakWatts = max(p.peakWatts, power*between(random, 0.7, 1))
}

// availability is the share of a day that the pile could charge.
func (p *pile) availability(random *rand.Rand) float64 {
	if p.bad {
		return between(random, 0.4, 0.9)
	}
	if random.Float64() < 0.02 { // an outage
		return between(random, 0, 0.8)
	}
	return between(random, 0.985, 1)
}

func (p *pile) faultRate() float64 {
	if p.bad {
		return 0.1
	}
	return 0.005
}

// record gives the lanes of charger/v1.
func (p *pile) record() record.Record {
	return record.Record{
		1: stored(p.wattHours),
		2: p.sessions,
		3: stored(p.cents),
		4: stored(p.uptimeMinutes),
		5: stored(p.peakWatts),
		6: p.faults,
		7: uint32(p.ageDays),
	}
}
