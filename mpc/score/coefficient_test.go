package score

import (
	"math/big"
	"testing"
)

func rat(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

func product(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// exactShifted is p(centre/unit + y) in powers of y, in rational numbers.
func exactShifted(p []float64, at *big.Rat) []*big.Rat {
	q := make([]*big.Rat, len(p))
	for j := range q {
		q[j] = new(big.Rat)
		power := rat(1)
		for i := j; i < len(p); i++ {
			ways := new(big.Rat).SetInt(new(big.Int).Binomial(int64(i), int64(j)))
			q[j].Add(q[j], product(product(ways, power), rat(p[i])))
			power = product(power, at)
		}
	}
	return q
}

func exactSquare(q []*big.Rat) []*big.Rat {
	s := make([]*big.Rat, 2*len(q)-1)
	for i := range s {
		s[i] = new(big.Rat)
	}
	for i, a := range q {
		for j, b := range q {
			s[i+j].Add(s[i+j], product(a, b))
		}
	}
	return s
}

// exactCoefficients is expand in rational numbers, from the model in stored units.
func exactCoefficients(m *Model, square bool) []*big.Rat {
	p, unit := m.polynomial()
	scale := new(big.Rat).Inv(rat(unit))
	at := rat(m.Intercept)
	weights := make([]*big.Rat, len(m.Features))
	for i, f := range m.Features {
		at.Add(at, product(rat(f.Weight), big.NewRat(int64(f.High)+int64(f.Low), 2)))
		weights[i] = product(product(rat(f.Weight), big.NewRat(int64(f.High)-int64(f.Low), 2)), scale)
	}
	q := exactShifted(p, product(at, scale))
	if square {
		q = exactSquare(q)
	}
	list := listMonomials(len(weights), len(q)-1)
	powers := []*big.Rat{rat(1)}
	coefficients := []*big.Rat{q[0]}
	for k := 1; k < len(list.parent); k++ {
		powers = append(powers, product(powers[list.parent[k]], weights[list.variable[k]]))
		coefficients = append(coefficients, product(product(powers[k], q[list.degree[k]]), rat(list.orderings[k])))
	}
	return coefficients
}

// The coefficients are as near to the exact ones as a result's bound says, in all.
func TestCoefficientError(t *testing.T) {
	for seed := range uint64(6) {
		for _, m := range []*Model{
			model(seed, Linear, 16, 1, true), model(seed, Logistic, 3, 7, true), model(seed, Logistic, 1, 7, true),
			model(seed, Logistic, 8, 3, false),
		} {
			if seed%2 == 1 && m.Kind == Logistic {
				m.Interval = max(1, m.Reach()/maxBeyond*1.001) // as far beyond the fit as may be
			}
			must(t, m.Check())
			for i := range m.Shape().numbers() {
				miss := new(big.Rat)
				got := m.expand(i == 1)
				for k, want := range exactCoefficients(m, i == 1) {
					d := new(big.Rat).Sub(rat(got[k]), want)
					miss.Add(miss, d.Abs(d))
				}
				if v, _ := miss.Float64(); v > m.gross(i == 1)*0x1p-46 {
					t.Errorf("%s, %d features: coefficients are off by %g, bound %g", m.Kind, len(m.Features), v, m.gross(i == 1)*0x1p-46)
				}
			}
		}
	}
}
