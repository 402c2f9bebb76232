package statement

import (
	"fmt"
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/record"
)

// MaxSegments is how many pieces MaxKnots knots cut a lane into.
const MaxSegments = MaxKnots + 1

// Parameters are cohort and valuation as the chunk circuit takes them. The
// cohort is a box; the curves' segments cut it into at most 81 smaller boxes
// on each of which the value is bilinear in two lanes' offsets.
type Parameters struct {
	Bounds Bounds
	// Lanes are the two different lanes that the segments cut. A statement
	// with fewer curves has one flat segment on a lane that no curve uses.
	Lanes [MaxCurves]int
	// Segments of each curve, 1 to MaxSegments, in ascending order; together
	// they cover the lane's bounds.
	Segments [MaxCurves][]Segment
	// Price in 0.01 currency units.
	Price *big.Int
}

// Parameters derives the circuit's inputs from cohort and valuation.
func (s *Statement) Parameters() (*Parameters, error) {
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return nil, fmt.Errorf("statement: schema: %w", err)
	}
	p := &Parameters{Price: new(big.Int)}
	if p.Bounds, err = cohortBounds(schema, s.Cohort); err != nil {
		return nil, err
	}
	var curves []Curve
	if s.Valuation != nil {
		if p.Price, err = s.Valuation.price(); err != nil {
			return nil, err
		}
		curves = s.Valuation.Curves
	}
	for i := range p.Segments {
		if i < len(curves) {
			err = p.setCurve(schema, i, &curves[i])
		} else {
			p.setFlat(i)
		}
		if err != nil {
			return nil, fmt.Errorf("statement: valuation: %w", err)
		}
	}
	return p, nil
}

func (p *Parameters) setCurve(schema *record.Schema, i int, c *Curve) error {
	lane, ok := schema.LaneIndex(c.Lane)
	if !ok || lane == 0 {
		return fmt.Errorf("schema %s has no lane %q", schema.Name, c.Lane)
	}
	if i == 1 && lane == p.Lanes[0] {
		return fmt.Errorf("both curves are over %s; they must be over different lanes", c.Lane)
	}
	ks, err := c.knots(schema.Lanes[lane])
	if err != nil {
		return err
	}
	p.Lanes[i] = lane
	if p.Segments[i], err = segments(ks, p.Bounds.Lo[lane], p.Bounds.Hi[lane]); err != nil {
		return fmt.Errorf("curve over %s %w", c.Lane, err)
	}
	return nil
}

// setFlat puts the factor 1 over the whole of some lane that is still free.
func (p *Parameters) setFlat(i int) {
	lane := 1
	if i == 1 && p.Lanes[0] == 1 {
		lane = 2
	}
	one := new(big.Int).Lsh(pow10(FactorPlaces), SlopeBits)
	p.Lanes[i] = lane
	p.Segments[i] = []Segment{{Start: p.Bounds.Lo[lane], End: p.Bounds.Hi[lane], Base: one, Slope: new(big.Int)}}
}

var valueScale = sync.OnceValue(func() *big.Int {
	s := new(big.Int).Exp(pow10(FactorPlaces), big.NewInt(MaxCurves), nil)
	return s.Lsh(s, MaxCurves*SlopeBits)
})

// ValueScale is how many exact value units make 0.01 currency units: 10^12 × 2^64.
func ValueScale() *big.Int { return new(big.Int).Set(valueScale()) }

// ExactValue is a record's value in exact units, 0 outside the cohort.
func (p *Parameters) ExactValue(r record.Record) *big.Int {
	v := new(big.Int)
	if !p.Bounds.Contains(r) {
		return v
	}
	v.Set(p.Price)
	for i, lane := range p.Lanes {
		v.Mul(v, p.segmentOf(i, r[lane]).factorAt(r[lane]))
	}
	return v
}

func (p *Parameters) segmentOf(curve int, lane uint32) *Segment {
	return &p.Segments[curve][p.SegmentIndex(curve, lane)]
}

// SegmentIndex finds the segment that holds a lane value inside the bounds.
func (p *Parameters) SegmentIndex(curve int, lane uint32) int {
	for i := range p.Segments[curve] {
		if lane <= p.Segments[curve][i].End {
			return i
		}
	}
	panic("a lane value lies outside the cohort")
}

// VectorSize is the length of [Parameters.Vector].
const VectorSize = 6*(record.Lanes-1) + 2*4*MaxSegments + 1

// Layout is the position of each group in [Parameters.Vector].
const (
	AtBase     = 0                             // Lo then Hi of the box, the two curve lanes zero
	AtBounds   = AtBase + 2*(record.Lanes-1)   // Lo then Hi of every lane
	AtSelect   = AtBounds + 2*(record.Lanes-1) // one-hot selector of each curve's lane
	AtSegments = AtSelect + 2*(record.Lanes-1) // per curve: starts, ends, bases, slopes
	AtPrice    = AtSegments + 2*4*MaxSegments
)

// Vector lists the parameters as field elements in a fixed order and length.
// A verifier computes it from the statement; the circuit proves that it used
// the same numbers. A segment that does not exist is written as start j+1, end
// j, which no lane satisfies, with base and slope zero; the starts differ, so
// that no two rows of the circuit's table are ever equal.
func (p *Parameters) Vector() []fr.Element {
	v := make([]fr.Element, VectorSize)
	const n = record.Lanes - 1
	for i := 1; i <= n; i++ {
		lo, hi := uint64(p.Bounds.Lo[i]), uint64(p.Bounds.Hi[i])
		v[AtBounds+i-1].SetUint64(lo)
		v[AtBounds+n+i-1].SetUint64(hi)
		switch i {
		case p.Lanes[0]:
			v[AtSelect+i-1].SetOne()
		case p.Lanes[1]:
			v[AtSelect+n+i-1].SetOne()
		default:
			v[AtBase+i-1].SetUint64(lo)
			v[AtBase+n+i-1].SetUint64(hi)
		}
	}
	for c := range p.Segments {
		at := v[AtSegments+c*4*MaxSegments:][:4*MaxSegments]
		for j := range MaxSegments {
			if j >= len(p.Segments[c]) {
				at[j].SetUint64(uint64(j) + 1)
				at[MaxSegments+j].SetUint64(uint64(j))
				continue
			}
			s := &p.Segments[c][j]
			at[j].SetUint64(uint64(s.Start))
			at[MaxSegments+j].SetUint64(uint64(s.End))
			at[2*MaxSegments+j].SetBigInt(s.Base)
			at[3*MaxSegments+j].SetBigInt(s.Slope)
		}
	}
	v[AtPrice].SetBigInt(p.Price)
	return v
}

// Fingerprint is the vector as a polynomial evaluated at rho.
func (p *Parameters) Fingerprint(rho fr.Element) fr.Element {
	var out fr.Element
	v := p.Vector()
	for i := len(v) - 1; i >= 0; i-- {
		out.Mul(&out, &rho).Add(&out, &v[i])
	}
	return out
}
