package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Challenge and the draws of weights let tests forge proofs and look at weights.
var Challenge = representationChallenge

// DrawWeights draws count weights bound to the given bytes, with randomness of its own.
func DrawWeights(bound []byte, count int) []fr.Element { return NewWeights(bound).take(count) }

// WeightsFrom draws count weights bound to the given bytes, with the given randomness.
func WeightsFrom(bound []byte, fresh [32]byte, count int) []fr.Element {
	return weightsFrom(bound, fresh).take(count)
}

func (w *Weights) take(count int) []fr.Element {
	out := make([]fr.Element, count)
	for i := range out {
		out[i] = w.Next()
	}
	return out
}

// Combine returns a·g + b·h.
func Combine(g, h bn254.G1Affine, a, b fr.Element) bn254.G1Affine { return combine(&g, &h, &a, &b) }

// CheckSignatures verifies signatures as CheckChunk does, the i-th as slot i's.
func CheckSignatures(keys []PublicKey, messages, signatures [][]byte) error {
	slots, each := make([]uint32, len(keys)), make([]signed, len(keys))
	for i := range keys {
		slots[i], each[i] = uint32(i), signed{&keys[i], messages[i], signatures[i]}
	}
	return checkSignatures(slots, each)
}
