package score

// monomials lists all monomials of n variables up to a degree: degree by degree, within a degree in lexicographic order
// of the non-decreasing sequence of variables. Each but the first is an earlier one, its parent, times one variable, so
// values of all of them cost one product each. The order is part of the request's encoding.
type monomials struct {
	parent, variable []int32
	degree           []int
	// orderings is the multinomial coefficient: how many sequences of variables multiply to this monomial.
	orderings []float64
}

func listMonomials(n, degree int) *monomials {
	size := binomial(n+degree, n)
	m := &monomials{
		parent: make([]int32, 1, size), variable: make([]int32, 1, size),
		degree: make([]int, 1, size), orderings: make([]float64, 1, size),
	}
	m.orderings[0] = 1
	run := make([]int, 1, size) // how often the last variable stands at the end of the sequence
	start := 0
	for d := 1; d <= degree; d++ {
		end := len(m.parent)
		for p := start; p < end; p++ {
			for v := int(m.variable[p]); v < n; v++ {
				r := 1
				if p > 0 && v == int(m.variable[p]) {
					r = run[p] + 1
				}
				m.parent, m.variable = append(m.parent, int32(p)), append(m.variable, int32(v))
				m.degree, run = append(m.degree, d), append(run, r)
				m.orderings = append(m.orderings, m.orderings[p]*float64(d)/float64(r))
			}
		}
		start = end
	}
	return m
}

// evaluate writes the value of every monomial at x into values. The conversion rounds each product, so that no compiler
// fuses it with a later sum: moments are the same on every machine.
func (m *monomials) evaluate(x, values []float64) {
	parent, variable := m.parent, m.variable[:len(m.parent)]
	values = values[:len(parent)]
	values[0] = 1
	for k := 1; k < len(parent); k++ {
		values[k] = float64(values[parent[k]] * x[variable[k]])
	}
}
