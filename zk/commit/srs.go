package commit

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
)

const (
	// MaxPowers is the largest number of powers of τ in G1: two per slot of the largest chunk and two for the mask of a
	// proof.
	MaxPowers = 2*MaxSize + 2
	// minPowers is what one pairing check needs to say anything.
	minPowers = 2
)

// SRS holds the powers [τ^i] in G1 and [1], [τ] in G2. It never changes once made, so it may be shared.
type SRS struct {
	g1     []bn254.G1Affine
	g2     [2]bn254.G2Affine
	lines  [2][2][len(bn254.LoopCounter)]bn254.LineEvaluationAff
	digest Digest
}

// NewSRS copies the powers and checks their form: 2 to MaxPowers of them, the first of each group its generator, none
// at infinity, all on the curve and in the subgroup, no two of them equal up to sign (a τ of small order would give
// neighbouring slots one base), and successive powers of one τ. The last is checked by two pairings over a random
// 128-bit combination and holds but for a chance of 2^-128. Whether anybody knows τ cannot be seen from the powers.
func NewSRS(g1 []bn254.G1Affine, g2 [2]bn254.G2Affine) (*SRS, error) {
	if len(g1) < minPowers || len(g1) > MaxPowers {
		return nil, fmt.Errorf("srs: %d powers in G1, must be %d to %d", len(g1), minPowers, MaxPowers)
	}
	s := &SRS{g1: append([]bn254.G1Affine(nil), g1...), g2: g2}
	if err := s.checkPoints(); err != nil {
		return nil, fmt.Errorf("srs: %w", err)
	}
	if err := s.checkPowers(); err != nil {
		return nil, fmt.Errorf("srs: %w", err)
	}
	for i := range s.g2 {
		s.lines[i] = bn254.PrecomputeLines(s.g2[i])
	}
	s.digest = s.computeDigest()
	return s, nil
}

func (s *SRS) checkPoints() error {
	_, _, generator1, generator2 := bn254.Generators()
	if !s.g1[0].Equal(&generator1) {
		return errors.New("G1[0] is not the generator")
	}
	if !s.g2[0].Equal(&generator2) {
		return errors.New("G2[0] is not the generator")
	}
	seen := make(map[[32]byte]int, len(s.g1))
	for i := range s.g1 {
		if err := checkPoint(&s.g1[i]); err != nil {
			return fmt.Errorf("G1[%d]: %w", i, err)
		}
		x := s.g1[i].X.Bytes()
		if j, ok := seen[x]; ok {
			return fmt.Errorf("G1[%d] equals G1[%d] up to sign", i, j)
		}
		seen[x] = i
	}
	if s.g2[1].IsInfinity() || !s.g2[1].IsOnCurve() || !s.g2[1].IsInSubGroup() {
		return errors.New("G2[1] is not a finite point of the subgroup")
	}
	return nil
}

// checkPowers asserts e(Σ ρ_i·G1[i], [τ]) = e(Σ ρ_i·G1[i+1], [1]) for random ρ.
func (s *SRS) checkPowers() error {
	weights := make([]fr.Element, len(s.g1)-1)
	draw := NewWeights(nil)
	for i := range weights {
		weights[i] = draw.Next()
	}
	var low, high bn254.G1Affine
	if _, err := low.MultiExp(s.g1[:len(weights)], weights, ecc.MultiExpConfig{}); err != nil {
		return fmt.Errorf("combining powers: %w", err)
	}
	if _, err := high.MultiExp(s.g1[1:], weights, ecc.MultiExpConfig{}); err != nil {
		return fmt.Errorf("combining powers: %w", err)
	}
	high.Neg(&high)
	ok, err := bn254.PairingCheck([]bn254.G1Affine{low, high}, []bn254.G2Affine{s.g2[1], s.g2[0]})
	if err != nil {
		return fmt.Errorf("pairing: %w", err)
	}
	if !ok {
		return errors.New("not the powers of one tau")
	}
	return nil
}

// Digest names the SRS: a hash over the number of powers and every point.
func (s *SRS) Digest() Digest { return s.digest }

// Len is the number of powers in G1.
func (s *SRS) Len() int { return len(s.g1) }

// G1 returns [τ^i]. It panics if i is not below Len.
func (s *SRS) G1(i int) bn254.G1Affine { return s.g1[i] }

// Supports reports whether a chunk of this size, with its proofs' mask, fits the SRS.
func (s *SRS) Supports(size uint32) error {
	if err := checkSize(size); err != nil {
		return err
	}
	if need := 2*int(size) + 2; len(s.g1) < need {
		return fmt.Errorf("srs: %d powers in G1, a chunk of %d needs %d", len(s.g1), size, need)
	}
	return nil
}

// Bases returns a slot's bases G_s = [τ^slot] and H_s = [τ^(size+slot)]. It panics unless slot < size and
// Supports(size).
func (s *SRS) Bases(size, slot uint32) (g, h bn254.G1Affine) {
	if slot >= size {
		panic(fmt.Sprintf("slot %d is not below the chunk's size %d", slot, size))
	}
	return s.g1[slot], s.g1[size+slot]
}

// VerifyingKey returns the key for KZG openings, its G1 set to the generator. With G1 at infinity, which is what
// gnark-crypto's own ceremony leaves there, an opening would not be checked at all.
func (s *SRS) VerifyingKey() kzg.VerifyingKey {
	return kzg.VerifyingKey{G1: s.g1[0], G2: s.g2, Lines: s.lines}
}

// ProvingKey returns the key for making KZG openings. It shares the powers with s: do not write to them.
func (s *SRS) ProvingKey() kzg.ProvingKey {
	return kzg.ProvingKey{G1: s.g1[:len(s.g1):len(s.g1)]}
}

// checkPlace is what every use of an SRS at a place needs.
func (s *SRS) checkPlace(p ChunkPlace) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.SRS != s.digest {
		return fmt.Errorf("srs: digest is %s, the place names %s", s.digest, p.SRS)
	}
	return s.Supports(p.Size)
}
