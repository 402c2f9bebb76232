package policy

import "fmt"

// relation of two cohorts as boxes, whatever batteries lie in them.
type relation int

const (
	crossing relation = iota // they meet and neither holds the other, or they cannot be compared
	disjoint                 // in some lane their intervals do not meet
	same
	inside  // the first lies in the second
	outside // the second lies in the first
)

// relate compares two boxes lane by lane.
func relate(a, b Cohort) relation {
	if a.problem() != "" || b.problem() != "" || len(a.Lo) != len(b.Lo) {
		return crossing
	}
	aInB, bInA := true, true
	for i := range a.Lo {
		if a.Hi[i] < b.Lo[i] || b.Hi[i] < a.Lo[i] {
			return disjoint
		}
		aInB = aInB && b.Lo[i] <= a.Lo[i] && a.Hi[i] <= b.Hi[i]
		bInA = bInA && a.Lo[i] <= b.Lo[i] && b.Hi[i] <= a.Hi[i]
	}
	switch {
	case aInB && bInA:
		return same
	case aInB:
		return inside
	case bInA:
		return outside
	}
	return crossing
}

// problem says why a cohort is none. A box without lanes would hold all.
func (c *Cohort) problem() string {
	if len(c.Lo) == 0 || len(c.Lo) != len(c.Hi) {
		return fmt.Sprintf("has %d lower and %d upper bounds", len(c.Lo), len(c.Hi))
	}
	for i := range c.Lo {
		if c.Lo[i] > c.Hi[i] {
			return fmt.Sprintf("has bounds %d > %d in lane %d", c.Lo[i], c.Hi[i], i)
		}
	}
	return ""
}
