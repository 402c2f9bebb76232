package zk

import (
	"math/big"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"

	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// fleetForgery is an assignment of the fleet circuit in which anything can be
// changed after it was settled.
type fleetForgery struct {
	totals   []statement.Totals
	openings [verify.FleetInputs]verify.Output
	tags     [verify.FleetInputs]fr.Element
	salt     fr.Element
	claims   []statement.IntegerClaim

	FleetCircuit
	options []solver.Option
}

// newFleetForgery is an honest assignment that discloses every total.
func newFleetForgery(totals ...statement.Totals) *fleetForgery {
	f := &fleetForgery{totals: totals, salt: uniform()}
	f.Folded = 0
	for k := range f.openings {
		f.tags[k] = verify.ChunkOutput.Element()
		if k < len(totals) {
			f.openings[k] = verify.NewOutput(totals[k], uniform())
		}
	}
	f.settle()
	return f
}

// settle recomputes everything from totals, openings and tags.
func (f *fleetForgery) settle() {
	var sum verify.Output
	total := statement.Totals{Exact: new(big.Int)}
	for k, o := range f.openings {
		f.Inputs[k] = permuted(f.tags[k], o)
		f.Openings[k] = [4]frontend.Variable{o.First, o.Second, o.Exact, o.Salt}
		sum.First.Add(&sum.First, &o.First)
		sum.Second.Add(&sum.Second, &o.Second)
		sum.Exact.Add(&sum.Exact, &o.Exact)
	}
	sum.Salt = f.salt
	f.Salt, f.Binding = f.salt, uniform()
	f.Output = sum.Commit(verify.FleetOutput)
	for _, t := range f.totals {
		total = total.Add(t)
	}
	value, remainder := new(big.Int).QuoRem(total.Exact, statement.ValueScale(), new(big.Int))
	f.Value, f.Remainder = value, remainder
	for i := range f.Holds {
		f.Holds[i], f.Bounds[i] = 1, 0
		for j := range f.Coefficients[i] {
			f.Coefficients[i][j] = 0
		}
		if i < len(f.claims) {
			f.Bounds[i], f.Holds[i] = f.claims[i].B, boolean(f.claims[i].Holds(total))
			for j, a := range f.claims[i].A {
				f.Coefficients[i][j] = a
			}
		}
	}
	for i, v := range total.Vector() {
		f.Disclose[i], f.Disclosed[i] = 1, v
	}
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

var permutation = sync.OnceValue(func() *poseidon2.Permutation {
	return poseidon2.NewPermutation(verify.OutputWidth, verify.OutputFullRounds, verify.OutputPartialRounds)
})

// permuted is a hidden output under any tag.
func permuted(tag fr.Element, o verify.Output) fr.Element {
	state := make([]fr.Element, verify.OutputWidth)
	state[0], state[1], state[2], state[3], state[4] = tag, o.First, o.Second, o.Exact, o.Salt
	if err := permutation().Permutation(state); err != nil {
		panic(err)
	}
	return state[1]
}

func (f *fleetForgery) solve(system partialSystem) error {
	w, err := frontend.NewWitness(&f.FleetCircuit, ecc.BN254.ScalarField())
	if err != nil {
		return err
	}
	_, err = system.Solve(w, f.options...)
	return err
}

// fleetRefuses shows that the fleet circuit refuses a forgery, and that it would
// accept it without the named assertions.
func fleetRefuses(t *testing.T, f *fleetForgery, assertions ...string) {
	t.Helper()
	if err := f.solve(without(t, "fleet")); err == nil {
		t.Error("the circuit accepts the forgery")
	}
	if testing.Short() {
		return // every partial circuit takes half a second to compile
	}
	if err := f.solve(without(t, "fleet", assertions...)); err != nil {
		t.Errorf("without %q the circuit still refuses the forgery, so it does not test them: %v", assertions, err)
	}
}

func fleetTotals(scale int64) statement.Totals {
	t := statement.Totals{Population: uint64(60 * scale), Count: uint64(41 * scale)}
	for i := 1; i < len(t.Sums); i++ {
		t.Sums[i] = uint64(scale) * uint64(1000*i+7)
	}
	t.Exact = new(big.Int).Mul(statement.ValueScale(), big.NewInt(125_000*scale))
	t.Exact.Add(t.Exact, big.NewInt(1_000_003))
	return t
}

func claim(bound int64, coefficients map[int]int64) statement.IntegerClaim {
	c := statement.IntegerClaim{B: big.NewInt(bound)}
	for i := range c.A {
		c.A[i] = big.NewInt(coefficients[i])
	}
	return c
}

func fleetForged() *fleetForgery {
	f := newFleetForgery(fleetTotals(1), fleetTotals(2))
	f.claims = []statement.IntegerClaim{
		claim(100, map[int]int64{statement.Count: 1}),                          // 123 ≥ 100
		claim(0, map[int]int64{statement.Count: -9, statement.LaneSum + 1: 1}), // 3021 − 1107 ≥ 0
		claim(375_001, map[int]int64{statement.Value: 1}),                      // 375 000 ≥ 375 001
		claim(-200, map[int]int64{statement.Population: -1}),                   // −180 ≥ −200
	}
	f.settle()
	return f
}
