package score

import (
	"fmt"
	"iter"
	"math"
)

// Records yields the lanes of the batteries of a cohort in stored units, one battery at a time, or an error that ends
// it. The slice may be reused between batteries.
type Records = iter.Seq2[[]uint32, error]

// Clear is what a model says of a cohort when it is computed battery by battery on open data.
type Clear struct {
	Batteries int
	// Mean and Deviation are of the score as it is computed under encryption, with the polynomial for the logistic function.
	Mean, Deviation float64
	// MeanSquare is the mean of the squared score.
	MeanSquare float64
	// Exact is the mean with the logistic function itself.
	Exact float64
	// Beyond is how many batteries have a weighted sum outside the interval of the fit.
	Beyond int
}

// Clear scores a cohort in the open: the twin of the encrypted computation for tests, and what a party that holds both
// model and data would do. It shares no code with the encrypted path but the clipping, the fit and the change of the
// weights from stored units to [-1, 1]. Lanes give the records' order.
func (m *Model) Clear(lanes []Lane, records Records) (*Clear, error) {
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	places, err := locate(m.Shape(), lanes)
	if err != nil {
		return nil, err
	}
	p, unit := m.polynomial()
	weights, centre := m.normal()
	c := &Clear{}
	var exact, sum, squares float64
	for lane, err := range records {
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", c.Batteries, err)
		}
		if len(lane) != len(lanes) {
			return nil, fmt.Errorf("record %d: %d lanes, must be %d", c.Batteries, len(lane), len(lanes))
		}
		t := centre
		for i, w := range weights {
			t += w * m.Features[i].value(lane[places[i]])
		}
		v, e := horner(p, t/unit), t
		if m.Kind == Logistic {
			e = logistic(t)
			if math.Abs(t) > unit {
				c.Beyond++
			}
		}
		c.Batteries++
		sum, squares, exact = sum+v, squares+v*v, exact+e
	}
	if c.Batteries == 0 {
		return c, nil
	}
	n := float64(c.Batteries)
	c.Mean, c.MeanSquare, c.Exact = sum/n, squares/n, exact/n
	c.Deviation = math.Sqrt(max(0, c.MeanSquare-c.Mean*c.Mean))
	return c, nil
}
