package statement

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/assay-net/assay/zk/record"
)

// Claim is Σ coefficient × total ≥ AtLeast, in physical units: sums of
// percents, of milliampere-hours, value in currency. A mean is claimed by
// subtracting the bound from every counted device: state_of_health ×1,
// count ×−85, at least 0, is "the mean state of health is at least 85 %". An
// upper bound is a claim with the signs turned. Such a claim also holds for an
// empty cohort: ask for a count beside it.
//
// A share of the fleet is claimed against the enrolled number, which is public
// and part of AtLeast: against those that reported, an owner could improve it
// by switching bad devices off.
type Claim struct {
	Terms   []Term `json:"terms"`
	AtLeast string `json:"at_least"`
}

// Term is a total ("population", "count", "value" or a lane's name for its sum
// over the cohort) times a coefficient with up to six decimal places.
type Term struct {
	Total       string `json:"total"`
	Coefficient string `json:"coefficient"`
}

// Bounds of a claim once it is in integers. With totals below 2^80 no claim
// can reach 2^125, so none wraps around the field.
const (
	CoefficientBits   = 40
	ClaimBits         = 126
	coefficientPlaces = 6
)

// IntegerClaim is a claim over the totals' stored units: Σ A·total ≥ B.
type IntegerClaim struct {
	A [TotalCount]*big.Int
	B *big.Int
}

// Holds evaluates the claim on totals.
func (c *IntegerClaim) Holds(t Totals) bool {
	sum := new(big.Int).Neg(c.B)
	for i, v := range t.Vector() {
		sum.Add(sum, new(big.Int).Mul(c.A[i], v))
	}
	return sum.Sign() >= 0
}

// Integers turns the claims into integers, exactly, and refuses those whose
// coefficients or bound are too large for the circuit.
func (s *Statement) Integers() ([]IntegerClaim, error) {
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return nil, fmt.Errorf("statement: schema: %w", err)
	}
	if len(s.Claims) > MaxClaims {
		return nil, fmt.Errorf("statement: %d claims, at most %d", len(s.Claims), MaxClaims)
	}
	out := make([]IntegerClaim, len(s.Claims))
	for i := range s.Claims {
		if out[i], err = s.integers(schema, &s.Claims[i]); err != nil {
			return nil, fmt.Errorf("statement: claim %d: %w", i+1, err)
		}
	}
	return out, nil
}

func (s *Statement) integers(schema *record.Schema, c *Claim) (IntegerClaim, error) {
	const places = coefficientPlaces + 9 // no total has more than nine decimal places
	out := IntegerClaim{B: new(big.Int)}
	for i := range out.A {
		out.A[i] = new(big.Int)
	}
	if len(c.Terms) == 0 || len(c.Terms) > TotalCount {
		return out, fmt.Errorf("%d terms, want 1 to %d", len(c.Terms), TotalCount)
	}
	totals := s.totals(schema)
	seen := map[string]bool{}
	for _, term := range c.Terms {
		i, err := s.totalIndex(schema, term.Total)
		if err != nil {
			return out, err
		}
		if seen[term.Total] {
			return out, fmt.Errorf("total %q appears twice", term.Total)
		}
		seen[term.Total] = true
		d, err := parseDecimal(term.Coefficient, coefficientPlaces)
		if err != nil {
			return out, fmt.Errorf("coefficient of %s: %w", term.Total, err)
		}
		t := totals[i]
		out.A[i].Add(out.A[i], d.scaled(places-t.places))
		if t.offset != 0 {
			out.A[Count].Sub(out.A[Count], new(big.Int).Mul(big.NewInt(t.offset), d.scaled(places)))
		}
	}
	b, err := parseDecimal(c.AtLeast, coefficientPlaces)
	if err != nil {
		return out, fmt.Errorf("at_least: %w", err)
	}
	out.B = b.scaled(places)
	return out, out.reduce()
}

// reduce divides by the greatest common divisor and checks the bounds.
func (c *IntegerClaim) reduce() error {
	g := new(big.Int).Abs(c.B)
	for _, a := range c.A {
		g.GCD(nil, nil, g, new(big.Int).Abs(a))
	}
	zero := true
	for i := range c.A {
		if g.Sign() != 0 {
			c.A[i].Quo(c.A[i], g)
		}
		zero = zero && c.A[i].Sign() == 0
		if c.A[i].BitLen() > CoefficientBits {
			return fmt.Errorf("a coefficient in integers needs %d bits, at most %d: use fewer decimal places", c.A[i].BitLen(), CoefficientBits)
		}
	}
	if zero {
		return fmt.Errorf("every coefficient is zero")
	}
	if g.Sign() != 0 {
		c.B.Quo(c.B, g)
	}
	if c.B.BitLen() > ClaimBits-3 {
		return fmt.Errorf("at_least in integers needs %d bits, at most %d", c.B.BitLen(), ClaimBits-3)
	}
	return nil
}

// String prints the claim as a formula.
func (c *Claim) String() string {
	var b strings.Builder
	for i, t := range c.Terms {
		coefficient, negative := strings.CutPrefix(t.Coefficient, "-")
		switch {
		case i == 0 && negative:
			b.WriteString("−")
		case i > 0 && negative:
			b.WriteString(" − ")
		case i > 0:
			b.WriteString(" + ")
		}
		if coefficient != "1" {
			b.WriteString(coefficient + "·")
		}
		b.WriteString(t.Total)
	}
	return b.String() + " ≥ " + strings.Replace(c.AtLeast, "-", "−", 1)
}
