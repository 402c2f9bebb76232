package zk

import (
	"context"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// ChunkJob is all that the proof of one chunk needs besides the prover's keys. It
// holds records: whoever gets one learns what the chunk's devices reported.
type ChunkJob struct {
	Statement *statement.Statement
	// Place is what the proof is bound to. Its statement, fleet and epoch are the
	// Statement's.
	Place verify.ChunkPlace
	// Commitment is the chunk's anchored one.
	Commitment bn254.G1Affine
	Chunk      *Chunk
}

// ChunkProver makes the proof of one chunk, here or elsewhere. What it returns goes
// into the bundle as it is: one that has others work calls [ChunkJob.Verify] first.
// It is called for several chunks at once.
type ChunkProver func(ctx context.Context, job *ChunkJob) (*verify.ChunkProof, *Opened, error)

// ProveHere is the ChunkProver that proves in this process. A proof that has begun
// is not interrupted.
func ProveHere(keys Keys) ChunkProver {
	return func(ctx context.Context, job *ChunkJob) (*verify.ChunkProof, *Opened, error) {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := job.check(); err != nil {
			return nil, nil, err
		}
		if own := keys.SRS().Digest(); job.Place.SRS != own {
			return nil, nil, fmt.Errorf("chunk job is over SRS %s, the keys here are over %s", job.Place.SRS, own)
		}
		p, err := job.Statement.Parameters()
		if err != nil {
			return nil, nil, err
		}
		return ProveChunk(keys, job.Place, &job.Commitment, job.Chunk, p)
	}
}

// check reports what contradicts itself. It does not check that the records open
// the commitment.
func (j *ChunkJob) check() error {
	s, at, c := j.Statement, &j.Place, j.Chunk
	switch {
	case s == nil || c == nil:
		return errors.New("chunk job: statement or chunk is missing")
	case at.Statement != s.Digest(at.Ledger) || at.Fleet != s.Fleet || at.Epoch != s.Epoch:
		return fmt.Errorf("chunk job: place is of fleet %q at epoch %d, not the statement's", at.Fleet, at.Epoch)
	case c.Index != at.Chunk || len(c.Records) != int(at.Size) || len(c.R) != int(at.Size):
		return fmt.Errorf("chunk job: chunk %d has %d records and %d blinding scalars, want %d of chunk %d", c.Index, len(c.Records), len(c.R), at.Size, at.Chunk)
	}
	return commit.ChunkPlace{Ledger: at.Ledger, SRS: at.SRS, Fleet: at.Fleet, Chunk: at.Chunk, Size: at.Size, Epoch: at.Epoch}.Validate()
}

// Verify decides whether what somebody returned for this job may be used: the totals
// are those of the job's own records, the opening is of the proof's T, and the proof
// holds, under the pinned keys, for exactly this place, commitment and statement. It
// takes about 5 ms, where a proof about 1,024 slots takes two cores most of a second.
func (j *ChunkJob) Verify(keys *verify.Keyring, proof *verify.ChunkProof, opened *Opened) error {
	if err := j.check(); err != nil {
		return err
	}
	p, err := j.Statement.Parameters()
	if err != nil {
		return err
	}
	if !sameTotals(p.Sum(j.Chunk.Records), opened.Totals) {
		return errors.New("the totals are not those of the chunk's records")
	}
	again := verify.NewOutput(opened.Totals, opened.Output.Salt)
	if again != opened.Output || opened.T != proof.T || again.Commit(verify.ChunkOutput) != proof.T {
		return errors.New("the opening is not that of the proof's hidden output")
	}
	return keys.Chunk(j.Place, &j.Commitment, p, proof)
}

func sameTotals(a, b statement.Totals) bool {
	return a.Population == b.Population && a.Count == b.Count && a.Sums == b.Sums && b.Exact != nil && a.Exact.Cmp(b.Exact) == 0
}
