package evaluation

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	proofs "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark-crypto/utils"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Start gives values that are the circuit's the form that contributions and keys are made from.
func (v *Values) Start(system *cs.R1CS) (*mpcsetup.Phase2, *mpcsetup.Phase2Evaluations) {
	commitments, _ := system.CommitmentInfo.(constraint.Groth16Commitments)
	_, _, public := system.GetNbVariables()
	state, keys := new(mpcsetup.Phase2), new(mpcsetup.Phase2Evaluations)
	keys.PublicAndCommitmentCommitted = commitments.GetPublicAndCommitmentCommitted(commitments.CommitmentIndexes(), public)
	keys.G1.A, keys.G1.B, keys.G2.B = v.A, v.B, v.B2

	_, _, g1, g2 := bn254.Generators()
	state.Parameters.G1.Delta, state.Parameters.G2.Delta = g1, g2
	z := append(slices.Clone(v.Z), bn254.G1Affine{})
	utils.BitReverse(z) // the library's order
	state.Parameters.G1.Z = z[:len(v.Z)]
	state.Sigmas = make([]proofs.UpdateProof, len(commitments))
	for range commitments {
		state.Parameters.G2.Sigma = append(state.Parameters.G2.Sigma, g2)
	}

	keys.G1.CKK = make([][]bn254.G1Affine, len(commitments))
	owner, isCommitment := map[int]int{}, map[int]bool{}
	for i, c := range commitments {
		isCommitment[c.CommitmentIndex] = true
		for _, wire := range c.PrivateCommitted {
			owner[wire] = i
		}
	}
	for wire, point := range v.K {
		if i, committed := owner[wire]; committed {
			keys.G1.CKK[i] = append(keys.G1.CKK[i], point)
		} else if wire < public || isCommitment[wire] {
			keys.G1.VKK = append(keys.G1.VKK, point)
		} else {
			state.Parameters.G1.PKK = append(state.Parameters.G1.PKK, point)
		}
	}
	state.Parameters.G1.SigmaCKK = make([][]bn254.G1Affine, len(commitments))
	for i := range commitments {
		state.Parameters.G1.SigmaCKK[i] = slices.Clone(keys.G1.CKK[i])
	}
	return state, keys
}
