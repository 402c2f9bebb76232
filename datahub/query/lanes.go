package query

import (
	"fmt"
	"maps"
	"slices"

	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/record"
)

// Lanes are all of a schema's but presence, in order, as an owner lets scores use them. steps has, for some lanes, the step in the lane's unit that a feature's bounds are
// multiples of, counted from the lane's least value: "5" for state_of_health admits 5, 10, 15 and so on. A lane without a step is only clipped at the schema's own bounds, which is to say not at all.
func Lanes(schema string, steps map[string]string) ([]score.Lane, error) {
	s, err := record.Lookup(schema)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		if i, ok := s.LaneIndex(name); !ok || i == record.Presence {
			return nil, fmt.Errorf("schema %s has no lane %.40q", schema, name)
		}
	}
	var out []score.Lane
	for _, l := range s.Lanes[record.Presence+1:] {
		lane := score.Lane{Name: l.Name, Low: l.Min, High: l.Max}
		if text, ok := steps[l.Name]; ok {
			// A step is a difference: it has no offset, and may be as wide as the lane.
			difference := record.Lane{Name: l.Name, Unit: l.Unit, Scale: l.Scale, Min: 1, Max: l.Max - l.Min}
			if lane.Narrowest, err = difference.Parse(text); err != nil {
				return nil, fmt.Errorf("step: %w", err)
			}
		}
		out = append(out, lane)
	}
	return out, nil
}
