package health

import (
	"fmt"
	"slices"

	"github.com/assay-net/assay/zk/record"
)

// Flags of a device's own record that are not the name of a lane.
const (
	// FlagNoReadings says that no record could be derived to compare with.
	FlagNoReadings = "no_readings"
	// FlagNotInSchema says that the device's own record is none of the schema. Its lanes are not compared.
	FlagNotInSchema = "not_in_schema"
)

// Bound says how far a lane of a device's own record may be from the derived one.
type Bound struct {
	// Units is the distance allowed in any case, in stored units of the lane, such as 0.01 %.
	Units uint32 `yaml:"units" json:"units"`
	// Permille is the distance allowed in thousandths of the derived value, if that is more.
	Permille uint32 `yaml:"permille" json:"permille"`
	// Above says that the device's own value may be above the derived one by any amount: it may know what was before the first reading.
	Above bool `yaml:"above" json:"above"`
}

// Bounds are the bounds of a schema's lanes by their names.
type Bounds map[string]Bound

// defaultBounds are in stored units. Why they are what they are:
//
//   - A device sees more than it sends. It samples every second or faster and sends every ten or thirty, rounded to what its protocol has room for:
//     GB/T 32960 has temperatures in whole degrees, cell voltages in mV, currents in 0.1 A. The bounds are about twice what that and the
//     accuracy of the sensors make of a value.
//   - state_of_health and remaining_capacity_mAh: 5 %, the tolerance that UN GTR No. 22 allows a vehicle's own monitor of its battery.
//   - voltage_spread_mV: 20 mV, because the two are hardly taken at the same moment of rest.
//   - peak_temperature: 3 °C: sensors within 1 °C, rounding to a degree, and a peak between two readings.
//   - energy, revenue and uptime: 1 %, the error of a class B meter, and room for what lies between the last reading of one epoch and the first of
//     the next; a session may end there, so sessions may differ by one, and with it its bill by 1 000.00.
//   - peak_power_W: 5 % and at least 1 kW, because the peak may lie between two readings, by which the device's own may be far higher still.
//   - What is counted since new may be above the derived value by any amount, which begins with the first reading. Below it the device forgot
//     something: a day of age for the moment of the cut, a full cycle and 2 % for the current's rounding, a fault for one that is only the
//     derivation's, such as a temperature above the bound.
var defaultBounds = map[string]Bounds{
	"battery/v1": {
		"state_of_health":        {Units: 500},
		"equivalent_full_cycles": {Units: 10, Permille: 20, Above: true},
		"age_days":               {Units: 1, Above: true},
		"remaining_capacity_mAh": {Units: 50, Permille: 50},
		"voltage_spread_mV":      {Units: 20},
		"peak_temperature":       {Units: 30},
		"fault_count":            {Units: 1, Above: true},
	},
	"charger/v1": {
		"energy_Wh":      {Units: 2_000, Permille: 10},
		"sessions":       {Units: 1},
		"revenue":        {Units: 100_000, Permille: 10},
		"uptime_minutes": {Units: 30, Permille: 10},
		"peak_power_W":   {Units: 1_000, Permille: 50, Above: true},
		"faults":         {Units: 1, Above: true},
		"age_days":       {Units: 1, Above: true},
	},
}

// DefaultBounds are the bounds used for the lanes of a schema that are not given any. It is nil for a schema without.
func DefaultBounds(schema *record.Schema) Bounds {
	bounds, ok := defaultBounds[schema.Name]
	if !ok {
		return nil
	}
	own := Bounds{}
	for name, b := range bounds {
		own[name] = b
	}
	return own
}

// Check says which name is none of a lane that a bound can be set for.
func (b Bounds) Check(schema *record.Schema) error {
	for name := range b {
		if i, ok := schema.LaneIndex(name); !ok || i == record.Presence {
			return fmt.Errorf("bound of %q: schema %s has no such lane", name, schema.Name)
		}
	}
	return nil
}

// Compare says where a device's own record disagrees with the one derived from its readings: the names of the lanes that are further
// apart than their bounds, in the order of the schema; none if they agree. An absent derived record means that there is none. Lanes without a bound
// take the default one, and in a schema without defaults must be equal.
func Compare(own, derived record.Record, schema *record.Schema, bounds Bounds) []string {
	switch {
	case schema.Check(own) != nil:
		return []string{FlagNotInSchema}
	case derived.Absent():
		return []string{FlagNoReadings}
	}
	var flags []string
	for i := record.Presence + 1; i < record.Lanes; i++ {
		name := schema.Lanes[i].Name
		bound, ok := bounds[name]
		if !ok {
			bound = defaultBounds[schema.Name][name]
		}
		if bound.exceeded(own[i], derived[i]) {
			flags = append(flags, name)
		}
	}
	return slices.Clip(flags)
}

func (b Bound) exceeded(own, derived uint32) bool {
	if own >= derived && b.Above {
		return false
	}
	distance := uint64(max(own, derived) - min(own, derived))
	return distance > max(uint64(b.Units), uint64(derived)*uint64(b.Permille)/1000)
}
