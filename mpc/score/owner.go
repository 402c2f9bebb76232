package score

import (
	"errors"
	"fmt"
	"slices"
)

// ErrCohort is wrapped by the refusal of a cohort that is too small.
var ErrCohort = errors.New("the cohort is too small")

// MaxLanes is how many lanes a record may have.
const MaxLanes = 64

// Lane says what an owner lets requests do with one lane of its records.
type Lane struct {
	Name string
	// Low and High are the schema's bounds. A request may not clip beyond them.
	Low, High uint32
	// Narrowest is how finely a lender may cut the cohort along this lane: a feature's Low and High must be Low, a
	// multiple of Narrowest above it that is at least Narrowest below High, or High. A narrow clip is nearly a threshold,
	// and a product of thresholds a filter. A least width alone would not do: the difference of the two wide clips to
	// [v, High] and [v+1, High] is a threshold at v, within a request or between two. With a grid, whatever is put
	// together from clips bends at its points only. 0 means only the schema's own bounds.
	Narrowest uint32
}

func (l Lane) admits(f Feature) error {
	if f.Low < l.Low || f.High > l.High {
		return fmt.Errorf("lane %s: clips to [%d, %d], beyond the lane's [%d, %d]", l.Name, f.Low, f.High, l.Low, l.High)
	}
	for _, end := range []uint32{f.Low, f.High} {
		if !l.mayEnd(end) {
			return fmt.Errorf("lane %s: a clip ends at %d, may only at %d, %d or in steps of %d between them (0: none)",
				l.Name, end, l.Low, l.High, l.Narrowest)
		}
	}
	return nil
}

// mayEnd says whether a clip may end at v, which is within the lane's bounds.
func (l Lane) mayEnd(v uint32) bool {
	if v == l.Low || v == l.High {
		return true
	}
	return l.Narrowest > 0 && (v-l.Low)%l.Narrowest == 0 && l.High-v >= l.Narrowest
}

// Owner is what a fleet's owner decides once. Its methods may be used concurrently.
type Owner struct {
	// Lanes describes the records, in their order.
	Lanes []Lane
	// Least is the least number of batteries in a cohort, at least 1. Shape.LeastCohort holds besides.
	Least int
	// Noise, if not nil, makes answers differentially private. It changes the sums that all answers about a cohort are
	// computed from: sums[0] is the number of batteries, sums[k] the sum of the k-th monomial over them. All are exact
	// multiples of 2^-30, so that adding or removing one battery changes each by at most 1 and not by a rounding more:
	// the sensitivity is 1 in the maximum norm, at most len(sums) in L1 and √len(sums) in L2. Means are over the noised
	// number, and it is the noised number that is held against Least and the shape's LeastCohort. It is called once per
	// Collect; keep the Moments, or that there are too few, as new noise for the same cohort costs the budget again.
	// Whether Collect refuses a cohort as too large, above MaxCohort, depends on the exact number: whoever knows a bound of
	// it, such as the size of the fleet, looks at that first.
	Noise func(sums []float64) error
}

func (o *Owner) check() error {
	if len(o.Lanes) < 1 || len(o.Lanes) > MaxLanes {
		return fmt.Errorf("owner: %d lanes, must be 1 to %d", len(o.Lanes), MaxLanes)
	}
	for i, l := range o.Lanes {
		if l.Low >= l.High {
			return fmt.Errorf("owner: lane %s: low %d is not below high %d", l.Name, l.Low, l.High)
		}
		if l.Narrowest > l.High-l.Low {
			return fmt.Errorf("owner: lane %s: narrowest is %d, wider than the lane's %d", l.Name, l.Narrowest, l.High-l.Low)
		}
		if slices.ContainsFunc(o.Lanes[:i], func(m Lane) bool { return m.Name == l.Name }) {
			return fmt.Errorf("owner: lane %s is there twice", l.Name)
		}
	}
	if o.Least < 1 {
		return fmt.Errorf("owner: least cohort is %d, must be at least 1", o.Least)
	}
	return nil
}

// Admit says whether the owner answers requests of this shape: it fits the parameters, all lanes are known, and every
// clip is within the lane's bounds and ends where the owner allows.
func (o *Owner) Admit(s Shape) error {
	if err := errors.Join(o.check(), s.Check()); err != nil {
		return err
	}
	places, err := locate(s, o.Lanes)
	if err != nil {
		return err
	}
	for i, f := range s.Features {
		if err := o.Lanes[places[i]].admits(f); err != nil {
			return fmt.Errorf("feature %d: %w", i, err)
		}
	}
	return nil
}

// locate finds each feature's lane in the records.
func locate(s Shape, lanes []Lane) ([]int, error) {
	places := make([]int, len(s.Features))
	for i, f := range s.Features {
		places[i] = -1
		for j, l := range lanes {
			if l.Name == f.Lane {
				places[i] = j
			}
		}
		if places[i] < 0 {
			return nil, fmt.Errorf("feature %d: lane %q is not known", i, f.Lane)
		}
	}
	return places, nil
}
