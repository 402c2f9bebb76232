package zk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// CompileChunk compiles the circuit for chunks of n slots.
func CompileChunk(n int) (*cs.R1CS, error) { return compile(NewChunkCircuit(n)) }

// CompileFleet compiles the fleet circuit.
func CompileFleet() (*cs.R1CS, error) { return compile(new(FleetCircuit)) }

func compile(c frontend.Circuit) (*cs.R1CS, error) {
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		return nil, fmt.Errorf("compiling: %w", err)
	}
	return ccs.(*cs.R1CS), nil
}
