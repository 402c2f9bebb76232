package verify

import (
	"fmt"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// lines are what a pairing needs of a point of G2 that is known beforehand.
type lines = [2][len(bn254.LoopCounter)]bn254.LineEvaluationAff

// circuitKey is a circuit's verifying key with what is computed from it, each when it is first needed.
type circuitKey struct {
	*groth16.VerifyingKey
	// alone is the key for gnark's own verifier.
	alone func() (*groth16.VerifyingKey, error)
	lines func() *circuitLines
}

// circuitLines are the lines of a key's points of G2. Generator and secrets, one for each in-circuit commitment, are
// empty in a key without such commitments.
type circuitLines struct {
	beta, gamma, delta, generator lines
	secrets                       []lines
}

func newCircuitKey(vk *groth16.VerifyingKey) *circuitKey {
	return &circuitKey{
		VerifyingKey: vk,
		alone: sync.OnceValues(func() (*groth16.VerifyingKey, error) {
			ready := *vk
			return &ready, ready.Precompute()
		}),
		lines: sync.OnceValue(func() *circuitLines {
			out := &circuitLines{
				beta: bn254.PrecomputeLines(vk.G2.Beta), gamma: bn254.PrecomputeLines(vk.G2.Gamma), delta: bn254.PrecomputeLines(vk.G2.Delta),
			}
			for i := range vk.CommitmentKeys {
				if i == 0 { // they share one generator
					out.generator = bn254.PrecomputeLines(vk.CommitmentKeys[0].G)
				}
				out.secrets = append(out.secrets, bn254.PrecomputeLines(vk.CommitmentKeys[i].GSigmaNeg))
			}
			return out
		}),
	}
}

// foldTag is the domain of the challenge that folds the proofs of knowledge of a proof's in-circuit commitments.
const foldTag = "G16-BSB22"

// challenges returns, as gnark's verifier computes them, the public inputs followed by the challenge of each in-circuit
// commitment, and the challenge by whose powers the commitments' proofs of knowledge are folded.
func (k *circuitKey) challenges(proof *groth16.Proof, public fr.Vector) (fr.Vector, fr.Element, error) {
	out := append(fr.Vector{}, public...)
	var folded []byte
	for i, covered := range k.PublicAndCommitmentCommitted {
		values := make([]fr.Element, len(covered))
		for j, wire := range covered {
			values[j] = out[wire-1] // wire 0 is the constant 1
		}
		challenge := commitmentChallenge(&proof.Commitments[i], values...)
		out, folded = append(out, challenge), append(folded, challenge.Marshal()...)
	}
	if len(folded) == 0 {
		return out, fr.Element{}, nil
	}
	fold, err := fr.Hash(folded, []byte(foldTag), 1)
	if err != nil {
		return nil, fr.Element{}, fmt.Errorf("folding commitments: %w", err)
	}
	return out, fold[0], nil
}
