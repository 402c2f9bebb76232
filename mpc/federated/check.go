package federated

import (
	"encoding/hex"
	"fmt"
	"slices"
)

// Check reports the first field that is missing or out of bounds. Whether the
// totals fit the encryption is [NewPlan]'s to say.
func (q *Query) Check() error {
	switch {
	case q.Version != Version:
		return fmt.Errorf("query: version is %.64q, want %q", q.Version, Version)
	case q.Context != "" && !isDigest(q.Context):
		return fmt.Errorf("query: context is not 32 bytes in lower-case hex")
	case q.Population < 1 || q.Population > MaxPopulation:
		return fmt.Errorf("query: population is %d, want 1 to %d", q.Population, uint64(MaxPopulation))
	case q.Minimum < 1 || q.Minimum > q.Population:
		return fmt.Errorf("query: minimum_cohort is %d, want 1 to the population, %d", q.Minimum, q.Population)
	}
	for _, check := range []func() error{q.checkLanes, q.checkCohort, q.checkValuation, q.checkFigures} {
		if err := check(); err != nil {
			return err
		}
	}
	if q.Privacy != nil {
		if err := q.Privacy.Check(); err != nil {
			return fmt.Errorf("query: %w", err)
		}
	}
	return nil
}

func (q *Query) checkLanes() error {
	if !isName(q.Schema) {
		return fmt.Errorf("query: schema is not a name of 1 to %d characters", MaxName)
	}
	if len(q.Lanes) < 2 || len(q.Lanes) > MaxLanes {
		return fmt.Errorf("query: %d lanes, want 2 to %d", len(q.Lanes), MaxLanes)
	}
	if q.Lanes[0] != Presence {
		return fmt.Errorf("query: lane 0 must be %q with bounds 0 and 1", Presence.Name)
	}
	seen := map[string]bool{Value: true}
	for i, l := range q.Lanes {
		switch {
		case !isName(l.Name):
			return fmt.Errorf("query: lane %d has no name of 1 to %d characters", i, MaxName)
		case seen[l.Name]:
			return fmt.Errorf("query: lane %d: the name %q is taken", i, l.Name)
		case l.Min > l.Max:
			return fmt.Errorf("query: lane %s: min %d is above max %d", l.Name, l.Min, l.Max)
		}
		seen[l.Name] = true
	}
	return nil
}

func (q *Query) checkCohort() error {
	c := q.Cohort
	if len(c.Lo) != len(q.Lanes) || len(c.Hi) != len(q.Lanes) {
		return fmt.Errorf("query: cohort has %d and %d bounds, want %d each", len(c.Lo), len(c.Hi), len(q.Lanes))
	}
	if c.Lo[0] != 0 || c.Hi[0] != 0 {
		return fmt.Errorf("query: cohort: bounds of lane 0 are not used and must be 0")
	}
	for i, l := range q.Lanes[1:] {
		if lo, hi := c.Lo[i+1], c.Hi[i+1]; lo < l.Min || hi > l.Max || lo > hi {
			return fmt.Errorf("query: cohort: lane %s: [%d, %d] is not an interval within [%d, %d]", l.Name, lo, hi, l.Min, l.Max)
		}
	}
	return nil
}

func (q *Query) checkValuation() error {
	v := q.Valuation
	if v == nil {
		return nil
	}
	if !isDigest(v.Model) {
		return fmt.Errorf("query: valuation: model is not 32 bytes in lower-case hex")
	}
	if v.Max < 1 || v.Max > MaxValue {
		return fmt.Errorf("query: valuation: max is %d, want 1 to %d", v.Max, uint64(MaxValue))
	}
	return nil
}

func (q *Query) checkFigures() error {
	if len(q.Figures) < 1 || len(q.Figures) > MaxFigures {
		return fmt.Errorf("query: %d figures, want 1 to %d", len(q.Figures), MaxFigures)
	}
	valued := false
	for i, f := range q.Figures {
		if err := q.checkFigure(f); err != nil {
			return fmt.Errorf("query: figure %d: %w", i, err)
		}
		for j, o := range q.Figures[:i] {
			if o.Kind == f.Kind && o.Of == f.Of && slices.Equal(o.Edges, f.Edges) {
				return fmt.Errorf("query: figure %d is figure %d again", i, j)
			}
		}
		valued = valued || f.Of == Value
	}
	if q.Valuation != nil && !valued {
		return fmt.Errorf("query: valuation: no figure is of %q", Value)
	}
	return nil
}

func (q *Query) checkFigure(f Figure) error {
	switch f.Kind {
	case Count:
		if f.Of != "" || len(f.Edges) > 0 {
			return fmt.Errorf("a count is of nothing and has no edges")
		}
		return nil
	case Sum, Mean, Variance, Histogram:
	default:
		return fmt.Errorf("kind %.64q is not known", f.Kind)
	}
	s, err := q.quantity(f.Of)
	if err != nil {
		return err
	}
	if f.Kind != Histogram {
		if len(f.Edges) > 0 {
			return fmt.Errorf("a %s has no edges", f.Kind)
		}
		return nil
	}
	return s.checkEdges(f.Edges)
}

// quantity is what a figure is of, with its bounds in the cohort.
type quantity struct {
	name   string
	lane   int // 0 is the value
	lo, hi int64
}

func (q *Query) quantity(name string) (quantity, error) {
	if name == Value {
		if q.Valuation == nil {
			return quantity{}, fmt.Errorf("it is of %q and there is no valuation", Value)
		}
		return quantity{Value, 0, 0, int64(q.Valuation.Max)}, nil
	}
	i := slices.IndexFunc(q.Lanes, func(l Lane) bool { return l.Name == name })
	if i <= 0 {
		return quantity{}, fmt.Errorf("it is of %.64q, which is neither a lane nor %q", name, Value)
	}
	return quantity{name, i, int64(q.Cohort.Lo[i]), int64(q.Cohort.Hi[i])}, nil
}

func (s quantity) checkEdges(edges []uint64) error {
	if len(edges) < 1 || len(edges) > MaxBands-1 {
		return fmt.Errorf("%d edges, want 1 to %d", len(edges), MaxBands-1)
	}
	least := uint64(s.lo) + 1
	for i, e := range edges {
		if e < least || e > uint64(s.hi) {
			return fmt.Errorf("edge %d of %s is %d, want %d to %d: ascending, and no band outside the cohort", i, s.name, e, least, s.hi)
		}
		least = e + 1
	}
	return nil
}

func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == s
}

// isName takes the characters that no encoding of JSON escapes.
func isName(s string) bool {
	if s == "" || len(s) > MaxName {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.', c == '/':
		default:
			return false
		}
	}
	return true
}
