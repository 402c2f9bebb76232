package commit

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// proven is an attestation with the message that is signed and the challenge of its proof of representation.
type proven struct {
	*Attestation
	message   []byte
	challenge fr.Element
}

// checkProofs asserts Σ w_s·(z_x·G_s + z_r·H_s − R_s − c_s·C_s) = 0 in one multi-scalar multiplication, for weights
// drawn now that everything is fixed: root is a digest of all attestations. If the sum is not zero, the lowest slot
// whose proof is false is named.
func checkProofs(srs *SRS, place ChunkPlace, each []proven, root Digest) error {
	points := make([]bn254.G1Affine, 0, 4*len(each))
	scalars := make([]fr.Element, 0, 4*len(each))
	draw := NewWeights(root[:])
	for i := range each {
		a := &each[i]
		g, h := srs.Bases(place.Size, a.Slot)
		w := draw.Next()
		var wc, wx, wr fr.Element
		wc.Mul(&w, &a.challenge)
		wx.Mul(&w, &a.Proof.Zx).Neg(&wx)
		wr.Mul(&w, &a.Proof.Zr).Neg(&wr)
		points = append(points, a.Proof.R, a.C, g, h)
		scalars = append(scalars, w, wc, wx, wr)
	}
	var sum bn254.G1Jac
	if _, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{NbTasks: runtime.GOMAXPROCS(0)}); err != nil {
		return fmt.Errorf("combining proofs: %w", err)
	}
	if sum.Z.IsZero() {
		return nil
	}
	return blame(srs, place, each)
}

// blame checks the proofs one by one.
func blame(srs *SRS, place ChunkPlace, each []proven) error {
	errs := make([]error, len(each))
	inParallel(len(each), func(i int) {
		a := &each[i]
		g, h := srs.Bases(place.Size, a.Slot)
		errs[i] = a.Proof.CheckBases(g, h, a.C, a.challenge)
	})
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("slot %d: %w", each[i].Slot, err)
		}
	}
	return errors.New("proofs verify one by one and not together: arithmetic is broken")
}
