package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// outageSeconds is how long a pile that fails cannot charge.
const outageSeconds = 1800

// PileStream is the meterings of one charging pile. It is not safe for concurrent use.
type PileStream struct {
	pile    pile
	random  *rand.Rand
	speedUp float64
	meter   string

	last time.Time
	// register counts delivered energy in nWh.
	register int64
	session  int
	charging bool
	ending   bool
	milliW   int64
	begunAt  int64 // nWh
	wanted   int64 // nWh
	charge   int64 // the vehicle's, in 0.01 %
	down     time.Duration
}

// Pile starts the stream of device i of a fleet of charging piles, with a meter of that name.
func (f *Fleet) Pile(i int, meter string, o StreamOptions) (*PileStream, error) {
	d, random, err := f.device(i)
	if err != nil {
		return nil, err
	}
	p, ok := d.physics.(*pile)
	if !ok {
		return nil, fmt.Errorf("device %d of a %s fleet is no charging pile", i, f.schema.Name)
	}
	speedUp, err := o.speedUp()
	if err != nil {
		return nil, err
	}
	// What the pile delivered before: its age at its mean rate.
	before := p.sessionsPerDay * p.wattHoursPerSession * float64(p.ageDays)
	return &PileStream{pile: *p, random: random, speedUp: speedUp, meter: meter, register: int64(before) * 1_000_000_000, session: random.IntN(1 << 30)}, nil
}

// Next is the metering at a time, which should not fall.
func (s *PileStream) Next(at time.Time) telemetry.Metering {
	micros := elapsed(s.last, at)
	s.last = at
	m := telemetry.Metering{TimeMicros: at.UnixMicro(), Meter: s.meter}
	switch {
	case s.down > 0:
		s.outage(&m, micros)
	case s.ending:
		s.end(&m)
	case s.charging:
		s.deliver(&m, micros)
	case s.happens(micros, s.pile.faultRate()+s.outagesPerDay()):
		s.down = time.Duration(outageSeconds / s.speedUp * float64(time.Second))
		m.Event, m.Fault = telemetry.Down, true
	case s.happens(micros, s.pile.sessionsPerDay):
		s.begin(&m)
	default:
		m.Event = telemetry.Idle
		m.PowerMilliW = health.Known(0)
	}
	m.ImportMilliWh = health.Known(s.register / 1_000_000)
	return m
}

// outagesPerDay makes a bad pile lose about a third of its time.
func (s *PileStream) outagesPerDay() float64 {
	if s.pile.bad {
		return 0.5 * 86_400 / outageSeconds
	}
	return 0.02
}

// happens draws whether something that occurs so often a day does within a step.
func (s *PileStream) happens(micros int64, perDay float64) bool {
	return s.random.Float64() < 1-math.Exp(-float64(micros)/86_400e6*s.speedUp*perDay)
}

func (s *PileStream) outage(m *telemetry.Metering, micros int64) {
	s.down -= time.Duration(micros) * time.Microsecond
	m.Event = telemetry.Down
	if s.down <= 0 {
		m.Event = telemetry.Idle
	}
}

func (s *PileStream) transaction() string { return fmt.Sprintf("%s-%08x", s.meter, s.session) }

func (s *PileStream) begin(m *telemetry.Metering) {
	s.session++
	s.charging = true
	power := s.pile.watts * max(0.5, 1-pileDeratingPerDay*float64(s.pile.ageDays)) * between(s.random, 0.7, 1)
	s.milliW = int64(power * 1000)
	// Sessions follow one another faster when the stream is sped up, and are shorter by as much.
	s.wanted = int64(s.pile.wattHoursPerSession * factor(s.random, 0.3) / s.speedUp * 1e9)
	s.begunAt, s.charge = s.register, int64(between(s.random, 1000, 5000))
	m.Event, m.Transaction = telemetry.Begin, s.transaction()
	m.PowerMilliW, m.StateOfCharge = health.Known(s.milliW), health.Known(s.charge)
}

func (s *PileStream) deliver(m *telemetry.Metering, micros int64) {
	moved := min(s.milliW*micros/3600, s.wanted-(s.register-s.begunAt)) // mW·µs/3600 = nWh
	s.register += moved
	m.Event, m.Transaction, m.PowerMilliW = telemetry.Periodic, s.transaction(), health.Known(s.milliW)
	m.StateOfCharge = health.Known(min(10_000, s.charge+(s.register-s.begunAt)/max(1, s.wanted/4500)))
	s.ending = s.register-s.begunAt >= s.wanted
}

func (s *PileStream) end(m *telemetry.Metering) {
	s.charging, s.ending = false, false
	wattHours := (s.register - s.begunAt) / 1_000_000_000
	m.Event, m.Transaction, m.PowerMilliW = telemetry.End, s.transaction(), health.Known(0)
	m.RevenueCents = health.Known(int64(math.Floor(float64(wattHours) * s.pile.centsPerKilowattHour / 1000)))
}
