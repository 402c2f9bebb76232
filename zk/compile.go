package zk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/assay-net/assay/zk/statement"
)

// CompileChunk compiles the circuit for chunks of n slots.
func CompileChunk(n int) (*cs.R1CS, error) {
	system, err := compile(NewChunkCircuit(n))
	if err != nil {
		return nil, err
	}
	turn(system, system.GetNbPublicVariables()+2*n+3+statement.VectorSize+1, n*slotLimbs+tableSize)
	return system, nil
}

// CompileFleet compiles the fleet circuit.
func CompileFleet() (*cs.R1CS, error) { return compile(new(FleetCircuit)) }

func compile(c frontend.Circuit) (*cs.R1CS, error) {
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		return nil, fmt.Errorf("compiling: %w", err)
	}
	return ccs.(*cs.R1CS), nil
}

// oftenUsed is in how many constraints a wire occurs before it counts for
// nothing: a challenge costs one point however often it is used.
const oftenUsed = 500

// turn exchanges the factors of products so that large values stand on the
// left. What is on the right is paid for in G2, several times what it costs on
// the left, and by its size: an inverse of 254 bits times a limb of ten is cheap
// one way round and dear the other. The builder goes by the number of terms
// alone. L·R = O and R·L = O are the same constraint.
//
// The limbs and their uses, known to be small, are the wires from first on.
func turn(system *cs.R1CS, first, count int) {
	products := factors(system)
	uses := make([]int, system.GetNbPublicVariables()+system.GetNbSecretVariables()+system.GetNbInternalVariables())
	for _, p := range products {
		for i := 1; i < len(p.terms); i += 2 {
			uses[p.terms[i]]++
		}
	}
	cost := func(terms []uint32) (n int) {
		for i := 1; i < len(terms); i += 2 {
			wire := int(terms[i])
			if small := wire >= first && wire < first+count; wire != 0 && !small && uses[wire] <= oftenUsed {
				n++
			}
		}
		return n
	}
	for _, p := range products {
		n := 2 * p.lengths[0]
		left, right := p.terms[:n], p.terms[n:]
		if cost(right) <= cost(left) {
			continue
		}
		swapped := append(append(make([]uint32, 0, len(p.terms)), right...), left...)
		copy(p.terms, swapped)
		p.lengths[0], p.lengths[1] = p.lengths[1], p.lengths[0]
	}
}

// product is a constraint's two factors in the system's own storage: pairs of
// coefficient and wire, those of the left factor first.
type product struct {
	lengths []uint32 // terms on the left, on the right
	terms   []uint32
}

func factors(system *cs.R1CS) []product {
	var out []product
	for _, in := range system.Instructions {
		if _, ok := system.Blueprints[in.BlueprintID].(*constraint.BlueprintGenericR1C); !ok {
			continue
		}
		data := system.CallData[in.StartCallData:]
		left, right := int(data[1]), int(data[2])
		out = append(out, product{lengths: data[1:3], terms: data[4 : 4+2*(left+right)]})
	}
	return out
}
