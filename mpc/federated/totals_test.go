package federated

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// health makes batteries of one state of health, age 100 and value 1000.
func health(n int, x uint32) []Record {
	return slices.Repeat([]Record{{Lanes: []uint32{1, x, 100}, Value: 1000}}, n)
}

// TestTrapOwnCohortBelowTheMinimum: an owner with fewer batteries in the cohort
// than the minimum makes no part, however many it has outside.
func TestTrapOwnCohortBelowTheMinimum(t *testing.T) {
	p, err := NewPlan(asked(), 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	outside := health(1000, 7999)
	if _, err := p.Totals(fleet(append(health(49, 8000), outside...), nil)); !errors.Is(err, ErrTooFew) {
		t.Errorf("49 batteries: %v", err)
	}
	if _, err := p.Totals(fleet(nil, nil)); !errors.Is(err, ErrTooFew) {
		t.Errorf("no battery: %v", err)
	}
	if _, err := p.Totals(fleet(append(health(50, 8000), outside...), nil)); err != nil {
		t.Errorf("50 batteries: %v", err)
	}
}

// TestTrapAbsentSlotsCountForNothing: a slot without a record is all zeros, which a
// cohort from zero on would count.
func TestTrapAbsentSlotsCountForNothing(t *testing.T) {
	q := asked()
	q.Cohort.Lo[1], q.Population = 0, 60
	p, err := NewPlan(q, 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	slots := make([]Record, 1000)
	for i := range slots {
		slots[i].Lanes = make([]uint32, 3)
	}
	if _, err := p.Totals(fleet(slots, nil)); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	part, err := p.Totals(fleet(append(slots, health(60, 10)...), nil))
	if err != nil || part[p.count].Int64() != 60 {
		t.Errorf("%v, %v", part, err)
	}
}

func TestTotalsRefuse(t *testing.T) {
	p, err := NewPlan(asked(), 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		last       Record
	}{
		{"no lanes", "record 50: 0 lanes, want 3", Record{}},
		{"a lane too many", "4 lanes, want 3", Record{Lanes: []uint32{1, 8000, 1, 1}}},
		{"presence", "presence is neither", Record{Lanes: []uint32{2, 8000, 1}}},
		{"outside the schema", "lane state_of_health is outside the schema's bounds [0, 15000]", Record{Lanes: []uint32{1, 15001, 1}}},
		{"outside it elsewhere", "lane age_days is outside the schema's bounds [0, 36525]", Record{Lanes: []uint32{1, 1, 40000}}},
	} {
		_, err := p.Totals(fleet(append(health(50, 9000), c.last), nil))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "15001") || strings.Contains(err.Error(), "40000")) {
			t.Errorf("%s: the error tells a record: %v", c.name, err)
		}
	}
	if _, err := p.Totals(fleet(health(60, 9000), errEnd)); !errors.Is(err, errEnd) {
		t.Errorf("a failing iterator: %v", err)
	}
	q := asked()
	q.Population = 59
	if p, err = NewPlan(q, 3, moduli); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Totals(fleet(health(60, 7000), nil)); err == nil || !strings.Contains(err.Error(), "population, 59") {
		t.Errorf("more records than the population: %v", err)
	}
}

// TestConstantMemory: ten times the records take no more allocations.
func TestConstantMemory(t *testing.T) {
	p, err := NewPlan(asked(), 3, moduli)
	if err != nil {
		t.Fatal(err)
	}
	allocations := func(n int) float64 {
		records := health(n, 9000)
		return testing.AllocsPerRun(5, func() {
			if _, err := p.Totals(func(yield func(Record, error) bool) {
				for _, r := range records {
					if !yield(r, nil) {
						return
					}
				}
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocations(1000), allocations(10000); many > few {
		t.Errorf("%.0f allocations for 1000 records, %.0f for 10000", few, many)
	}
}
