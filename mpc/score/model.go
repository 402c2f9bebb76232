package score

import (
	"errors"
	"fmt"
	"math"
)

// Kind is what a model does with the weighted sum of its features.
type Kind string

const (
	// Linear takes the weighted sum as the score.
	Linear Kind = "linear"
	// Logistic takes 1/(1+exp(-t)) of the weighted sum t, by a polynomial.
	Logistic Kind = "logistic"
)

const (
	// MaxInterval bounds the interval that the logistic function is fitted on.
	MaxInterval = 64
	// MaxLinear bounds a linear model's score in absolute value, whatever the battery.
	MaxLinear = 1 << 20
	// maxBeyond is how many intervals wide the reach of a logistic model may be.
	maxBeyond = 4
)

// Weighted is a feature and its weight in the weighted sum, per stored unit of the clipped lane.
type Weighted struct {
	Feature
	Weight float64
}

// Model is the lender's secret: score = f(Intercept + Σ Weight·clip(lane)), where f is the identity or the logistic
// function. Lanes count in stored units.
type Model struct {
	Kind      Kind
	Intercept float64
	Features  []Weighted
	// Degree of the polynomial that stands for the logistic function: 3, 5 or 7; 1 in a linear model.
	Degree int
	// Interval is the half-width R of [-R, R], where the polynomial is fitted; at least 1, at most MaxInterval. 0 in a linear model.
	Interval float64
	// Spread asks for the standard deviation of the score as well as its mean.
	Spread bool
}

// Shape is what a request for the model shows.
func (m *Model) Shape() Shape {
	s := Shape{Features: make([]Feature, len(m.Features)), Degree: m.Degree, Spread: m.Spread}
	for i, f := range m.Features {
		s.Features[i] = f.Feature
	}
	return s
}

// Check accepts a model whose shape fits the parameters and whose coefficients are bounded.
func (m *Model) Check() error {
	if err := m.Shape().Check(); err != nil {
		return err
	}
	if !finite(m.Intercept) {
		return errors.New("intercept is not a finite number")
	}
	for i, f := range m.Features {
		if !finite(f.Weight) {
			return fmt.Errorf("feature %d: weight is not a finite number", i)
		}
	}
	return m.checkKind()
}

func (m *Model) checkKind() error {
	reach := m.Reach()
	switch m.Kind {
	case Linear:
		if m.Degree != 1 || m.Interval != 0 {
			return errors.New("a linear model has degree 1 and no interval")
		}
		if !(reach <= MaxLinear) {
			return fmt.Errorf("the weighted sum can be beyond %d", MaxLinear)
		}
	case Logistic:
		if m.Degree < 3 {
			return fmt.Errorf("degree: %d, must be 3, 5 or 7 in a logistic model", m.Degree)
		}
		if !(m.Interval >= 1 && m.Interval <= MaxInterval) {
			return fmt.Errorf("interval must be 1 to %d", MaxInterval)
		}
		if !(reach <= maxBeyond*m.Interval) {
			return fmt.Errorf("the weighted sum can be beyond %d times the interval", maxBeyond)
		}
	default:
		return fmt.Errorf("kind must be %q or %q", Linear, Logistic)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// normal returns the model's weights of the features in [-1, 1] and the intercept that goes with them. The terms of the
// intercept may be 2^33 times as large as it is, for a narrow clip far from 0, so it is summed with the errors of every
// product and sum (Ogita, Rump, Oishi 2005, algorithm Dot2).
func (m *Model) normal() (weights []float64, intercept float64) {
	weights = make([]float64, len(m.Features))
	sum, rest := m.Intercept, 0.0
	for i, f := range m.Features {
		low, high := float64(f.Low), float64(f.High)
		weights[i] = f.Weight * (high - low) / 2
		middle := (high + low) / 2
		product := float64(f.Weight * middle) // the conversion keeps a compiler from fusing it with the sum
		rest += math.FMA(f.Weight, middle, -product)
		next := sum + product
		added := next - sum
		rest += (sum - (next - added)) + (product - added)
		sum = next
	}
	return weights, sum + rest
}

// Reach is the largest absolute value that the weighted sum can have for any battery.
func (m *Model) Reach() float64 {
	weights, reach := m.normal()
	reach = math.Abs(reach)
	for _, w := range weights {
		reach += math.Abs(w)
	}
	return reach
}

// polynomial returns f's coefficients in powers of t/unit.
func (m *Model) polynomial() (p []float64, unit float64) {
	if m.Kind == Logistic {
		return fitLogistic(m.Degree, m.Interval), m.Interval
	}
	return []float64{0, 1}, 1
}

// Misfit says how far the polynomial is from the logistic function: the largest difference within the interval, and over
// every weighted sum that a battery can have. Both are 0 in a linear model. They are the largest differences at 16 385
// evenly spaced points.
func (m *Model) Misfit() (within, anywhere float64) {
	if m.Kind != Logistic {
		return 0, 0
	}
	p, unit := m.polynomial()
	weights, centre := m.normal()
	half := 0.0
	for _, w := range weights {
		half += math.Abs(w)
	}
	return largestMiss(p, unit, -unit, unit), largestMiss(p, unit, centre-half, centre+half)
}

// gross bounds the sum of the absolute coefficients that expand returns, and of all that is added up on the way.
func (m *Model) gross(square bool) float64 {
	p, unit := m.polynomial()
	for i := range p {
		p[i] = math.Abs(p[i])
	}
	g := horner(p, m.Reach()/unit)
	if square {
		g *= g
	}
	return g
}

// expand returns the coefficients of the score's polynomial in the features, one for each monomial; with square those of
// its square. The sum of w·x to the power i is Σ i!/α!·w^α·x^α over the monomials x^α of degree i.
func (m *Model) expand(square bool) []float64 {
	p, unit := m.polynomial()
	weights, centre := m.normal()
	q := shifted(p, centre/unit)
	if square {
		q = squared(q)
	}
	for i := range weights {
		weights[i] /= unit
	}
	list := listMonomials(len(weights), len(q)-1)
	coefficients := make([]float64, len(list.parent))
	list.evaluate(weights, coefficients)
	for k := range coefficients {
		coefficients[k] *= q[list.degree[k]] * list.orderings[k]
	}
	return coefficients
}
