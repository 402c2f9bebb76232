package federated

import (
	"errors"
	"fmt"
	"math/big"
)

// ErrOpening is what errors about opened totals wrap: they are no sum of parts of this query. A
// key share or the sum was wrong, or an owner's part was nothing that a fleet has.
var ErrOpening = errors.New("the opened totals are no sum of parts of this query")

func wrong(format string, a ...any) error {
	return fmt.Errorf("reading totals: %s: %w", fmt.Sprintf(format, a...), ErrOpening)
}

// checkOpening tells no total in its errors: they travel farther than a result.
func (p *Plan) checkOpening(opened []*big.Int, parts int) error {
	if parts < MinOwners || parts > p.owners {
		return fmt.Errorf("reading totals: %d parts, want %d to %d", parts, MinOwners, p.owners)
	}
	if len(opened) != len(p.totals) {
		return wrong("there are %d, want %d", len(opened), len(p.totals))
	}
	k := big.NewInt(int64(parts))
	for i := range p.totals {
		if opened[i] == nil {
			return wrong("%s is missing", p.totals[i].name)
		}
		if i == 0 && opened[0].Cmp(k) != 0 {
			return wrong("coefficient 0 does not hold the number of parts, %d", parts)
		}
		low, high := p.totals[i].bounds()
		if opened[i].Cmp(low.Mul(low, k)) < 0 || opened[i].Cmp(high.Mul(high, k)) > 0 {
			return wrong("%s is not between %s and %s", p.totals[i].name, low, high)
		}
	}
	if p.query.Privacy != nil {
		return nil
	}
	return p.checkExact(opened, parts)
}

// checkExact looks at what noiseless totals of one cohort have to do with one another.
func (p *Plan) checkExact(opened []*big.Int, parts int) error {
	least := new(big.Int).Mul(big.NewInt(int64(parts)), new(big.Int).SetUint64(p.query.Minimum))
	if p.count != 0 && opened[p.count].Cmp(least) < 0 {
		return wrong("count is below %s, the minimum of %d owners", least, parts)
	}
	for i := range p.columns {
		if err := p.checkMoments(&p.columns[i], opened, least); err != nil {
			return err
		}
	}
	for i := range p.histograms {
		if err := p.checkBands(&p.histograms[i], opened); err != nil {
			return err
		}
	}
	return nil
}

// checkMoments: with a ≤ d ≤ b for each of n batteries, n·a ≤ Σd ≤ n·b; and as
// (d − a)(b − d) ≥ 0 too, Σd² ≤ (a+b)·Σd − n·a·b. (Σd)² ≤ n·Σd² by Cauchy and Schwarz, and d² is
// odd where d is.
func (p *Plan) checkMoments(c *column, opened []*big.Int, least *big.Int) error {
	a, b, s := big.NewInt(c.lo-c.centre), big.NewInt(c.hi-c.centre), opened[c.sum]
	if p.count == 0 {
		if s.Cmp(a.Mul(a, least)) < 0 {
			return wrong("%s is below %s, the least of the minimum cohorts", p.totals[c.sum].name, a)
		}
		return nil
	}
	n := opened[p.count]
	if s.Cmp(mul(n, a)) < 0 || s.Cmp(mul(n, b)) > 0 {
		return wrong("%s does not go with the count", p.totals[c.sum].name)
	}
	if c.squares == 0 {
		return nil
	}
	v := opened[c.squares]
	most := mul(new(big.Int).Add(a, b), s)
	most.Sub(most, mul(n, mul(a, b)))
	if v.Cmp(most) > 0 || mul(s, s).Cmp(mul(n, v)) > 0 || v.Bit(0) != s.Bit(0) {
		return wrong("%s does not go with sum and count", p.totals[c.squares].name)
	}
	return nil
}

// checkBands: the bands make up the count, and a sum of the same quantity lies
// between the bands' lower and upper ends.
func (p *Plan) checkBands(h *bands, opened []*big.Int) error {
	n, low, high := new(big.Int), new(big.Int), new(big.Int)
	for j := range len(h.edges) + 1 {
		in := opened[h.first+j]
		lo, hi := h.interval(j)
		n.Add(n, in)
		low.Add(low, mul(in, big.NewInt(lo)))
		high.Add(high, mul(in, big.NewInt(hi)))
	}
	if n.Cmp(opened[p.count]) != 0 {
		return wrong("the bands of %s do not make up the count", h.name)
	}
	for _, c := range p.columns {
		if c.name != h.name {
			continue
		}
		s := mul(n, big.NewInt(c.centre))
		if s.Add(s, opened[c.sum]); s.Cmp(low) < 0 || s.Cmp(high) > 0 {
			return wrong("%s does not go with the bands", p.totals[c.sum].name)
		}
	}
	return nil
}

func mul(x, y *big.Int) *big.Int { return new(big.Int).Mul(x, y) }
