package verify

import (
	"crypto/sha256"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/assay-net/assay/zk/commit"
)

// srsKey is what a verifier needs of the SRS: the KZG key, and for each chunk
// size the two powers that masks live in.
type srsKey struct {
	Digest commit.Digest
	key    kzg.VerifyingKey
	masks  [][2]bn254.G1Affine // by index in commit.Sizes
}

// EncodeSRSKey derives the verifier's part of an SRS.
func EncodeSRSKey(srs *commit.SRS) ([]byte, error) {
	largest := commit.Sizes[len(commit.Sizes)-1]
	if srs.Len() < 2*largest+2 {
		return nil, fmt.Errorf("SRS has %d powers, want %d", srs.Len(), 2*largest+2)
	}
	digest := srs.Digest()
	vk := srs.VerifyingKey()
	w := &writer{b: digest[:]}
	w.point2(&vk.G2[1])
	for _, n := range commit.Sizes {
		for i := range 2 {
			p := srs.G1(2*n + i)
			w.point(&p)
		}
	}
	return w.b, nil
}

// decodeSRSKey sets both generators itself, so that no key can bring a
// generator at infinity, under which every opening would pass.
func decodeSRSKey(b []byte) (*srsKey, error) {
	r := &reader{b: b}
	k := new(srsKey)
	copy(k.Digest[:], r.take(len(k.Digest), "digest"))
	_, _, g1, g2 := bn254.Generators()
	k.key.G1 = g1
	k.key.G2[0] = g2
	k.key.G2[1] = r.point2("tau")
	for range commit.Sizes {
		k.masks = append(k.masks, [2]bn254.G1Affine{r.point("mask base"), r.point("mask base")})
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	k.key.Lines[0] = bn254.PrecomputeLines(k.key.G2[0])
	k.key.Lines[1] = bn254.PrecomputeLines(k.key.G2[1])
	return k, k.checkMasks(b)
}

// checkMasks checks what pairings can check: that each size's two bases are
// τ apart. That they are the powers 2n and 2n+1 of the SRS with this digest can
// only be seen with the SRS at hand: whoever agrees to pin the key compares it
// with what [EncodeSRSKey] gives.
func (k *srsKey) checkMasks(encoded []byte) error {
	digest := sha256.Sum256(encoded)
	draw := commit.NewWeights(digest[:])
	var low, high combination
	for _, m := range k.masks {
		weight := shortWeight(draw.Next())
		high.add(m[1], weight)
		low.add(m[0], *weight.Neg(&weight))
	}
	if k.tauApart(high.sum(), low.sum()) {
		return nil
	}
	for i, m := range k.masks { // name the first
		if !k.tauApart(m[1], *m[0].Neg(&m[0])) {
			return fmt.Errorf("mask bases for %d slots are not consecutive powers of tau", commit.Sizes[i])
		}
	}
	return nil
}

// tauApart checks that high is −τ times minusLow.
func (k *srsKey) tauApart(high, minusLow bn254.G1Affine) bool {
	copied := k.key.Lines // pairing writes to them
	ok, err := bn254.PairingCheckFixedQ([]bn254.G1Affine{high, minusLow}, copied[:])
	return err == nil && ok
}

func (k *srsKey) maskBases(size uint32) ([2]bn254.G1Affine, error) {
	for i, n := range commit.Sizes {
		if uint32(n) == size {
			return k.masks[i], nil
		}
	}
	return [2]bn254.G1Affine{}, fmt.Errorf("no chunk has %d slots", size)
}
