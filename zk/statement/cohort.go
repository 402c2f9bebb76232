package statement

import (
	"fmt"

	"github.com/assay-net/assay/zk/record"
)

// Range keeps a lane between two bounds, both included, as decimal text in the
// lane's unit. An empty bound is the schema's.
type Range struct {
	Lane string `json:"lane"`
	Min  string `json:"min,omitempty"`
	Max  string `json:"max,omitempty"`
}

// Bounds is a closed interval for each lane in stored units. Index 0 is unused.
type Bounds struct {
	Lo, Hi [record.Lanes]uint32
}

func checkCohort(schema *record.Schema, cohort []Range) error {
	_, err := cohortBounds(schema, cohort)
	return err
}

// cohortBounds starts from the schema's bounds, so that no lane is ever
// unbounded, and narrows them. It never widens and never leaves lo > hi: the
// circuit reads an inverted interval as impossible, which no one may rely on.
func cohortBounds(schema *record.Schema, cohort []Range) (Bounds, error) {
	var b Bounds
	for i := 1; i < record.Lanes; i++ {
		b.Lo[i], b.Hi[i] = schema.Lanes[i].Min, schema.Lanes[i].Max
	}
	if len(cohort) > record.Lanes-1 {
		return b, fmt.Errorf("statement: cohort has %d ranges, at most %d", len(cohort), record.Lanes-1)
	}
	seen := [record.Lanes]bool{}
	for _, r := range cohort {
		i, ok := schema.LaneIndex(r.Lane)
		if !ok || i == 0 {
			return b, fmt.Errorf("statement: cohort: schema %s has no lane %q", schema.Name, r.Lane)
		}
		if seen[i] {
			return b, fmt.Errorf("statement: cohort: lane %q is listed twice", r.Lane)
		}
		if r.Min == "" && r.Max == "" {
			return b, fmt.Errorf("statement: cohort: %s has neither min nor max", r.Lane)
		}
		seen[i] = true
		if err := narrow(&b, schema.Lanes[i], i, r); err != nil {
			return b, err
		}
	}
	return b, nil
}

func narrow(b *Bounds, lane record.Lane, i int, r Range) error {
	for _, side := range []struct {
		name, text string
		into       *uint32
	}{{"min", r.Min, &b.Lo[i]}, {"max", r.Max, &b.Hi[i]}} {
		if side.text == "" {
			continue
		}
		v, err := lane.Parse(side.text)
		if err != nil {
			return fmt.Errorf("statement: cohort: %s %s: %w", r.Lane, side.name, err)
		}
		*side.into = v
	}
	if b.Lo[i] > b.Hi[i] {
		return fmt.Errorf("statement: cohort: %s min %s is above max %s", r.Lane, lane.Format(b.Lo[i]), lane.Format(b.Hi[i]))
	}
	return nil
}

// Contains reports whether a present record lies inside every bound.
func (b *Bounds) Contains(r record.Record) bool {
	if r[0] != 1 {
		return false
	}
	for i := 1; i < record.Lanes; i++ {
		if r[i] < b.Lo[i] || r[i] > b.Hi[i] {
			return false
		}
	}
	return true
}
