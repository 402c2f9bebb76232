package zk

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Source gives a prover the owner's side of a chunk. It is asked for a few
// chunks at a time, possibly at once, so that memory does not grow with the
// fleet.
type Source func(ctx context.Context, f *verify.ChunkFacts) (*Chunk, error)

// Progress is told how many of all proofs are done.
type Progress func(done, total int)

// Prove answers a statement about a fleet: a proof for every anchored chunk,
// the chain over them, and the results. The bundle is verified by nobody here;
// a prover that wants to be sure verifies it as anyone else would.
func Prove(ctx context.Context, keys Keys, s *statement.Statement, facts *verify.Facts, source Source, progress Progress) (*verify.Bundle, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := facts.Check(); err != nil {
		return nil, err
	}
	parameters, err := s.Parameters()
	if err != nil {
		return nil, err
	}
	p := &fleetProver{keys: keys, statement: s, facts: facts, parameters: parameters, digest: s.Digest(facts.Ledger)}
	expected := facts.Proven()
	total := len(expected) + len(verify.FleetSteps(len(expected)))
	if progress == nil {
		progress = func(int, int) {}
	}
	bundle := &verify.Bundle{Statement: s}
	outputs, err := p.chunks(ctx, bundle, expected, source, func(done, _ int) { progress(done, total) })
	if err != nil {
		return nil, err
	}
	if err := p.finish(bundle, outputs, func(done, _ int) { progress(len(expected)+done, total) }); err != nil {
		return nil, err
	}
	return bundle, nil
}

// chunkWorkers is how many chunks are proven at once. One proof keeps two cores
// busy for half of its time; two fill each other's gaps. Each holds one chunk's
// witness in memory.
func chunkWorkers() int { return max(2, runtime.GOMAXPROCS(0)/2+1) }

// chunks proves the expected chunks, a few at a time, and puts proofs and
// outputs in order. It stops at the first error.
func (p *fleetProver) chunks(ctx context.Context, bundle *verify.Bundle, expected []*verify.ChunkFacts, source Source, progress Progress) ([]*Opened, error) {
	bundle.Chunks = make([]verify.IndexedChunkProof, len(expected))
	outputs := make([]*Opened, len(expected))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(chunkWorkers())
	var mu sync.Mutex
	done := 0
	for i, f := range expected {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			proof, opened, err := p.chunk(ctx, f, source)
			if err != nil {
				return fmt.Errorf("proving chunk %d: %w", f.Index, err)
			}
			bundle.Chunks[i] = verify.IndexedChunkProof{Index: f.Index, Proof: proof}
			outputs[i] = opened
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(expected))
			return nil
		})
	}
	return outputs, group.Wait()
}

type fleetProver struct {
	keys       Keys
	statement  *statement.Statement
	facts      *verify.Facts
	parameters *statement.Parameters
	digest     [32]byte
}

func (p *fleetProver) chunk(ctx context.Context, f *verify.ChunkFacts, source Source) (*verify.ChunkProof, *Opened, error) {
	anchored, err := commit.ParsePoint(f.Commitment)
	if err != nil {
		return nil, nil, fmt.Errorf("anchored commitment: %w", err)
	}
	chunk, err := source(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	own, err := chunk.Commitment(p.keys.SRS())
	if err != nil {
		return nil, nil, err
	}
	if !own.Equal(&anchored) {
		return nil, nil, errors.New("the records do not open the anchored commitment")
	}
	place := verify.ChunkPlace{
		Ledger: p.facts.Ledger, Statement: p.digest, Fleet: p.facts.Fleet,
		Chunk: f.Index, Size: f.Size, Epoch: p.facts.Epoch,
	}
	return ProveChunk(p.keys, place, &anchored, chunk, p.parameters)
}

func (p *fleetProver) finish(bundle *verify.Bundle, outputs []*Opened, progress Progress) error {
	place := verify.FleetPlace{Ledger: p.facts.Ledger, Statement: p.digest, Fleet: p.facts.Fleet, Epoch: p.facts.Epoch}
	proofs, results, err := ProveFleet(p.keys, place, p.statement, outputs, progress)
	if err != nil {
		return err
	}
	bundle.Fleet, bundle.Holds = proofs, results.Holds
	for i, shown := range results.Disclose {
		if shown {
			bundle.Disclosed = append(bundle.Disclosed, results.Disclosed[i])
		}
	}
	return nil
}
