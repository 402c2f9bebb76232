package commit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// weightBytes is the size of one weight of a random linear combination: a false statement survives with probability
// 2^-128.
const weightBytes = 16

// Weights yields the coefficients of a random linear combination. They depend on what is combined and on 32 fresh
// bytes, so neither a maker of proofs nor a weak generator of randomness can foresee them by itself.
type Weights struct {
	seed    [sha256.Size]byte
	block   [sha256.Size]byte
	counter uint64
}

// NewWeights must be called once everything that is to be combined is fixed; bound is a digest of it.
func NewWeights(bound []byte) *Weights {
	var fresh [32]byte
	rand.Read(fresh[:]) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	return weightsFrom(bound, fresh)
}

func weightsFrom(bound []byte, fresh [32]byte) *Weights {
	t := Transcript{tag: tagWeights}
	t.Bytes([]byte(tagWeights))
	t.Bytes(bound)
	t.Bytes(fresh[:])
	return &Weights{seed: sha256.Sum256(t.buf)}
}

// Next returns a weight of 128 bits.
func (w *Weights) Next() fr.Element {
	half := w.counter % 2 * weightBytes
	if half == 0 {
		w.block = sha256.Sum256(binary.BigEndian.AppendUint64(w.seed[:], w.counter))
	}
	w.counter++
	var wide [fr.Bytes]byte
	copy(wide[fr.Bytes-weightBytes:], w.block[half:half+weightBytes])
	var out fr.Element
	out.SetBytes(wide[:])
	return out
}
