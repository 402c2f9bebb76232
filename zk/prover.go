package zk

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	"github.com/consensys/gnark/backend"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/fromgnark"
)

// CircuitKey is a compiled circuit with its proving key.
type CircuitKey struct {
	System  *cs.R1CS
	Proving *groth16.ProvingKey
}

// Keys gives a prover its circuits. A key may be loaded when it is first asked
// for; the prover asks once for each proof.
type Keys interface {
	SRS() *commit.SRS
	Chunk(size int) (*CircuitKey, error)
	Fleet() (*CircuitKey, error)
}

// Chunk is a chunk as its owner knows it: for each slot the record and the
// blinding scalar, both zero where nobody reported.
type Chunk struct {
	Index   uint32
	Records []record.Record
	R       []fr.Element
}

// Commitment is Σ x·G + r·H over the slots.
func (c *Chunk) Commitment(srs *commit.SRS) (bn254.G1Affine, error) {
	w := chunkWitness{x: make([]fr.Element, len(c.Records)), r: c.R}
	for s, rec := range c.Records {
		w.x[s] = rec.Pack()
	}
	p := w.polynomial()
	return kzg.Commit(p[:2*len(c.Records)], srs.ProvingKey())
}

// ProveChunk proves a chunk's totals behind a fresh hidden output, and returns
// the proof with the output's opening. place.SRS is filled in here. c is the
// chunk's anchored commitment; a chunk that does not open it has no proof.
func ProveChunk(keys Keys, place verify.ChunkPlace, anchored *bn254.G1Affine, chunk *Chunk, p *statement.Parameters) (*verify.ChunkProof, *Opened, error) {
	n := len(chunk.Records)
	if n != int(place.Size) || len(chunk.R) != n || chunk.Index != place.Chunk {
		return nil, nil, fmt.Errorf("chunk %d has %d records and %d blinding scalars, want %d of chunk %d", chunk.Index, n, len(chunk.R), place.Size, place.Chunk)
	}
	key, err := keys.Chunk(n)
	if err != nil {
		return nil, nil, err
	}
	w, totals, err := newChunkWitness(chunk.Records, chunk.R, p)
	if err != nil {
		return nil, nil, err
	}
	place.SRS = keys.SRS().Digest()
	proof, err := w.prove(keys.SRS(), key, &place, anchored, p)
	if err != nil {
		return nil, nil, err
	}
	return proof, &Opened{Totals: totals, Output: verify.NewOutput(totals, w.salt), T: proof.T}, nil
}

// Opened is a hidden output with what it hides.
type Opened struct {
	Totals statement.Totals
	Output verify.Output
	T      fr.Element
}

func (w *chunkWitness) prove(srs *commit.SRS, key *CircuitKey, place *verify.ChunkPlace, anchored *bn254.G1Affine, p *statement.Parameters) (*verify.ChunkProof, error) {
	n := len(w.x)
	proof := &verify.ChunkProof{T: w.output}
	if err := w.maskCommitment(srs, place, anchored, proof); err != nil {
		return nil, err
	}
	masked := commit.Sum([]bn254.G1Affine{*anchored, proof.M})
	w.digest = verify.ChunkDigest(place, &masked)

	// The builder's own mask on each in-circuit commitment. The same value
	// serves both commitments, which linkBlind and lookupBlind hide on their own.
	var mu fr.Element
	if err := random(&mu); err != nil {
		return nil, err
	}
	link, err := key.Proving.CommitmentKeys[0].Commit(append(w.linked(), mu))
	if err != nil {
		return nil, fmt.Errorf("committing to the link: %w", err)
	}
	w.challenge = verify.LinkChallenge(&link, w.digest)
	polynomial := w.polynomial()
	opening, err := kzg.Open(polynomial, w.challenge, srs.ProvingKey())
	if err != nil {
		return nil, fmt.Errorf("opening the commitment of %d slots: %w", n, err)
	}
	w.evaluation = opening.ClaimedValue
	w.fingerprint = p.Fingerprint(w.challenge)
	full, err := w.full()
	if err != nil {
		return nil, err
	}
	override, err := fixedMask(mu)
	if err != nil {
		return nil, err
	}
	g, err := groth16.Prove(key.System, key.Proving, full, override)
	if err != nil {
		return nil, fmt.Errorf("circuit %s: %w", verify.ChunkCircuit(place.Size), err)
	}
	if g.Commitments[0] != link {
		return nil, errors.New("the link's commitment is not the one its challenge was drawn for")
	}
	proof.Groth16, proof.Y, proof.Opening = fromgnark.Proof(g), opening.ClaimedValue, opening.H
	return proof, nil
}

// maskCommitment fills in M with its proof of representation. Its nonces are
// as fresh as the mask itself.
func (w *chunkWitness) maskCommitment(srs *commit.SRS, place *verify.ChunkPlace, anchored *bn254.G1Affine, proof *verify.ChunkProof) error {
	n := len(w.x)
	if srs.Len() < 2*n+2 {
		return fmt.Errorf("SRS has %d powers, %d slots need %d", srs.Len(), n, 2*n+2)
	}
	bases := [2]bn254.G1Affine{srs.G1(2 * n), srs.G1(2*n + 1)}
	var m bn254.G1Jac
	m.JointScalarMultiplication(&bases[0], &bases[1], w.mask[0].BigInt(new(big.Int)), w.mask[1].BigInt(new(big.Int)))
	proof.M.FromJacobian(&m)
	var a, b fr.Element
	if err := errors.Join(random(&a), random(&b)); err != nil {
		return err
	}
	proof.Mask = commit.ProveBases(bases[0], bases[1], w.mask[0], w.mask[1], a, b, func(r bn254.G1Affine) fr.Element {
		return verify.MaskChallenge(place, bases, anchored, &proof.M, &r)
	})
	return nil
}

// fixedMask makes the builder's mask known to the prover, who must know the
// link's commitment before it solves the circuit.
func fixedMask(mu fr.Element) (backend.ProverOption, error) {
	id, err := maskHint()
	if err != nil {
		return nil, err
	}
	return backend.WithSolverOptions(solver.OverrideHint(id, func(_ *big.Int, _, out []*big.Int) error {
		for i := range out {
			mu.BigInt(out[i])
		}
		return nil
	})), nil
}

// maskHint finds the hint that draws a commitment's mask among those the
// builder registered.
func maskHint() (solver.HintID, error) {
	const name = "github.com/consensys/gnark/internal/hints.Randomize"
	for _, h := range solver.GetRegisteredHints() {
		if solver.GetHintName(h) == name {
			return solver.GetHintID(h), nil
		}
	}
	return 0, fmt.Errorf("the circuit library has no hint %s", name)
}
