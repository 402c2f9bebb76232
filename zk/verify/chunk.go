package verify

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/hash_to_field"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// Domain tags of this package's hashes.
const (
	tagMask  = "assay/v1/mask"
	tagChunk = "assay/v1/chunk-digest"
	tagFleet = "assay/v1/fleet-digest"
	tagKey   = "assay/v1/key"
)

// ChunkPlace is everything a chunk proof is bound to besides the statement's
// parameters. The verifier fills it in from the ledger and the statement.
type ChunkPlace struct {
	Ledger    commit.Digest
	SRS       commit.Digest
	Statement [32]byte // digest
	Fleet     string
	Chunk     uint32
	Size      uint32
	Epoch     uint64
}

// MaskChallenge is the challenge of M's proof of representation. It covers R:
// were R left out, anyone could choose the responses first and "prove" any
// point, one with support on the chunk's own coefficients among them.
func MaskChallenge(p *ChunkPlace, bases [2]bn254.G1Affine, c, m, r *bn254.G1Affine) fr.Element {
	t := commit.NewTranscript(tagMask, p.Ledger)
	t.Bytes([]byte(ChunkCircuit(p.Size)))
	t.Bytes(p.SRS[:])
	t.Point(c)
	t.Bytes(p.Statement[:])
	t.Point(&bases[0])
	t.Point(&bases[1])
	t.Point(m)
	t.Point(r)
	return t.Challenge()
}

// ChunkDigest is the circuit's public input cd. It fixes, before the link's
// challenge is drawn, which polynomial the challenge is for and what about.
func ChunkDigest(p *ChunkPlace, masked *bn254.G1Affine) fr.Element {
	t := commit.NewTranscript(tagChunk, p.Ledger)
	t.Bytes([]byte(ChunkCircuit(p.Size)))
	t.Bytes(p.SRS[:])
	t.Uint(uint64(p.Size))
	t.Point(masked)
	t.Bytes(p.Statement[:])
	t.Bytes([]byte(p.Fleet))
	t.Uint(uint64(p.Chunk))
	t.Uint(p.Epoch)
	return t.Challenge()
}

// LinkChallenge is ρ, the value that Groth16's verifier derives for the first
// in-circuit commitment: hash_to_field over the point and the committed public
// input.
func LinkChallenge(link *bn254.G1Affine, cd fr.Element) fr.Element {
	h := hash_to_field.New([]byte(constraint.CommitmentDst))
	h.Write(constraint.SerializeCommitment(link.Marshal(), []*big.Int{cd.BigInt(new(big.Int))}, fr.Bytes))
	var rho fr.Element
	rho.SetBytes(h.Sum(nil)[:fr.Bytes])
	return rho
}

// Chunk verifies one chunk proof against the anchored commitment c.
func (k *Keyring) Chunk(place ChunkPlace, c *bn254.G1Affine, parameters *statement.Parameters, p *ChunkProof) error {
	vk, err := k.circuit(ChunkCircuit(place.Size))
	if err != nil {
		return err
	}
	srs, err := k.srs()
	if err != nil {
		return err
	}
	place.SRS = srs.Digest
	bases, err := srs.maskBases(place.Size)
	if err != nil {
		return err
	}
	if err := verifyMask(&place, bases, c, p); err != nil {
		return err
	}
	masked := commit.Sum([]bn254.G1Affine{*c, p.M})
	cd := ChunkDigest(&place, &masked)
	rho := LinkChallenge(&p.Groth16.Commitments[0], cd)
	public := fr.Vector{cd, rho, p.Y, parameters.Fingerprint(rho), p.T}
	opened := make(chan error, 1)
	go func() {
		opening := kzg.OpeningProof{H: p.Opening, ClaimedValue: p.Y}
		opened <- kzg.Verify(&masked, &opening, rho, srs.key)
	}()
	err = groth16.Verify(&p.Groth16, vk, public)
	openingErr := <-opened
	if err != nil {
		return fmt.Errorf("circuit %s: %w", ChunkCircuit(place.Size), err)
	}
	if openingErr != nil {
		return fmt.Errorf("opening of the anchored commitment: %w", openingErr)
	}
	return nil
}

func verifyMask(place *ChunkPlace, bases [2]bn254.G1Affine, c *bn254.G1Affine, p *ChunkProof) error {
	e := MaskChallenge(place, bases, c, &p.M, &p.Mask.R)
	if err := p.Mask.CheckBases(bases[0], bases[1], p.M, e); err != nil {
		return fmt.Errorf("mask M is not shown to lie in its two coefficients: %w", err)
	}
	return nil
}
