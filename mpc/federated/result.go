package federated

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
)

// Result is what the opened totals say.
type Result struct {
	// Parts is the number of owners whose parts are in the sum.
	Parts int
	// Totals are what was opened: all that the answers are made from.
	Totals []Total
	// Answers are in the order of the query's figures.
	Answers []Answer
}

// Total is one opened total.
type Total struct {
	Name  string
	Value *big.Int
	// Deviation is the standard deviation of all owners' noise in it, 0 when it is exact.
	Deviation float64
}

// Answer is one figure's, in stored units.
type Answer struct {
	Figure Figure
	// Value is nil for a histogram, and for a mean or variance when the count
	// (with its noise) is not positive.
	Value *big.Rat
	// Bands are a histogram's counts.
	Bands []*big.Int
	// Deviation is the standard deviation of the noise in Value or in each band, 0
	// when it is exact. Of a mean or a variance it is the first order, for noise that is
	// small beside the count, with the opened totals in place of the true ones.
	Deviation float64
}

// MarshalJSON writes integers and rationals as text, as JSON readers round
// large numbers: {"parts":3,"totals":[{"name":"count","value":"41"}],…}.
func (r Result) MarshalJSON() ([]byte, error) {
	type total struct {
		Name      string  `json:"name"`
		Value     string  `json:"value"`
		Deviation float64 `json:"deviation,omitempty"`
	}
	type answer struct {
		Figure    Figure   `json:"figure"`
		Value     string   `json:"value,omitempty"`
		Bands     []string `json:"bands,omitempty"`
		Deviation float64  `json:"deviation,omitempty"`
	}
	out := struct {
		Parts   int      `json:"parts"`
		Totals  []total  `json:"totals"`
		Answers []answer `json:"answers"`
	}{Parts: r.Parts}
	for _, t := range r.Totals {
		out.Totals = append(out.Totals, total{t.Name, t.Value.String(), t.Deviation})
	}
	for _, a := range r.Answers {
		x := answer{Figure: a.Figure, Deviation: a.Deviation}
		if a.Value != nil {
			x.Value = a.Value.RatString()
		}
		for _, b := range a.Bands {
			x.Bands = append(x.Bands, b.String())
		}
		out.Answers = append(out.Answers, x)
	}
	return json.Marshal(out)
}

// Read says what the opened totals of a sum of so many parts mean. parts is the
// ledger's number, not the receiver's guess. It returns [ErrOpening] when the totals
// cannot be a sum of that many parts.
func (p *Plan) Read(opened []*big.Int, parts int) (*Result, error) {
	if err := p.checkOpening(opened, parts); err != nil {
		return nil, err
	}
	r := &Result{Parts: parts}
	for i, t := range p.totals {
		total := Total{Name: t.name, Value: new(big.Int).Set(opened[i])}
		if t.noise != nil {
			total.Deviation = t.noise.Deviation() * math.Sqrt(float64(parts))
		}
		r.Totals = append(r.Totals, total)
	}
	for i, f := range p.query.Figures {
		r.Answers = append(r.Answers, p.answer(r.Totals, i, f))
	}
	return r, nil
}

func (p *Plan) answer(totals []Total, figure int, f Figure) Answer {
	f.Edges = slices.Clone(f.Edges)
	a := Answer{Figure: f}
	switch f.Kind {
	case Count:
		a.Value, a.Deviation = totals[p.count].rat(), totals[p.count].Deviation
	case Histogram:
		for _, h := range p.histograms {
			if h.figure != figure {
				continue
			}
			a.Deviation = totals[h.first].Deviation
			for _, t := range totals[h.first:][:len(h.edges)+1] {
				a.Bands = append(a.Bands, new(big.Int).Set(t.Value))
			}
		}
	default:
		for _, c := range p.columns {
			if c.name == f.Of {
				a.Value, a.Deviation = p.moment(totals, &c, f.Kind)
			}
		}
	}
	return a
}

// moment has the figure from totals of d = x − c. For n, s and v, the totals of
// 1, d and d²: the sum is s + c·n, the mean c + s/n, the variance v/n − (s/n)². The noises
// of n, s and v are independent; deviations are the roots of the sums of squares of
// partial derivatives times deviations.
func (p *Plan) moment(totals []Total, c *column, kind Kind) (*big.Rat, float64) {
	s, centre := totals[c.sum], new(big.Rat).SetInt64(c.centre)
	if p.count == 0 {
		return s.rat(), s.Deviation // the centre is 0
	}
	n := totals[p.count]
	if kind == Sum {
		x := new(big.Rat).Mul(centre, n.rat())
		return x.Add(x, s.rat()), math.Hypot(s.Deviation, float64(c.centre)*n.Deviation)
	}
	if n.Value.Sign() <= 0 {
		return nil, 0
	}
	m := new(big.Rat).Quo(s.rat(), n.rat())
	count, mean := n.float(), approximate(m)
	if kind == Mean {
		return centre.Add(centre, m), math.Hypot(s.Deviation, mean*n.Deviation) / count
	}
	v := totals[c.squares]
	second := new(big.Rat).Quo(v.rat(), n.rat())
	slope := approximate(second) - 2*mean*mean
	deviation := math.Hypot(v.Deviation, math.Hypot(2*mean*s.Deviation, slope*n.Deviation)) / count
	return second.Sub(second, m.Mul(m, m)), deviation
}

func (t Total) rat() *big.Rat { return new(big.Rat).SetInt(t.Value) }

func (t Total) float() float64 { return approximate(t.rat()) }

func approximate(x *big.Rat) float64 {
	f, _ := x.Float64()
	return f
}
