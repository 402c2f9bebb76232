package transcript

import (
	"fmt"
	"slices"
)

// EncodeActive writes the owners who are to open a sum, as the detail of an activation: their points in ascending order, a byte each.
func EncodeActive(r *Roster, active []string) ([]byte, error) {
	b := make([]byte, 0, len(active))
	for _, owner := range active {
		point := r.Point(owner)
		if point == 0 {
			return nil, fmt.Errorf("active: %s is no owner of the session", owner)
		}
		b = append(b, byte(point))
	}
	slices.Sort(b)
	_, err := ParseActive(r, b)
	return b, err
}

// ParseActive reads the detail of an activation: as many different owners as the threshold.
func ParseActive(r *Roster, b []byte) ([]string, error) {
	if len(b) != r.Threshold {
		return nil, fmt.Errorf("active: %d owners, want the threshold, %d", len(b), r.Threshold)
	}
	var active []string
	for i, point := range b {
		if int(point) < 1 || int(point) > len(r.Owners) || i > 0 && b[i-1] >= point {
			return nil, fmt.Errorf("active: point %d in place %d: want ascending points of 1 to %d", point, i, len(r.Owners))
		}
		active = append(active, r.Owners[point-1])
	}
	return active, nil
}
