package score

import (
	"fmt"
	"slices"
)

const (
	// MaxFeatures is how many features a model may have.
	MaxFeatures = 16
	// MaxDegree is the highest degree of the polynomial that stands for the logistic function.
	MaxDegree = 7
	// MaxMonomials is how many moments a request may ask for: they must fit the ring's coefficients.
	MaxMonomials = ringDegree
	// MaxLaneName is the longest name of a lane in bytes.
	MaxLaneName = 32
)

// Feature is one input of a model: a lane, clipped to [Low, High] in stored units and then mapped to [-1, 1].
type Feature struct {
	Lane      string
	Low, High uint32
}

// value is exact but for one rounding of the quotient.
func (f Feature) value(v uint32) float64 {
	v = min(max(v, f.Low), f.High)
	return float64(2*int64(v)-int64(f.Low)-int64(f.High)) / float64(int64(f.High)-int64(f.Low))
}

func (f Feature) check() error {
	if len(f.Lane) == 0 || len(f.Lane) > MaxLaneName {
		return fmt.Errorf("lane has a name of %d bytes, must have 1 to %d", len(f.Lane), MaxLaneName)
	}
	for _, c := range []byte(f.Lane) {
		if !plain(c) {
			return fmt.Errorf("lane %q: only letters, digits, '_', '-', '.' and '/' may be in a name", f.Lane)
		}
	}
	if f.Low >= f.High {
		return fmt.Errorf("lane %s: low %d is not below high %d", f.Lane, f.Low, f.High)
	}
	return nil
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '/'
}

// Shape is everything about a model that a request shows: which features, the degree of the polynomial, and whether the
// score's spread is asked for as well as its mean. No coefficient is part of it.
type Shape struct {
	Features []Feature
	// Degree is 1 for a linear model, else 3, 5 or 7.
	Degree int
	// Spread asks for the mean of the squared score too: a second number, and moments up to twice the degree.
	Spread bool
}

// Check accepts a shape that fits the parameters.
func (s Shape) Check() error {
	if len(s.Features) < 1 || len(s.Features) > MaxFeatures {
		return fmt.Errorf("features: %d, must be 1 to %d", len(s.Features), MaxFeatures)
	}
	for i, f := range s.Features {
		if err := f.check(); err != nil {
			return fmt.Errorf("feature %d: %w", i, err)
		}
		if slices.Contains(s.Features[:i], f) {
			return fmt.Errorf("feature %d: lane %s from %d to %d is there twice", i, f.Lane, f.Low, f.High)
		}
	}
	if s.Degree < 1 || s.Degree > MaxDegree || s.Degree%2 == 0 {
		return fmt.Errorf("degree: %d, must be odd and 1 to %d", s.Degree, MaxDegree)
	}
	if k := s.Monomials(); k > MaxMonomials {
		return fmt.Errorf("%d features at degree %d need %d monomials, at most %d fit", len(s.Features), s.momentDegree(), k, MaxMonomials)
	}
	return nil
}

func (s Shape) momentDegree() int {
	if s.Spread {
		return 2 * s.Degree
	}
	return s.Degree
}

// numbers is how many numbers an answer has.
func (s Shape) numbers() int {
	if s.Spread {
		return 2
	}
	return 1
}

// terms is how many coefficients the i-th number's polynomial has.
func (s Shape) terms(i int) int {
	return binomial(len(s.Features)+(i+1)*s.Degree, len(s.Features))
}

// Monomials is how many moments the owner computes: all monomials of the features up to the degree, with the constant.
func (s Shape) Monomials() int { return binomial(len(s.Features)+s.momentDegree(), len(s.Features)) }

// LeastCohort is the smallest cohort that a request of this shape is answered for, whatever the owner's own minimum: one
// battery more than monomials. Over as many or fewer there is, but for coincidences, a polynomial that takes any value
// one likes on each battery whose features one knows, so it could be 1 on one battery and 0 on all the others.
func (s Shape) LeastCohort() int { return s.Monomials() + 1 }

func (s Shape) equal(o Shape) bool {
	return s.Degree == o.Degree && s.Spread == o.Spread && slices.Equal(s.Features, o.Features)
}

// binomial is exact for the arguments a shape with at most 16 features and moment degree 14 has.
func binomial(n, k int) int {
	b := 1
	for i := 1; i <= k; i++ {
		b = b * (n - k + i) / i
	}
	return b
}
