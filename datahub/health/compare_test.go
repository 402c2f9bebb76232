package health_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

func schemaOf(t *testing.T, name string) *record.Schema {
	t.Helper()
	s, err := record.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCompare(t *testing.T) {
	battery := record.Record{1, 9000, 4000, 700, 9000, 30, 655, 5}
	charger := record.Record{1, 500_000, 40, 900_000, 1400, 60_000, 3, 200}
	for _, test := range []struct {
		name         string
		schema       string
		own, derived record.Record
		bounds       health.Bounds
		want         []string
	}{
		{"the same", "battery/v1", battery, battery, nil, nil},
		{"at the bounds below", "battery/v1", record.Record{1, 8500, 3920, 699, 8550, 10, 625, 4}, battery, nil, nil},
		{"at the bounds above", "battery/v1", record.Record{1, 9500, 9000, 3000, 9450, 50, 685, 500}, battery, nil, nil},
		{"beyond them below", "battery/v1", record.Record{1, 8499, 3919, 698, 8549, 9, 624, 3}, battery, nil,
			[]string{"state_of_health", "equivalent_full_cycles", "age_days", "remaining_capacity_mAh", "voltage_spread_mV", "peak_temperature", "fault_count"}},
		{"beyond them above", "battery/v1", record.Record{1, 9501, 4000, 700, 9451, 51, 686, 5}, battery, nil,
			[]string{"state_of_health", "remaining_capacity_mAh", "voltage_spread_mV", "peak_temperature"}},
		{"other bounds", "battery/v1", record.Record{1, 9011, 4000, 700, 9000, 30, 686, 500}, battery,
			health.Bounds{"state_of_health": {Units: 10}, "peak_temperature": {Units: 31}, "fault_count": {Permille: 1000}}, []string{"state_of_health", "fault_count"}},
		{"a pile at the bounds", "charger/v1", record.Record{1, 495_000, 41, 1_000_000, 1370, 57_000, 2, 199}, charger, nil, nil},
		{"a pile beyond them", "charger/v1", record.Record{1, 505_001, 38, 799_999, 1431, 56_999, 1, 198}, charger, nil,
			[]string{"energy_Wh", "sessions", "revenue", "uptime_minutes", "peak_power_W", "faults", "age_days"}},
		{"nothing derived", "battery/v1", battery, record.Record{}, nil, []string{health.FlagNoReadings}},
		{"absent", "battery/v1", record.Record{}, battery, nil, []string{health.FlagNotInSchema}},
		{"none of the schema", "battery/v1", record.Record{1, 15_001}, battery, nil, []string{health.FlagNotInSchema}},
	} {
		t.Run(test.name, func(t *testing.T) {
			schema := schemaOf(t, test.schema)
			if diff := cmp.Diff(test.want, health.Compare(test.own, test.derived, schema, test.bounds)); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

// Every lane of every schema has a bound that is said why.
func TestDefaultBounds(t *testing.T) {
	for _, schema := range record.Schemas() {
		bounds := health.DefaultBounds(schema)
		if err := bounds.Check(schema); err != nil || len(bounds) != record.Lanes-1 {
			t.Errorf("%s: %d bounds, %v", schema.Name, len(bounds), err)
		}
		bounds["sessions"], bounds["fault_count"] = health.Bound{}, health.Bound{}
		if err := bounds.Check(schema); err == nil || !strings.Contains(err.Error(), "no such lane") {
			t.Errorf("%s: a bound of another schema's lane: %v", schema.Name, err)
		}
		if again := health.DefaultBounds(schema); len(again) != record.Lanes-1 {
			t.Errorf("%s: the defaults have changed", schema.Name)
		}
	}
}
