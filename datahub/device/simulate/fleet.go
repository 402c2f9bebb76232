package simulate

import (
	"fmt"
	"math/rand/v2"

	"github.com/assay-net/assay/zk/record"
)

const (
	// MaxDevices bounds a fleet, MaxDays one advance: a year.
	MaxDevices = 20_000_000
	MaxDays    = 366

	silentInAPeriod = 0.03
	silentForever   = 0.005
)

// Fleet is a fleet of simulated devices of one schema. It is not safe for concurrent use.
type Fleet struct {
	schema  *record.Schema
	day     int
	devices []device
}

// device is one simulated device: where its randomness stands, whether it reports, and its physics.
type device struct {
	source  rand.PCG
	silent  bool // never reports
	reports bool // in this period
	physics physics
}

// physics is what differs between a battery and a pile.
type physics interface {
	// advance lets days pass, of which the first is day of the fleet's calendar.
	advance(random *rand.Rand, day, days int)
	// record states the lanes; presence is the caller's.
	record() record.Record
}

// New makes a fleet of n devices under "battery/v1" or "charger/v1". They have been in service for different times
// already. The first period is the 30 days before day 0.
func New(seed uint64, schema string, n int) (*Fleet, error) {
	s, err := record.Lookup(schema)
	if err != nil {
		return nil, fmt.Errorf("simulating a fleet: %w", err)
	}
	if n < 0 || n > MaxDevices {
		return nil, fmt.Errorf("simulating a fleet of %d devices: must be 0 to %d", n, MaxDevices)
	}
	newPhysics := newBattery
	if s.Name == "charger/v1" {
		newPhysics = newPile
	}
	f := &Fleet{schema: s, devices: make([]device, n)}
	for i := range f.devices {
		d := &f.devices[i]
		d.source = *rand.NewPCG(seed, uint64(i))
		random := rand.New(&d.source)
		d.silent = random.Float64() < silentForever
		d.physics = newPhysics(random)
		d.reports = !d.silent && random.Float64() >= silentInAPeriod
	}
	return f, nil
}

// Schema is the schema of the fleet's records.
func (f *Fleet) Schema() *record.Schema { return f.schema }

// Len is the number of devices.
func (f *Fleet) Len() int { return len(f.devices) }

// Advance lets 1 to MaxDays days pass: the period that the next Records are about. Two advances of 15 days draw other
// chances than one of 30.
func (f *Fleet) Advance(days int) error {
	if days < 1 || days > MaxDays {
		return fmt.Errorf("advancing by %d days: must be 1 to %d", days, MaxDays)
	}
	for i := range f.devices {
		d := &f.devices[i]
		random := rand.New(&d.source)
		d.physics.advance(random, f.day, days)
		d.reports = !d.silent && random.Float64() >= silentInAPeriod
	}
	f.day += days
	return nil
}

// Records returns one record per device for the last period, in the order of the devices. That of a device which did
// not report is absent. Asking twice gives the same records.
func (f *Fleet) Records() []record.Record {
	out := make([]record.Record, len(f.devices))
	for i := range f.devices {
		if d := &f.devices[i]; d.reports {
			out[i] = f.within(d.physics.record())
		}
	}
	return out
}

// within saturates every lane at its bounds, as a device's registers do, and sets presence.
func (f *Fleet) within(r record.Record) record.Record {
	for i, l := range f.schema.Lanes {
		r[i] = max(l.Min, min(l.Max, r[i]))
	}
	r[record.Presence] = 1
	return r
}
