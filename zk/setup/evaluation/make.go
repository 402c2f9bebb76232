package evaluation

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Values are a circuit's points: of A, B, K and B2 one for every wire, of Z one for each place but the last.
type Values struct {
	A, B, K, Z []bn254.G1Affine
	B2         []bn254.G2Affine
}

// Make computes the values on the powers, of which there must be as many as the circuit's domain has places. It uses all processors.
func Make(ctx context.Context, system *cs.R1CS, powers *Powers) (*Values, error) {
	domain, err := domainOf(system, powers)
	if err != nil {
		return nil, err
	}
	m, v, n := newMatrix(system), new(Values), powers.Places()
	if v.Z, err = vanishing(ctx, powers); err != nil {
		return nil, err
	}
	if v.B2, err = m.right2(ctx, domain, powers); err != nil {
		return nil, err
	}
	a, b, k := make([]bn254.G1Jac, m.wires), make([]bn254.G1Jac, m.wires), make([]bn254.G1Jac, m.wires)
	for _, on := range []struct {
		powers []bn254.G1Affine
		factor fr.Element
		sums   map[*columns][]bn254.G1Jac
	}{
		{powers.G1.Tau[:n], fr.One(), map[*columns][]bn254.G1Jac{&m.left: a, &m.right: b, &m.output: k}},
		{powers.G1.BetaTau, powers.Beta, map[*columns][]bn254.G1Jac{&m.left: k}},
		{powers.G1.AlphaTau, powers.Alpha, map[*columns][]bn254.G1Jac{&m.right: k}},
	} {
		bases, err := lagrange(ctx, domain, powers, on.powers, on.factor, (*bn254.G1Jac).FromAffine)
		if err != nil {
			return nil, err
		}
		for side, sums := range on.sums {
			if err := accumulate(ctx, m, side, sums, bases); err != nil {
				return nil, err
			}
		}
	}
	v.A, v.B, v.K = bn254.BatchJacobianToAffineG1(a), bn254.BatchJacobianToAffineG1(b), bn254.BatchJacobianToAffineG1(k)
	return v, nil
}

func domainOf(system *cs.R1CS, powers *Powers) (*fft.Domain, error) {
	if err := powers.check(); err != nil {
		return nil, err
	}
	if powers.Places() < system.GetNbConstraints() {
		return nil, fmt.Errorf("%d powers for %d constraints", powers.Places(), system.GetNbConstraints())
	}
	return fft.NewDomain(uint64(powers.Places())), nil
}

// vanishing are the points of tau^i (tau^n - 1).
func vanishing(ctx context.Context, powers *Powers) ([]bn254.G1Affine, error) {
	n := powers.Places()
	closed, err := times(ctx, powers.G1.Tau, powers.factors(fr.One(), 2*n-1), (*bn254.G1Jac).FromAffine)
	if err != nil {
		return nil, err
	}
	for i := range n - 1 {
		closed[i+n].SubAssign(&closed[i])
	}
	return bn254.BatchJacobianToAffineG1(closed[n:]), nil
}

func (m *matrix) right2(ctx context.Context, domain *fft.Domain, powers *Powers) ([]bn254.G2Affine, error) {
	bases, err := lagrange(ctx, domain, powers, powers.G2.Tau, fr.One(), (*bn254.G2Jac).FromAffine)
	if err != nil {
		return nil, err
	}
	sums := make([]bn254.G2Jac, m.wires)
	if err := accumulate(ctx, m, &m.right, sums, bases); err != nil {
		return nil, err
	}
	out := make([]bn254.G2Affine, m.wires)
	return out, inParallel(ctx, m.wires, func(w int) { out[w].FromJacobian(&sums[w]) })
}

// lagrange turns powers of tau, times a factor, into the values of the domain's Lagrange polynomials at tau: an inverse Fourier transform in the exponent. What
// closes the powers and the division by their number are one multiplication.
func lagrange[A, J any, P group[J]](ctx context.Context, domain *fft.Domain, of *Powers, powers []A, factor fr.Element, from func(P, *A) P) ([]J, error) {
	twiddles, err := domain.TwiddlesInv()
	if err != nil {
		return nil, err
	}
	n := len(powers)
	points, err := times(ctx, powers, of.factors(*factor.Mul(&factor, &domain.CardinalityInv), n), from)
	if err != nil {
		return nil, err
	}
	for stage, half := 0, n/2; half > 0; stage, half = stage+1, half/2 {
		err := inParallel(ctx, n/2, func(i int) {
			block, inside := i/half, i%half
			low, high := P(&points[2*block*half+inside]), P(&points[2*block*half+half+inside])
			difference := *low
			P(&difference).SubAssign(high)
			low.AddAssign(high)
			*high = difference
			if inside > 0 {
				scale[J, P](high, &twiddles[stage][inside])
			}
		})
		if err != nil {
			return nil, err
		}
	}
	utils.BitReverse(points)
	return points, nil
}

// accumulate adds every wire's terms of one side to its sum.
func accumulate[T any, P group[T]](ctx context.Context, m *matrix, side *columns, sums, bases []T) error {
	return inParallel(ctx, m.wires, func(w int) {
		var large []multiplied[T]
		for terms := side.of(w); len(terms) > 0; {
			var sum T // of those with the same coefficient: one multiplication for all
			id, n := terms[0].coefficient, 0
			for ; n < len(terms) && terms[n].coefficient == id; n++ {
				P(&sum).AddAssign(&bases[terms[n].constraint])
			}
			terms = terms[n:]
			switch c := &m.multipliers[id]; c.size.BitLen() {
			case 0:
			case 1:
				addSigned[T, P](&sums[w], &sum, c.negative)
			default:
				large = append(large, multiplied[T]{sum, c})
			}
		}
		if len(large) > 0 {
			sum := sumOf[T, P](large)
			P(&sums[w]).AddAssign(&sum)
		}
	})
}
