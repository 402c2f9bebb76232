package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Challenge and NewWeights let tests forge proofs and look at weights.
var Challenge = representationChallenge

// Weights draws count weights bound to the given bytes, with randomness of its own.
func Weights(bound []byte, count int) []fr.Element { return newWeights(bound).take(count) }

// WeightsFrom draws count weights bound to the given bytes, with the given randomness.
func WeightsFrom(bound []byte, fresh [32]byte, count int) []fr.Element {
	return weightsFrom(bound, fresh).take(count)
}

func (w *weights) take(count int) []fr.Element {
	out := make([]fr.Element, count)
	for i := range out {
		out[i] = w.next()
	}
	return out
}

// Combine returns a·g + b·h.
func Combine(g, h bn254.G1Affine, a, b fr.Element) bn254.G1Affine { return combine(&g, &h, &a, &b) }
