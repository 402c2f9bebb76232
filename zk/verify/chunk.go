package verify

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// Domain tags of this package's hashes.
const (
	tagMask     = "assay/v1/mask"
	tagChunk    = "assay/v1/chunk-digest"
	tagFleet    = "assay/v1/fleet-digest"
	tagKey      = "assay/v1/key"
	tagPin      = "assay/v1/pin"
	tagTogether = "assay/v1/together"
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
	return commitmentChallenge(link, cd)
}

// Chunk verifies one chunk proof against the anchored commitment c.
func (k *Keyring) Chunk(place ChunkPlace, c *bn254.G1Affine, parameters *statement.Parameters, p *ChunkProof) error {
	check, err := k.chunkCheck(place, c, parameters, p)
	if err != nil {
		return err
	}
	return check.alone()
}

// chunkCheck is a chunk proof with all that the verifier computes for it.
type chunkCheck struct {
	circuit       string
	key           *circuitKey
	srs           *srsKey
	bases         [2]bn254.G1Affine
	proof         *ChunkProof
	maskChallenge fr.Element
	masked        bn254.G1Affine // C + M
	public        fr.Vector      // cd, ρ, y, the statement's fingerprint, T
}

func (k *Keyring) chunkCheck(place ChunkPlace, c *bn254.G1Affine, parameters *statement.Parameters, p *ChunkProof) (*chunkCheck, error) {
	out := &chunkCheck{circuit: ChunkCircuit(place.Size), proof: p}
	if len(p.Groth16.Commitments) != len(chunkCommitted) { // a proof that was never parsed
		return nil, ChunkRejected.errorf("circuit %s: %d in-circuit commitments, want %d", out.circuit, len(p.Groth16.Commitments), len(chunkCommitted))
	}
	var err error
	if out.key, err = k.circuit(out.circuit); err != nil {
		return nil, err
	}
	if out.srs, err = k.srs(); err != nil {
		return nil, err
	}
	place.SRS = out.srs.Digest
	if out.bases, err = out.srs.maskBases(place.Size); err != nil {
		return nil, err
	}
	out.maskChallenge = MaskChallenge(&place, out.bases, c, &p.M, &p.Mask.R)
	out.masked = commit.Sum([]bn254.G1Affine{*c, p.M})
	cd := ChunkDigest(&place, &out.masked)
	rho := LinkChallenge(&p.Groth16.Commitments[0], cd)
	out.public = fr.Vector{cd, rho, p.Y, parameters.Fingerprint(rho), p.T}
	return out, nil
}

// alone checks the proof by itself, and again what parsing has of its points.
func (c *chunkCheck) alone() error {
	if err := c.proof.Mask.CheckBases(c.bases[0], c.bases[1], c.proof.M, c.maskChallenge); err != nil {
		return MaskRejected.errorf("mask M is not shown to lie in its two coefficients: %w", err)
	}
	if err := c.key.check(&c.proof.Groth16, c.public); err != nil {
		return ChunkRejected.errorf("circuit %s: %w", c.circuit, err)
	}
	if !c.masked.IsOnCurve() || !c.proof.Opening.IsOnCurve() {
		return OpeningRejected.errorf("a point of the opening is not on the curve")
	}
	opening := kzg.OpeningProof{H: c.proof.Opening, ClaimedValue: c.proof.Y}
	if err := kzg.Verify(&c.masked, &opening, c.public[1], c.srs.key); err != nil {
		return OpeningRejected.errorf("opening of the anchored commitment: %w", err)
	}
	return nil
}

// join adds all that the proof asserts to equations.
func (c *chunkCheck) join(e *equations) error {
	if err := e.groth16(c.key, &c.proof.Groth16, c.public); err != nil {
		return err
	}
	e.opening(c.srs, c.masked, c.proof.Opening, c.public[1], c.proof.Y)
	e.representation(c.srs, c.bases, c.proof.M, &c.proof.Mask, c.maskChallenge)
	return nil
}
