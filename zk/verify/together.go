package verify

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// togetherChunks is how many chunks' proofs are checked together: enough that
// what a product of pairings costs beside its proofs no longer counts.
const togetherChunks = 64

// proofs verifies every proof, chunks first. Those of some chunks, and at the
// end the fleet's, are checked together; only when that fails is each checked by
// itself, so that the error names the first that is at fault.
func (c *checker) proofs() error {
	parameters, err := c.bundle.Statement.Parameters()
	if err != nil {
		return err
	}
	groups := max(1, (len(c.proven)+c.atOnce-1)/c.atOnce)
	_, err = eachAtOnce(groups, func(g int) error {
		from, to := g*c.atOnce, min((g+1)*c.atOnce, len(c.proven))
		if c.together(from, to, parameters) {
			return nil
		}
		if err := c.chunks(from, to, parameters); err != nil || to < len(c.proven) {
			return err
		}
		return c.fleet()
	})
	return err
}

// joiner is a proof that asserts equations.
type joiner interface{ join(e *equations) error }

// together reports whether the proofs of some chunks, and with the last those of
// the fleet, are shown to hold at once.
func (c *checker) together(from, to int, parameters *statement.Parameters) bool {
	joiners, bound, err := c.joiners(from, to, parameters)
	if err != nil {
		return false
	}
	held, err := holdTogether(joiners, commit.NewWeights(bound[:]).Next)
	return err == nil && held
}

// joiners returns those proofs with a digest of all that their equations are
// made of.
func (c *checker) joiners(from, to int, parameters *statement.Parameters) ([]joiner, commit.Digest, error) {
	var out []joiner
	bound := commit.NewTranscript(tagTogether, c.facts.Ledger)
	bound.Bytes(c.raw[:])
	for _, id := range CircuitIDs() {
		digest := c.keys.keys[id].Digest
		bound.Bytes(digest[:])
	}
	for i := from; i < to; i++ {
		check, err := c.chunk(c.proven[i], parameters, c.bundle.Chunks[i].Proof)
		if err != nil {
			return nil, commit.Digest{}, err
		}
		out = append(out, check)
		bound.Scalar(&check.maskChallenge)
		bound.Scalar(&check.public[0])
	}
	if to == len(c.proven) {
		checks, err := c.fleetChecks()
		if err != nil {
			return nil, commit.Digest{}, err
		}
		for _, check := range checks {
			out = append(out, check)
		}
	}
	return out, bound.Digest(), nil
}

func holdTogether(joiners []joiner, draw func() fr.Element) (bool, error) {
	e := &equations{draw: draw}
	for _, j := range joiners {
		if err := j.join(e); err != nil {
			return false, err
		}
	}
	return e.hold()
}

// chunks verifies some chunks' proofs one by one.
func (c *checker) chunks(from, to int, parameters *statement.Parameters) error {
	i, err := eachAtOnce(to-from, func(i int) error {
		check, err := c.chunk(c.proven[from+i], parameters, c.bundle.Chunks[from+i].Proof)
		if err != nil {
			return err
		}
		return check.alone()
	})
	if err != nil {
		return fmt.Errorf("chunk %d: %w", c.proven[from+i].Index, err)
	}
	return nil
}

func (c *checker) chunk(f *ChunkFacts, parameters *statement.Parameters, p *ChunkProof) (*chunkCheck, error) {
	commitment, err := commit.ParsePoint(f.Commitment)
	if err != nil {
		return nil, AnchorInvalid.errorf("anchored commitment: %w", err)
	}
	place := ChunkPlace{
		Ledger: c.facts.Ledger, Statement: c.digest, Fleet: c.facts.Fleet,
		Chunk: f.Index, Size: f.Size, Epoch: c.facts.Epoch,
	}
	return c.keys.chunkCheck(place, &commitment, parameters, p)
}
