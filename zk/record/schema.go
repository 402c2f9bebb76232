package record

import "fmt"

// Lane describes one lane of a schema.
type Lane struct {
	// Name is how statements and JSON refer to the lane. It is unique within its schema.
	Name string
	// Unit is the physical unit of the text that Format writes and Parse reads.
	Unit string
	// Description says what is measured, in one sentence.
	Description string
	// Scale is the number of decimal places kept, and Offset is added before scaling so that stored values are never
	// negative: stored = (physical + Offset) × 10^Scale.
	Scale, Offset int
	// Min and Max bound the stored value, inclusive.
	Min, Max uint32
}

// Schema gives the lanes of a record their meaning. Index 0 is presence in every schema.
type Schema struct {
	Name, Title string
	Lanes       [Lanes]Lane
}

var presence = Lane{Name: "presence", Description: "1 when the device reported in this epoch", Max: 1}

var batteryV1 = Schema{
	Name:  "battery/v1",
	Title: "Health of a traction or swap battery pack",
	Lanes: [Lanes]Lane{
		presence,
		{Name: "state_of_health", Unit: "%", Scale: 2, Max: 15_000,
			Description: "remaining capacity over rated capacity"},
		{Name: "equivalent_full_cycles", Unit: "cycles", Scale: 1, Max: 1_000_000,
			Description: "charge discharged since new, over rated capacity"},
		{Name: "age_days", Unit: "days", Max: 36_525,
			Description: "days since the pack was put into service"},
		{Name: "remaining_capacity_mAh", Unit: "mAh", Max: 1_048_575,
			Description: "charge that a full discharge delivers today"},
		{Name: "voltage_spread_mV", Unit: "mV", Max: 10_000,
			Description: "highest less lowest cell voltage at rest"},
		{Name: "peak_temperature", Unit: "°C", Scale: 1, Offset: 40, Max: 2_400,
			Description: "highest cell temperature seen during the epoch"},
		{Name: "fault_count", Unit: "faults", Max: 65_535,
			Description: "faults recorded by the battery management system since new"},
	},
}

var chargerV1 = Schema{
	Name:  "charger/v1",
	Title: "Business and condition of a charging pile",
	Lanes: [Lanes]Lane{
		presence,
		{Name: "energy_Wh", Unit: "Wh", Max: 1_000_000_000,
			Description: "energy delivered during the epoch"},
		{Name: "sessions", Unit: "sessions", Max: 1_000_000,
			Description: "charging sessions ended during the epoch"},
		{Name: "revenue", Unit: "currency", Scale: 2, Max: 1_000_000_000,
			Description: "amount billed during the epoch"},
		{Name: "uptime_minutes", Unit: "minutes", Max: 600_000,
			Description: "minutes able to charge during the epoch"},
		{Name: "peak_power_W", Unit: "W", Max: 10_000_000,
			Description: "highest power delivered during the epoch"},
		{Name: "faults", Unit: "faults", Max: 65_535,
			Description: "faults recorded since new"},
		{Name: "age_days", Unit: "days", Max: 36_525,
			Description: "days since the pile was put into service"},
	},
}

// Schemas lists the known schemas, ordered by name. They are shared: do not change them.
func Schemas() []*Schema { return []*Schema{&batteryV1, &chargerV1} }

// Lookup finds a schema by its exact name, such as "battery/v1".
func Lookup(name string) (*Schema, error) {
	for _, s := range Schemas() {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("schema %q is not known", name)
}

// LaneIndex finds a lane by its name. The presence lane is found like any other.
func (s *Schema) LaneIndex(name string) (int, bool) {
	for i := range s.Lanes {
		if s.Lanes[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

// Check accepts a record that a device may commit to: presence is 1 and every lane lies within its bounds. Whoever
// reads the error learns the value of one lane, so it is for the owner and the device only.
func (s *Schema) Check(r Record) error {
	if r[Presence] != 1 {
		return fmt.Errorf("schema %s: lane presence: %d, must be 1", s.Name, r[Presence])
	}
	for i := 1; i < Lanes; i++ {
		if l := s.Lanes[i]; r[i] < l.Min || r[i] > l.Max {
			return fmt.Errorf("schema %s: lane %s: stored value %d is outside [%d, %d]", s.Name, l.Name, r[i], l.Min, l.Max)
		}
	}
	return nil
}
