package score

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"testing"
)

// singles says whether some polynomial over the monomials of the shape is 1 on the first battery and 0 on all others.
func singles(s Shape, f [][]uint32) bool {
	list := listMonomials(len(s.Features), s.momentDegree())
	rows := make([][]*big.Rat, len(f))
	for i, lane := range f {
		row := make([]*big.Rat, len(list.parent)+1)
		row[0] = big.NewRat(1, 1)
		for k := 1; k < len(list.parent); k++ {
			g := s.Features[list.variable[k]]
			x := big.NewRat(2*int64(min(max(lane[list.variable[k]], g.Low), g.High))-int64(g.Low)-int64(g.High), int64(g.High-g.Low))
			row[k] = new(big.Rat).Mul(row[list.parent[k]], x)
		}
		row[len(row)-1] = new(big.Rat)
		rows[i] = row
	}
	rows[0][len(list.parent)].SetInt64(1)
	return solvable(rows)
}

// solvable says whether linear equations, with the right side last, have a solution.
func solvable(rows [][]*big.Rat) bool {
	done := 0
	for k := range len(rows[0]) - 1 {
		at := slices.IndexFunc(rows[done:], func(r []*big.Rat) bool { return r[k].Sign() != 0 })
		if at < 0 {
			continue
		}
		rows[done], rows[done+at] = rows[done+at], rows[done]
		for _, r := range rows[done+1:] {
			factor := new(big.Rat).Quo(r[k], rows[done][k])
			for j := k; j < len(r); j++ {
				r[j].Sub(r[j], new(big.Rat).Mul(factor, rows[done][j]))
			}
		}
		if done++; done == len(rows) {
			return true
		}
	}
	return !slices.ContainsFunc(rows[done:], func(r []*big.Rat) bool { return r[len(r)-1].Sign() != 0 })
}

// Over as many batteries as there are monomials, or fewer, interpolation singles one out: there is a polynomial that is 1
// on it and 0 on the others. Over one more there is none. Smaller cohorts are refused, however small the owner's minimum.
func TestTrapAsFewBatteriesAsMonomials(t *testing.T) {
	o := owner()
	o.Least = 1
	s := plainShape(2, 3)
	f := fleet(1, s.LeastCohort(), 7)
	if !singles(s, f[1:]) || !singles(s, f[:len(f)-2]) {
		t.Error("no polynomial is 1 on one battery and 0 on the others: this test looks for the wrong attack")
	}
	if singles(s, f) {
		t.Error("a polynomial is 1 on one battery of the smallest cohort and 0 on the others")
	}
	if _, err := o.Collect(s, records(f[1:])); !errors.Is(err, ErrCohort) {
		t.Errorf("one battery short: %v", err)
	}
	m, err := o.Collect(s, records(f))
	must(t, err)
	q, _ := hostile(t, s, randomCoefficients(1, s.Monomials()))
	_, err = o.Answer(q, Context{}, m)
	must(t, err)
	o.Least = len(f) + 1
	if _, err := o.Answer(q, Context{}, m); !errors.Is(err, ErrCohort) {
		t.Errorf("under the owner's minimum: %v", err)
	}
	if _, err := o.Collect(s, records(f)); !errors.Is(err, ErrCohort) {
		t.Errorf("under the owner's minimum: %v", err)
	}
}

// What a lender gains by singling out is a feature that it does not know. The polynomials for that, one in the other
// features times this one, are at most a third as many as monomials, or there is no other feature.
func TestUnknownFeatureTakesFewMonomials(t *testing.T) {
	for features := 1; features <= MaxFeatures; features++ {
		for degree := 1; degree <= 2*MaxDegree; degree++ {
			all := binomial(features+degree, features)
			known := binomial(features+degree-2, features-1)
			if 3*known > all && (features > 1 || degree > 1) || 2*known > all {
				t.Errorf("%d features, degree %d: %d of %d", features, degree, known, all)
			}
		}
	}
}

// A clip narrower than the owner allows would be a threshold, and products of thresholds a filter for one battery.
func TestTrapNarrowClip(t *testing.T) {
	o := owner()
	o.Lanes[1].Narrowest = 1_000
	o.Lanes[2].Narrowest = 0
	for name, c := range map[string]struct {
		lane      string
		low, high uint32
		admitted  bool
	}{
		"whole":             {"lane_1", 100, 10_100, true},
		"narrowest":         {"lane_1", 4_100, 5_100, true},
		"lowest":            {"lane_1", 100, 1_100, true},
		"highest":           {"lane_1", 9_100, 10_100, true},
		"narrow":            {"lane_1", 4_100, 5_099, false},
		"low off the grid":  {"lane_1", 4_101, 6_100, false},
		"high off the grid": {"lane_1", 4_100, 6_101, false},
		"below":             {"lane_1", 99, 5_100, false},
		"above":             {"lane_1", 4_100, 11_100, false},
		"other lane":        {"lane_9", 4_100, 6_100, false},
		"no grid, whole":    {"lane_2", 100, 10_100, true},
		"no grid":           {"lane_2", 100, 10_099, false},
		"last short step":   {"lane_3", 100, 100 + 19*grid, false}, // less than a step below 10 100
		"last whole step":   {"lane_3", 100, 100 + 18*grid, true},
	} {
		err := o.Admit(Shape{Degree: 1, Features: []Feature{{Lane: c.lane, Low: c.low, High: c.high}}})
		if (err == nil) != c.admitted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The difference of two wide clips whose ends are one apart is a threshold, to the unit: it counts the batteries up to a
// value, and products of such differences filter. Neither half of it is admitted, so it cannot be had from two requests.
func TestTrapDifferenceOfWideClips(t *testing.T) {
	const v = 5_000
	whole := Feature{Lane: "lane_0", Low: v, High: 10_100}
	less := Feature{Lane: "lane_0", Low: v + 1, High: 10_100}
	m := &Model{Kind: Linear, Degree: 1, Features: []Weighted{{whole, -1}, {less, 1}}}
	f := fleet(1, 1_000, 7)
	c, err := m.Clear(lanes(7), records(f))
	must(t, err)
	up := 0.0
	for _, lane := range f {
		if lane[0] <= v {
			up++
		}
	}
	if math.Abs(c.Mean-up/1_000) > 1e-6 {
		t.Errorf("the difference has the mean %g, %g of the batteries are up to %d", c.Mean, up/1_000, v)
	}
	for name, features := range map[string][]Feature{"both": {whole, less}, "one": {whole}, "other": {less}} {
		if owner().Admit(Shape{Degree: 1, Features: features}) == nil {
			t.Errorf("%s: admitted", name)
		}
	}
}
