package commit_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// ‡ A stolen device and its owner must not write into a neighbour's slot.
func TestChunkRefusesSupportOnANeighboursSlot(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	for name, prove := range map[string]func(a *commit.Attestation){
		"with the proof of the commitment without it": func(*commit.Attestation) {},
		"with a proof forged by leaving R out of the challenge": func(a *commit.Attestation) {
			a.Proof = forge(c.SRS, c.Place.At(5), a.Device, a.C)
		},
		"with a new proof for x and r": func(a *commit.Attestation) {
			opening := c.Openings[5]
			opening.C = a.C
			proof, err := commit.Prove(c.SRS, c.Place.At(5), a.Device, opening, c.Devices[5].Secret)
			if err != nil {
				t.Fatal(err)
			}
			a.Proof = proof
		},
	} {
		bad := edit(t, c, 5, func(a *commit.Attestation) {
			a.C = neighbour(c.SRS, c.Place.At(5), a.C)
			prove(a)
		})
		refused(t, name, bad, "slot 5: proof of representation")
	}
}

// Without independent weights two wrong proofs could cancel.
func TestProofsThatCancelAreRefused(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	d := c.SRS.G1(17)
	var minus bn254.G1Affine
	minus.Neg(&d)
	for slot, shift := range map[int]bn254.G1Affine{20: d, 40: minus} {
		c = edit(t, c, slot, func(a *commit.Attestation) { a.Proof = shiftedProof(c, slot, shift) })
	}
	refused(t, "two proofs whose errors cancel", c, "slot 20: proof of representation")
}

// shiftedProof is an honest proof but for an R moved by shift before the challenge is taken.
func shiftedProof(c *committest.Chunk, slot int, shift bn254.G1Affine) commit.Representation {
	p, o := c.Place.At(uint32(slot)), c.Openings[slot]
	g, h := c.SRS.Bases(p.Size, p.Slot)
	var shifted bn254.G1Affine
	proof := commit.ProveBases(g, h, o.X, o.R, randomScalar(), randomScalar(), func(R bn254.G1Affine) fr.Element {
		shifted.Add(&R, &shift)
		return commit.Challenge(p, c.Devices[slot].Public.DeviceID(), &g, &h, &o.C, &shifted)
	})
	proof.R = shifted
	return proof
}

func TestWeightsAreFreshAndBound(t *testing.T) {
	a, b := commit.DrawWeights([]byte("x"), 40), commit.DrawWeights([]byte("x"), 40)
	c, other := commit.WeightsFrom([]byte("x"), [32]byte{}, 40), commit.WeightsFrom([]byte("y"), [32]byte{}, 40)
	seen := map[fr.Element]bool{}
	longest := 0
	for _, w := range slices.Concat(a, b, c, other) {
		if seen[w] {
			t.Fatal("a weight came twice")
		}
		seen[w] = true
		longest = max(longest, w.BigInt(new(big.Int)).BitLen())
	}
	if longest < 120 || longest > 128 {
		t.Errorf("weights have up to %d bits, want 128", longest)
	}
}
