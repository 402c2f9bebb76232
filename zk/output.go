package zk

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/permutation/poseidon2"

	"github.com/assay-net/assay/zk/verify"
)

// hiddenOutput is [verify.Output.Commit] as constraints. The tag may be a
// constant or a variable.
func hiddenOutput(api frontend.API, tag frontend.Variable, opening [4]frontend.Variable) (frontend.Variable, error) {
	if t, ok := tag.(fr.Element); ok {
		tag = t.String()
	}
	p, err := poseidon2.NewPoseidon2FromParameters(api, verify.OutputWidth, verify.OutputFullRounds, verify.OutputPartialRounds)
	if err != nil {
		return nil, err
	}
	state := make([]frontend.Variable, verify.OutputWidth)
	for i := range state {
		state[i] = 0
	}
	state[0] = tag
	copy(state[1:], opening[:])
	if err := p.Permutation(state); err != nil {
		return nil, err
	}
	return state[1], nil
}
