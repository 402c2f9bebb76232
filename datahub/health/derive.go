package health

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/assay-net/assay/zk/record"
)

// Health is a record with what it was derived from.
type Health struct {
	Record  record.Record
	Details Details
}

// Details say where a record comes from, in exact or finely rounded units. They are as secret as the record.
type Details struct {
	// Formulas is the version of the formulas.
	Formulas string `json:"formulas"`
	// CapacityMicroAh is the measured capacity, rounded half up.
	CapacityMicroAh int64 `json:"capacity_uAh"`
	// MeanMicroA is the mean current of the discharge that measured it; 0 where the data holds only its result.
	MeanMicroA int64 `json:"mean_current_uA,omitempty"`
	// FirstLine and LastLine are where that discharge is found in the data.
	FirstLine int `json:"first_line"`
	LastLine  int `json:"last_line"`
	// LowMicroV and HighMicroV are the voltage window, WindowStated whether it was stated rather than inferred.
	LowMicroV    int64 `json:"window_low_uV,omitempty"`
	HighMicroV   int64 `json:"window_high_uV,omitempty"`
	WindowStated bool  `json:"window_stated,omitempty"`
	// ChargedMicroAh and DischargedMicroAh are the throughput that equivalent full cycles come from.
	ChargedMicroAh    int64 `json:"charged_uAh"`
	DischargedMicroAh int64 `json:"discharged_uAh"`
	// Readings is how many readings, or cycles, were used.
	Readings int `json:"readings"`
}

// halfPicocoulombs converts µAh: 1 µAh is 3600 µA·s, 3.6·10⁹ pC.
func halfPicocoulombs(microAh int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(microAh), big.NewInt(7_200_000_000))
}

// ratio is v·scale/by, rounded half up, for v ≥ 0.
func ratio(v *big.Int, scale int64, by *big.Int) *big.Int {
	q := new(big.Int).Mul(v, big.NewInt(2*scale))
	q.Add(q, by)
	return q.Quo(q, new(big.Int).Lsh(by, 1))
}

// lanes are the exact values that a record is rounded from.
type lanes struct {
	capacity, throughput *big.Int // half picocoulombs; throughput is charge in plus charge out
	ageMicros            int64
	spreadMicroV         int64
	peakMilliC           int64
	faults               uint32
}

// record rounds each lane once and checks the result against the schema.
func (l lanes) record(ratedMicroAh int64) (record.Record, error) {
	rated := halfPicocoulombs(ratedMicroAh)
	return laneRecord("battery/v1", map[string]*big.Int{
		"state_of_health":        ratio(l.capacity, 10_000, rated),
		"equivalent_full_cycles": ratio(l.throughput, 10, new(big.Int).Lsh(rated, 1)),
		"age_days":               big.NewInt(l.ageMicros / dayMicros),
		"remaining_capacity_mAh": ratio(l.capacity, 1, halfPicocoulombs(1000)),
		"voltage_spread_mV":      ratio(big.NewInt(l.spreadMicroV), 1, big.NewInt(1000)),
		"peak_temperature":       ratio(big.NewInt(l.peakMilliC-minTemperature), 1, big.NewInt(100)),
		"fault_count":            big.NewInt(int64(l.faults)),
	})
}

// laneRecord makes a record of rounded values and checks it against its schema.
func laneRecord(schemaName string, values map[string]*big.Int) (record.Record, error) {
	schema, err := record.Lookup(schemaName)
	if err != nil {
		return record.Record{}, err
	}
	r := record.Record{record.Presence: 1}
	for name, v := range values {
		i, ok := schema.LaneIndex(name)
		if !ok {
			return record.Record{}, fmt.Errorf("schema %s has no lane %s", schema.Name, name)
		}
		if !v.IsUint64() || v.Uint64() > uint64(schema.Lanes[i].Max) {
			return record.Record{}, fmt.Errorf("lane %s: stored value %s is above %d", name, v, schema.Lanes[i].Max)
		}
		r[i] = uint32(v.Uint64())
	}
	return r, schema.Check(r)
}

// figures are what the record of an epoch is derived from, as they were at the epoch's end.
type figures struct {
	epoch               epoch
	measured            bool
	measure             discharge
	charged, discharged charge
	ageMicros           int64
	faults              uint32
	lowMicroV           int64
	highMicroV          int64
	used                int
}

// Record derives the record of the current epoch from the readings so far. The error says what is missing for one.
func (a *Accumulator) Record() (Health, error) {
	f, err := a.figures()
	if err != nil {
		return Health{}, fmt.Errorf("no capacity: %w", err)
	}
	return f.health(a.battery)
}

// figures are complete but for the capacity if there is an error.
func (a *Accumulator) figures() (figures, error) {
	f := figures{
		epoch: a.epoch, charged: a.charged, discharged: a.discharged, ageMicros: a.ageMicros(), faults: a.faults, used: a.used,
	}
	f.lowMicroV, f.highMicroV = a.window()
	d, err := a.measuring()
	if err == nil {
		f.measured, f.measure = true, *d
	}
	return f, err
}

func (f *figures) health(b Battery) (Health, error) {
	if !f.epoch.peakMilliC.Known {
		return Health{}, errors.New("no peak temperature: no reading of the epoch carries a temperature")
	}
	throughput := f.charged.big()
	r, err := lanes{
		capacity:     f.measure.delivered.big(),
		throughput:   throughput.Add(throughput, f.discharged.big()),
		ageMicros:    f.ageMicros,
		spreadMicroV: f.epoch.spread(),
		peakMilliC:   f.epoch.peakMilliC.Value,
		faults:       f.faults,
	}.record(b.RatedMicroAh)
	if err != nil {
		return Health{}, err
	}
	return Health{Record: r, Details: f.details(b)}, nil
}

func (a *Accumulator) ageMicros() int64 {
	if a.firstWall.Known && a.lastWall.Value >= a.firstWall.Value {
		return a.lastWall.Value - a.firstWall.Value
	}
	return a.elapsedMicros
}

func (f *figures) details(b Battery) Details {
	microAh := func(c charge) int64 { return ratio(c.big(), 1, halfPicocoulombs(1)).Int64() }
	return Details{
		Formulas:          Formulas,
		CapacityMicroAh:   microAh(f.measure.delivered),
		MeanMicroA:        f.measure.meanMicroA(),
		FirstLine:         f.measure.firstLine,
		LastLine:          f.measure.lastLine,
		LowMicroV:         f.lowMicroV,
		HighMicroV:        f.highMicroV,
		WindowStated:      b.windowStated(),
		ChargedMicroAh:    microAh(f.charged),
		DischargedMicroAh: microAh(f.discharged),
		Readings:          f.used,
	}
}
