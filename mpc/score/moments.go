package score

import (
	"fmt"
	"math"
)

// MaxCohort is the most batteries a cohort may have: sums of that many multiples of 2^-30 are exact in a float64.
const MaxCohort = 1 << 23

// grain, added to a value of at most 1 and subtracted again, rounds it to a multiple of 2^-30.
const grain = 0x1.8p22

// MomentError bounds the error of a moment, without differential privacy. A monomial's value at one battery is rounded
// to a multiple of 2^-30, after at most 27 roundings of 2^-53 in its factors and products; sums are exact; the division
// adds 2^-53, and fixed point 2^-41: together below 1.01·2^-31.
const MomentError = 1.01 / (1 << 31)

// Moments are the means of all monomials of a cohort's clipped, normalised features up to a degree. They are the owner's
// secret. All answers are functions of them, and of nothing else about the batteries.
type Moments struct {
	shape     Shape
	batteries int
	fixed     []int64 // in units of 2^-40, between -2^40 and 2^40; the first, of the constant, is 2^40
}

// Batteries is the size of the cohort, with the noise on it if the moments have noise. It is not part of an answer.
func (m *Moments) Batteries() int { return m.batteries }

// String keeps the moments out of logs.
func (m Moments) String() string { return "score.Moments" }

// GoString keeps the moments out of logs.
func (m Moments) GoString() string { return m.String() }

// Collect computes the moments that requests of this shape need, in one pass, in memory that does not depend on the
// number of batteries. It refuses a shape that Admit refuses, and a cohort smaller than Least or the shape's LeastCohort
// with ErrCohort. The noise hook, if there is one, runs before that, so that the noised number decides: then the
// refusal, too, has spent what the moments would have, and is to be kept as they are.
func (o *Owner) Collect(s Shape, records Records) (*Moments, error) {
	if err := o.Admit(s); err != nil {
		return nil, fmt.Errorf("collecting moments: %w", err)
	}
	sums, n, err := o.sum(s, records)
	if err != nil {
		return nil, fmt.Errorf("collecting moments: %w", err)
	}
	if o.Noise != nil {
		if err := o.Noise(sums); err != nil {
			return nil, fmt.Errorf("collecting moments: noise: %w", err)
		}
		if n, err = noisedCount(sums); err != nil {
			return nil, fmt.Errorf("collecting moments: noise: %w", err)
		}
	}
	if least := max(o.Least, s.LeastCohort()); n < least {
		return nil, fmt.Errorf("collecting moments: %w: at least %d batteries are needed for this request", ErrCohort, least)
	}
	fixed := fixMeans(sums)
	s.Features = append([]Feature(nil), s.Features...)
	return &Moments{shape: s, batteries: n, fixed: fixed}, nil
}

func (o *Owner) sum(s Shape, records Records) (sums []float64, n int, err error) {
	places, err := locate(s, o.Lanes)
	if err != nil {
		return nil, 0, err
	}
	list := listMonomials(len(s.Features), s.momentDegree())
	x := make([]float64, len(s.Features))
	values := make([]float64, len(list.parent))
	sums = make([]float64, len(list.parent))
	for lane, err := range records {
		if err != nil {
			return nil, 0, fmt.Errorf("record %d: %w", n, err)
		}
		if len(lane) != len(o.Lanes) {
			return nil, 0, fmt.Errorf("record %d: %d lanes, must be %d", n, len(lane), len(o.Lanes))
		}
		if n == MaxCohort {
			return nil, 0, fmt.Errorf("more than %d batteries", MaxCohort)
		}
		for i, f := range s.Features {
			x[i] = f.value(lane[places[i]])
		}
		list.evaluate(x, values)
		for k, v := range values {
			sums[k] += (v + grain) - grain
		}
		n++
	}
	return sums, n, nil
}

// maxNoised is above any number of batteries that noise leaves.
const maxNoised = 1 << 53

// noisedCount is the number of batteries with the noise on it, rounded down, which is below a whole number when it is.
func noisedCount(sums []float64) (int, error) {
	for k, v := range sums {
		if !finite(v) {
			return 0, fmt.Errorf("sum %d is not a finite number", k)
		}
	}
	return int(math.Floor(min(max(sums[0], 0), maxNoised))), nil
}

// fixMeans divides by the number of batteries, which may have noise on it, and cuts to [-1, 1], where every true mean is.
func fixMeans(sums []float64) []int64 {
	n := max(1, sums[0])
	fixed := make([]int64, len(sums))
	fixed[0] = 1 << momentBits
	for k := 1; k < len(sums); k++ {
		mean := min(max(sums[k]/n, -1), 1)
		fixed[k] = int64(math.RoundToEven(mean * (1 << momentBits)))
	}
	return fixed
}
