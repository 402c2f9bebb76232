package policy

import (
	"math"
	"strings"
	"testing"
)

// The deltas of a fleet's noised answers add up to no more than the grant's delta budget. Without one there are none.
func TestDeltaBudget(t *testing.T) {
	for name, c := range map[string]struct {
		budget       string
		delta, spent uint64
		want         string
	}{
		"none asked for":         {"", 0, 0, ""},
		"none left, nor asked":   {"0.000001", 0, 1_000_000, ""},
		"all of it":              {"0.000001", 1_000_000, 0, ""},
		"what is left":           {"0.000001", 400_000, 600_000, ""},
		"no budget":              {"", 1, 0, "delta is 0.000000000001, and 0 of the delta budget"},
		"a budget of nothing":    {"0", 1, 0, "and 0 of the delta budget"},
		"more than there is":     {"0.000001", 1_000_001, 0, "delta is 0.000001000001, and 0.000001 of the delta budget"},
		"more than is left":      {"0.000001", 400_001, 600_000, "and 0.0000004 of the delta budget"},
		"more than ever was":     {"0.000001", 1, math.MaxUint64, "and 0 of the delta budget"},
		"more than there can be": {"0.01", math.MaxUint64, 0, "delta is 18446744.073709551615"},
	} {
		terms, q := loans(), question()
		homomorphic(Aggregate, 50, 123)(terms, q, nil)
		terms.DeltaBudget, q.Delta = c.budget, c.delta
		got := strings.Join(terms.Limits(q, Spent{Delta: c.spent}), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
