package simulate

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/record"
)

var schemas = []string{"battery/v1", "charger/v1"}

func newFleet(t testing.TB, seed uint64, schema string, n int) *Fleet {
	t.Helper()
	f, err := New(seed, schema, n)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func advance(t testing.TB, f *Fleet, days int) {
	t.Helper()
	if err := f.Advance(days); err != nil {
		t.Fatal(err)
	}
}

func TestEveryRecordIsAbsentOrWithinItsSchema(t *testing.T) {
	for _, schema := range schemas {
		f := newFleet(t, 1, schema, 500)
		for _, days := range []int{1, 30, 7, 366, 366, 366, 366, 91} {
			for i, r := range f.Records() {
				if err := f.Schema().Check(r); err != nil && !r.Absent() {
					t.Fatalf("device %d after %d days: %v", i, f.day, err)
				}
			}
			advance(t, f, days)
		}
	}
}

// A century takes every counter to its bound.
func TestRecordsSaturate(t *testing.T) {
	for _, schema := range schemas {
		f := newFleet(t, 2, schema, 20)
		for range 101 {
			advance(t, f, 366)
		}
		age, _ := f.Schema().LaneIndex("age_days")
		for i, r := range f.Records() {
			if r.Absent() {
				continue
			}
			if err := f.Schema().Check(r); err != nil {
				t.Errorf("device %d: %v", i, err)
			}
			if r[age] != 36_525 {
				t.Errorf("device %d is %d days old after a century", i, r[age])
			}
		}
	}
}

func TestCountersNeverFallAndCapacityNeverRises(t *testing.T) {
	rising := map[string][]string{
		"battery/v1": {"equivalent_full_cycles", "age_days", "fault_count"},
		"charger/v1": {"age_days", "faults"},
	}
	falling := map[string][]string{"battery/v1": {"state_of_health", "remaining_capacity_mAh"}}
	for _, schema := range schemas {
		f := newFleet(t, 3, schema, 300)
		last := map[int]record.Record{}
		for range 20 {
			for i, r := range f.Records() {
				before, seen := last[i]
				if r.Absent() {
					continue
				}
				for _, name := range rising[schema] {
					if lane, ok := f.Schema().LaneIndex(name); !ok || seen && r[lane] < before[lane] {
						t.Fatalf("device %d: %s fell from %d to %d", i, name, before[lane], r[lane])
					}
				}
				for _, name := range falling[schema] {
					if lane, ok := f.Schema().LaneIndex(name); !ok || seen && r[lane] > before[lane] {
						t.Fatalf("device %d: %s rose from %d to %d", i, name, before[lane], r[lane])
					}
				}
				last[i] = r
			}
			advance(t, f, 45)
		}
	}
}

func TestTheSameSeedGivesTheSameFleet(t *testing.T) {
	for _, schema := range schemas {
		a, b, other := newFleet(t, 9, schema, 100), newFleet(t, 9, schema, 150), newFleet(t, 10, schema, 100)
		for range 3 {
			if diff := cmp.Diff(a.Records(), b.Records()[:100]); diff != "" {
				t.Fatalf("%s: one seed gave two fleets, or a device depends on the fleet's size: %s", schema, diff)
			}
			if slices.Equal(a.Records(), other.Records()) {
				t.Fatalf("%s: two seeds gave one fleet", schema)
			}
			advance(t, a, 30)
			advance(t, b, 30)
			advance(t, other, 30)
		}
		if diff := cmp.Diff(a.Records(), a.Records()); diff != "" {
			t.Errorf("%s: asking twice gave two answers", schema)
		}
	}
}

func TestSomeDoNotReportAndAFewNeverDo(t *testing.T) {
	const n, periods = 4000, 10
	f := newFleet(t, 4, "battery/v1", n)
	silent, never := 0, make([]int, n)
	for range periods {
		for i, r := range f.Records() {
			if r.Absent() {
				silent++
				never[i]++
			}
		}
		advance(t, f, 7)
	}
	if share := float64(silent) / (n * periods); share < 0.025 || share > 0.05 {
		t.Errorf("%.3f of the records are absent, want about 0.035", share)
	}
	forever := 0
	for _, count := range never {
		if count == periods {
			forever++
		}
	}
	if forever < 8 || forever > 40 {
		t.Errorf("%d of %d devices never report, want about 20", forever, n)
	}
}

func TestNewAndAdvanceRefuse(t *testing.T) {
	for _, n := range []int{-1, MaxDevices + 1} {
		if _, err := New(1, "battery/v1", n); err == nil {
			t.Errorf("a fleet of %d was made", n)
		}
	}
	if _, err := New(1, "battery/v2", 1); err == nil {
		t.Error("an unknown schema was simulated")
	}
	f := newFleet(t, 1, "battery/v1", 0)
	for _, days := range []int{-1, 0, MaxDays + 1} {
		if err := f.Advance(days); err == nil {
			t.Errorf("advanced by %d days", days)
		}
	}
	if f.Len() != 0 || len(f.Records()) != 0 {
		t.Error("an empty fleet has devices")
	}
}

func BenchmarkNewFleet(b *testing.B) {
	for range b.N {
		newFleet(b, 1, "battery/v1", 20_000)
	}
}
