package health

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

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
	values := map[string]*big.Int{
		"state_of_health":        ratio(l.capacity, 10_000, rated),
		"equivalent_full_cycles": ratio(l.throughput, 10, new(big.Int).Lsh(rated, 1)),
		"age_days":               big.NewInt(l.ageMicros / dayMicros),
		"remaining_capacity_mAh": ratio(l.capacity, 1, halfPicocoulombs(1000)),
		"voltage_spread_mV":      ratio(big.NewInt(l.spreadMicroV), 1, big.NewInt(1000)),
		"peak_temperature":       ratio(big.NewInt(l.peakMilliC-minTemperature), 1, big.NewInt(100)),
		"fault_count":            big.NewInt(int64(l.faults)),
	}
	schema, err := record.Lookup("battery/v1")
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

// Record derives the record of the current epoch from the readings so far. The error says what is missing for one.
func (a *Accumulator) Record() (Health, error) {
	d, err := a.measuring()
	if err != nil {
		return Health{}, fmt.Errorf("no capacity: %w", err)
	}
	if !a.epoch.peakMilliC.Known {
		return Health{}, errors.New("no peak temperature: no reading of the epoch carries a temperature")
	}
	spread := a.epoch.spreadMicroV
	if a.epoch.spreadRestMicroV.Known {
		spread = a.epoch.spreadRestMicroV
	}
	r, err := lanes{
		capacity:     &d.half,
		throughput:   new(big.Int).Add(&a.charged, &a.discharged),
		ageMicros:    a.ageMicros(),
		spreadMicroV: spread.Value,
		peakMilliC:   a.epoch.peakMilliC.Value,
		faults:       a.faults,
	}.record(a.battery.RatedMicroAh)
	if err != nil {
		return Health{}, err
	}
	return Health{Record: r, Details: a.details(d)}, nil
}

func (a *Accumulator) ageMicros() int64 {
	if a.firstWall.Known && a.lastWall.Value >= a.firstWall.Value {
		return a.lastWall.Value - a.firstWall.Value
	}
	return a.elapsedMicros
}

func (a *Accumulator) details(d *discharge) Details {
	microAh := func(half *big.Int) int64 { return ratio(half, 1, halfPicocoulombs(1)).Int64() }
	low, high := a.window()
	return Details{
		Formulas:          Formulas,
		CapacityMicroAh:   microAh(&d.half),
		MeanMicroA:        d.meanMicroA(),
		FirstLine:         d.firstLine,
		LastLine:          d.lastLine,
		LowMicroV:         low,
		HighMicroV:        high,
		WindowStated:      a.battery.windowStated(),
		ChargedMicroAh:    microAh(&a.charged),
		DischargedMicroAh: microAh(&a.discharged),
		Readings:          a.used,
	}
}

func noMeasure(seen int, reasons []string) error {
	if seen == 0 {
		return errors.New("no discharge was seen")
	}
	return fmt.Errorf("none of %d discharges measures it (%s)", seen, strings.Join(reasons, "; "))
}
