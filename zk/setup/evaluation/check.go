package evaluation

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// ErrNotTheCircuits is the error for values that are not what the circuit has on these powers.
var ErrNotTheCircuits = errors.New("are not the circuit's on these powers of tau")

// Check says whether the values are the circuit's on the powers, up to a chance of 2^-128: see the package's comment. The points must be in their groups, which
// those are that [Read] and [Make] return.
func (v *Values) Check(system *cs.R1CS, powers *Powers) error {
	domain, err := domainOf(system, powers)
	if err != nil {
		return err
	}
	m, n := newMatrix(system), powers.Places()
	if len(v.A) != m.wires || len(v.B) != m.wires || len(v.K) != m.wires || len(v.B2) != m.wires || len(v.Z) != n-1 {
		return fmt.Errorf("%d, %d, %d, %d and %d points %w, which has %d wires and %d places",
			len(v.A), len(v.B), len(v.K), len(v.B2), len(v.Z), ErrNotTheCircuits, m.wires, n)
	}
	r, err := numbers(max(m.wires, n))
	if err != nil {
		return err
	}
	left, right, output := m.combined(&m.left, domain, r), m.combined(&m.right, domain, r), m.combined(&m.output, domain, r)
	tau := powers.factors(fr.One(), 2*n-1)
	for _, array := range []struct {
		name   string
		points []bn254.G1Affine
		want   []product
	}{
		{"A", v.A, []product{{powers.G1.Tau[:n], each(left, tau)}}},
		{"B", v.B, []product{{powers.G1.Tau[:n], each(right, tau)}}},
		{"K", v.K, []product{
			{powers.G1.BetaTau, each(left, powers.factors(powers.Beta, n))},
			{powers.G1.AlphaTau, each(right, powers.factors(powers.Alpha, n))},
			{powers.G1.Tau[:n], each(output, tau)},
		}},
		{"Z", v.Z, []product{{powers.G1.Tau, each(shifted(r[:n-1]), tau)}}},
	} {
		if err := sameSum(product{array.points, r[:len(array.points)]}, array.want); err != nil {
			return fmt.Errorf("points %s %w", array.name, err)
		}
	}
	if err := sameSum2(v.B2, r[:m.wires], powers.G2.Tau, each(right, tau)); err != nil {
		return fmt.Errorf("points B in G2 %w", err)
	}
	return nil
}

// shifted are the coefficients of the polynomial with the coefficients r, times x^n - 1, where n is one more than there are of r.
func shifted(r []fr.Element) []fr.Element {
	n := len(r) + 1
	out := make([]fr.Element, 2*n-1)
	for i := range r {
		out[i].Neg(&r[i])
		out[i+n] = r[i]
	}
	return out
}

// each multiplies numbers one by one; there may be more factors.
func each(numbers, factors []fr.Element) []fr.Element {
	out := make([]fr.Element, len(numbers))
	for i := range out {
		out[i].Mul(&numbers[i], &factors[i])
	}
	return out
}

// numberBytes is the size of the numbers in the combination.
const numberBytes = 16

func numbers(n int) ([]fr.Element, error) {
	b := make([]byte, n*numberBytes)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("drawing numbers for a check: %w", err)
	}
	out := make([]fr.Element, n)
	for i := range out {
		out[i].SetBytes(b[i*numberBytes : (i+1)*numberBytes])
	}
	return out, nil
}

// combined are the coefficients of the polynomial that is the combination of one side's polynomials.
func (m *matrix) combined(side *columns, domain *fft.Domain, r []fr.Element) []fr.Element {
	out := make([]fr.Element, domain.Cardinality)
	for w := range m.wires {
		for _, t := range side.of(w) {
			var product fr.Element
			product.Mul(&m.coefficients[t.coefficient], &r[w])
			out[t.constraint].Add(&out[t.constraint], &product)
		}
	}
	domain.FFTInverse(out, fft.DIF)
	utils.BitReverse(out)
	return out
}

// product is a sum of points, each times its number.
type product struct {
	points  []bn254.G1Affine
	numbers []fr.Element
}

func (p product) sum() (bn254.G1Jac, error) {
	var out bn254.G1Jac
	points, numbers := present(p.points, p.numbers, (*bn254.G1Affine).IsInfinity)
	if len(points) == 0 {
		return out, nil
	}
	_, err := out.MultiExp(points, numbers, ecc.MultiExpConfig{})
	return out, err
}

func sameSum(got product, want []product) error {
	difference, err := got.sum()
	if err != nil {
		return err
	}
	for _, p := range want {
		sum, err := p.sum()
		if err != nil {
			return err
		}
		difference.SubAssign(&sum)
	}
	if !difference.Z.IsZero() {
		return ErrNotTheCircuits
	}
	return nil
}

func sameSum2(points []bn254.G2Affine, r []fr.Element, powers []bn254.G2Affine, polynomial []fr.Element) error {
	var got, want bn254.G2Jac
	points, r = present(points, r, (*bn254.G2Affine).IsInfinity)
	if len(points) > 0 {
		if _, err := got.MultiExp(points, r, ecc.MultiExpConfig{}); err != nil {
			return err
		}
	}
	if _, err := want.MultiExp(powers, polynomial, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	if !got.Equal(&want) {
		return ErrNotTheCircuits
	}
	return nil
}

// present leaves out points at infinity, which add nothing, so that the check does not stand on what the library makes of them.
func present[P any](points []P, numbers []fr.Element, infinite func(*P) bool) ([]P, []fr.Element) {
	kept, with := make([]P, 0, len(points)), make([]fr.Element, 0, len(points))
	for i := range points {
		if !infinite(&points[i]) {
			kept, with = append(kept, points[i]), append(with, numbers[i])
		}
	}
	return kept, with
}
