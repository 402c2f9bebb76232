package verify

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
)

// Sizes of encoded proofs in bytes.
const (
	ChunkProofBytes = 4*32 + 64 + 8*32
	FleetProofBytes = 2*32 + 64 + 32
)

// ChunkProof shows that a hidden-output commitment T opens to the totals of
// the chunk behind an anchor.
type ChunkProof struct {
	// M hides the evaluation: a combination of the two powers of tau past the
	// chunk's own, shown to be one by Mask.
	M    bn254.G1Affine
	Mask commit.Representation
	// Groth16 is the circuit's proof, with two in-circuit commitments: the
	// link's and the lookups'.
	Groth16 Groth16Proof
	// Y is the committed polynomial's value at the link's challenge, Opening
	// the KZG quotient that shows it.
	Y       fr.Element
	Opening bn254.G1Affine
	// T commits to the totals.
	T fr.Element
}

// FleetProof folds up to FleetInputs hidden outputs into one and, at the end of
// a chain, evaluates the statement's claims and disclosures.
type FleetProof struct {
	Groth16 Groth16Proof
	// T commits to the totals so far.
	T fr.Element
}

// Marshal encodes the proof in ChunkProofBytes bytes.
func (p *ChunkProof) Marshal() []byte {
	w := &writer{}
	w.point(&p.Groth16.Ar)
	w.point2(&p.Groth16.Bs)
	w.point(&p.Groth16.Krs)
	for i := range p.Groth16.Commitments {
		w.point(&p.Groth16.Commitments[i])
	}
	w.point(&p.Groth16.CommitmentPok)
	w.point(&p.M)
	w.point(&p.Mask.R)
	w.scalar(&p.Mask.Zx)
	w.scalar(&p.Mask.Zr)
	w.scalar(&p.Y)
	w.point(&p.Opening)
	w.scalar(&p.T)
	return w.b
}

// ParseChunkProof reads exactly ChunkProofBytes bytes: points compressed, on
// the curve, in the subgroup and not infinity; scalars reduced.
func ParseChunkProof(b []byte) (*ChunkProof, error) {
	if len(b) != ChunkProofBytes {
		return nil, fmt.Errorf("chunk proof has %d bytes, want %d", len(b), ChunkProofBytes)
	}
	r := &reader{b: b}
	p := new(ChunkProof)
	p.Groth16.Ar = r.point("A")
	p.Groth16.Bs = r.point2("B")
	p.Groth16.Krs = r.point("C")
	p.Groth16.Commitments = []bn254.G1Affine{r.point("link commitment"), r.point("lookup commitment")}
	p.Groth16.CommitmentPok = r.point("proof of knowledge")
	p.M = r.point("M")
	p.Mask.R = r.point("R of M")
	p.Mask.Zx = r.scalar("first response of M")
	p.Mask.Zr = r.scalar("second response of M")
	p.Y = r.scalar("y")
	p.Opening = r.point("opening")
	p.T = r.scalar("T")
	if r.err != nil {
		return nil, fmt.Errorf("chunk proof: %w", r.err)
	}
	return p, nil
}

// Marshal encodes the proof in FleetProofBytes bytes.
func (p *FleetProof) Marshal() []byte {
	w := &writer{}
	w.point(&p.Groth16.Ar)
	w.point2(&p.Groth16.Bs)
	w.point(&p.Groth16.Krs)
	w.scalar(&p.T)
	return w.b
}

// ParseFleetProof reads exactly FleetProofBytes bytes, as strictly as
// [ParseChunkProof].
func ParseFleetProof(b []byte) (*FleetProof, error) {
	if len(b) != FleetProofBytes {
		return nil, fmt.Errorf("fleet proof has %d bytes, want %d", len(b), FleetProofBytes)
	}
	r := &reader{b: b}
	p := new(FleetProof)
	p.Groth16.Ar = r.point("A")
	p.Groth16.Bs = r.point2("B")
	p.Groth16.Krs = r.point("C")
	p.T = r.scalar("T")
	if r.err != nil {
		return nil, fmt.Errorf("fleet proof: %w", r.err)
	}
	return p, nil
}
