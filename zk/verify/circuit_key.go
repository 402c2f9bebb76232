package verify

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// lines are what a pairing needs of a point of G2 that is known beforehand.
type lines = [2][len(bn254.LoopCounter)]bn254.LineEvaluationAff

// circuitKey is a circuit's verifying key with what is computed from it when it is first needed.
type circuitKey struct {
	*VerifyingKey
	lines func() *circuitLines
}

// circuitLines are the lines of a key's points of G2. Generator and secrets, one for each in-circuit commitment, are
// empty in a key without such commitments.
type circuitLines struct {
	beta, gamma, delta, generator lines
	secrets                       []lines
}

func newCircuitKey(vk *VerifyingKey) *circuitKey {
	return &circuitKey{
		VerifyingKey: vk,
		lines: sync.OnceValue(func() *circuitLines {
			out := &circuitLines{
				beta: bn254.PrecomputeLines(vk.Beta), gamma: bn254.PrecomputeLines(vk.Gamma), delta: bn254.PrecomputeLines(vk.Delta),
			}
			for i := range vk.Commitments {
				if i == 0 { // they share one generator
					out.generator = bn254.PrecomputeLines(vk.Commitments[0].Generator)
				}
				out.secrets = append(out.secrets, bn254.PrecomputeLines(vk.Commitments[i].Secret))
			}
			return out
		}),
	}
}
