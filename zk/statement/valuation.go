package statement

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/assay-net/assay/zk/record"
)

// Bounds and scales of the valuation model.
const (
	MaxCurves    = 2
	MaxKnots     = 8
	FactorPlaces = 6  // decimal places of a factor
	maxFactor    = 10 // a factor is 0 to 10
	// SlopeBits is the binary scale of a slope: slopes are rounded down to
	// 2^-32 of the last decimal place of a factor per lane unit.
	SlopeBits = 32
	maxPrice  = 1 << 40 // in 0.01 currency units
)

// Valuation is replacement price × the product of up to two piecewise-linear
// curves over different lanes.
//
// Arithmetic is exact but for two roundings, both downwards. A slope between
// two knots is rounded down to 2^-32 of a factor's last decimal place, which
// keeps every factor within 10^-6 of the line through the knots and never
// above it. The sum over the cohort is carried exactly, and rounded down to
// 0.01 currency units once, in the total.
type Valuation struct {
	// Price of a new device, e.g. "1250.00", at most 10 995 116 277.76.
	Price string `json:"price"`
	// Currency is an ISO 4217 code.
	Currency string `json:"currency"`
	// Curves multiply the price.
	Curves []Curve `json:"curves"`
}

// Curve is a piecewise-linear factor over one lane: straight between knots,
// constant below the first and above the last. A step is two knots one lane
// unit apart.
type Curve struct {
	Lane  string `json:"lane"`
	Knots []Knot `json:"knots"`
}

// Knot is a point of a curve: lane value in the lane's unit, factor 0 to 10
// with up to six decimal places.
type Knot struct {
	At     string `json:"at"`
	Factor string `json:"factor"`
}

type knot struct {
	at     uint32
	factor int64 // × 10^FactorPlaces
}

func (c *Curve) knots(lane record.Lane) ([]knot, error) {
	if len(c.Knots) == 0 || len(c.Knots) > MaxKnots {
		return nil, fmt.Errorf("curve over %s has %d knots, want 1 to %d", c.Lane, len(c.Knots), MaxKnots)
	}
	ks := make([]knot, len(c.Knots))
	for i, k := range c.Knots {
		at, err := lane.Parse(k.At)
		if err != nil {
			return nil, fmt.Errorf("curve over %s: knot %d: %w", c.Lane, i+1, err)
		}
		if i > 0 && at <= ks[i-1].at {
			return nil, fmt.Errorf("curve over %s: knot %d at %s does not lie above the one before", c.Lane, i+1, k.At)
		}
		d, err := parseDecimal(k.Factor, FactorPlaces)
		if err != nil {
			return nil, fmt.Errorf("curve over %s: knot %d: factor: %w", c.Lane, i+1, err)
		}
		f := d.scaled(FactorPlaces)
		if f.Sign() < 0 || f.Cmp(new(big.Int).Mul(big.NewInt(maxFactor), pow10(FactorPlaces))) > 0 {
			return nil, fmt.Errorf("curve over %s: knot %d: factor %s is outside 0 to %d", c.Lane, i+1, k.Factor, maxFactor)
		}
		ks[i] = knot{at, f.Int64()}
	}
	return ks, nil
}

// segments cuts a lane's interval [lo, hi] at the knots. Every lane value in
// it belongs to exactly one segment.
func segments(ks []knot, lo, hi uint32) ([]Segment, error) {
	var out []Segment
	add := func(from, to int64, at uint32, factor, slope int64) {
		start, end := max(from, int64(lo)), min(to, int64(hi))
		if start > end {
			return
		}
		base := new(big.Int).Lsh(big.NewInt(factor), SlopeBits)
		base.Add(base, new(big.Int).Mul(big.NewInt(slope), big.NewInt(start-int64(at))))
		out = append(out, Segment{Start: uint32(start), End: uint32(end), Base: base, Slope: big.NewInt(slope)})
	}
	last := len(ks) - 1
	add(0, int64(ks[0].at)-1, 0, ks[0].factor, 0)
	for i := range last {
		width := int64(ks[i+1].at) - int64(ks[i].at)
		rise := new(big.Int).Lsh(big.NewInt(ks[i+1].factor-ks[i].factor), SlopeBits)
		slope := new(big.Int).Div(rise, big.NewInt(width)) // Euclidean: down for a positive width
		add(int64(ks[i].at), int64(ks[i+1].at)-1, ks[i].at, ks[i].factor, slope.Int64())
	}
	add(int64(ks[last].at), int64(^uint32(0)), ks[last].at, ks[last].factor, 0)
	for _, s := range out {
		if s.factorAt(s.End).Sign() < 0 {
			return nil, errors.New("falls below zero by rounding: raise the last factor or move its knot")
		}
	}
	return out, nil
}

// Segment is one straight piece of a curve, cut to the cohort:
// factor(lane) = Base + Slope × (lane − Start), in units of 10^-6 × 2^-32.
type Segment struct {
	Start, End  uint32
	Base, Slope *big.Int
}

func (s *Segment) factorAt(lane uint32) *big.Int {
	f := new(big.Int).Mul(s.Slope, big.NewInt(int64(lane)-int64(s.Start)))
	return f.Add(f, s.Base)
}

// price in 0.01 currency units.
func (v *Valuation) price() (*big.Int, error) {
	d, err := parseDecimal(v.Price, 2)
	if err != nil {
		return nil, fmt.Errorf("statement: valuation: price: %w", err)
	}
	p := d.scaled(2)
	if p.Sign() < 0 || p.Cmp(big.NewInt(maxPrice)) > 0 {
		return nil, fmt.Errorf("statement: valuation: price %s is outside 0 to %s", v.Price, record.FormatDecimal(big.NewInt(maxPrice), 2))
	}
	if len(v.Currency) != 3 || !upper(v.Currency) {
		return nil, fmt.Errorf("statement: valuation: currency %q is not three capital letters", v.Currency)
	}
	if len(v.Curves) > MaxCurves {
		return nil, fmt.Errorf("statement: valuation: %d curves, at most %d", len(v.Curves), MaxCurves)
	}
	return p, nil
}

func upper(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
