package evaluation

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// term is one place of a wire's polynomial: the constraint and the coefficient's number.
type term struct{ constraint, coefficient uint32 }

// columns are one side of all constraints by wire: the terms of wire w are terms[begin[w]:begin[w+1]], equal coefficients next to each other.
type columns struct {
	begin []int
	terms []term
}

func (c *columns) of(wire int) []term { return c.terms[c.begin[wire]:c.begin[wire+1]] }

// matrix is a circuit's constraints by wire.
type matrix struct {
	left, right, output columns
	coefficients        []fr.Element
	multipliers         []coefficient // the same, as points are multiplied with them
	constraints, wires  int
}

func newMatrix(system *cs.R1CS) *matrix {
	internal, secret, public := system.GetNbVariables()
	m := &matrix{coefficients: system.Coefficients, constraints: system.GetNbConstraints(), wires: internal + secret + public}
	for _, c := range m.coefficients {
		m.multipliers = append(m.multipliers, coefficientOf(c))
	}
	sides := []*columns{&m.left, &m.right, &m.output}
	for _, s := range sides {
		s.begin = make([]int, m.wires+1)
	}
	eachTerm(system, func(side int, _ uint32, t constraint.Term) { sides[side].begin[t.WireID()+1]++ })
	next := make([][]int, len(sides))
	for i, s := range sides {
		for w := range m.wires {
			s.begin[w+1] += s.begin[w]
		}
		s.terms, next[i] = make([]term, s.begin[m.wires]), slices.Clone(s.begin)
	}
	eachTerm(system, func(side int, row uint32, t constraint.Term) {
		at := &next[side][t.WireID()]
		sides[side].terms[*at] = term{row, uint32(t.CoeffID())}
		*at++
	})
	for _, s := range sides {
		for w := range m.wires {
			slices.SortFunc(s.of(w), func(a, b term) int { return int(a.coefficient) - int(b.coefficient) })
		}
	}
	return m
}

// eachTerm goes through the left, right and output sides of all constraints.
func eachTerm(system *cs.R1CS, do func(side int, row uint32, t constraint.Term)) {
	constraints := system.GetR1CIterator()
	for row := uint32(0); ; row++ {
		c := constraints.Next()
		if c == nil {
			return
		}
		for side, terms := range []constraint.LinearExpression{c.L, c.R, c.O} {
			for _, t := range terms {
				do(side, row, t)
			}
		}
	}
}

// inParallel does every piece of work on all processors. It ends early, with the context's error, if the context does.
func inParallel(ctx context.Context, pieces int, do func(i int)) error {
	const atOnce = 32 // so few that the last processor is not long alone
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for ctx.Err() == nil {
				end := int(next.Add(atOnce))
				for i := end - atOnce; i < min(end, pieces); i++ {
					do(i)
				}
				if end >= pieces {
					return
				}
			}
		})
	}
	all.Wait()
	return ctx.Err()
}
