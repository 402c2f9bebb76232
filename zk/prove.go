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

// Prover answers statements about fleets.
type Prover struct {
	Keys Keys
	// Chunks makes the chunks' proofs; nil is [ProveHere] with Keys.
	Chunks ChunkProver
	// AtOnce is how many chunks are under way together, each with its records in
	// memory; 0 is [ChunksAtOnce], which suits proving in this process.
	AtOnce int
}

// Prove answers a statement in this process.
func Prove(ctx context.Context, keys Keys, s *statement.Statement, facts *verify.Facts, source Source, progress Progress) (*verify.Bundle, error) {
	return Prover{Keys: keys}.Prove(ctx, s, facts, source, progress)
}

// Prove answers a statement about a fleet: a proof for every anchored chunk,
// the chain over them, and the results. The bundle is verified by nobody here;
// a prover that wants to be sure verifies it as anyone else would.
func (p Prover) Prove(ctx context.Context, s *statement.Statement, facts *verify.Facts, source Source, progress Progress) (*verify.Bundle, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := facts.Check(); err != nil {
		return nil, err
	}
	if p.Chunks == nil {
		p.Chunks = ProveHere(p.Keys)
	}
	if p.AtOnce < 1 {
		p.AtOnce = ChunksAtOnce()
	}
	f := &fleetProver{Prover: p, statement: s, facts: facts, digest: s.Digest(facts.Ledger)}
	expected := facts.Proven()
	total := len(expected) + len(verify.FleetSteps(len(expected)))
	if progress == nil {
		progress = func(int, int) {}
	}
	bundle := &verify.Bundle{Statement: s}
	outputs, err := f.chunks(ctx, bundle, expected, source, func(done, _ int) { progress(done, total) })
	if err != nil {
		return nil, err
	}
	if err := f.finish(bundle, outputs, func(done, _ int) { progress(len(expected)+done, total) }); err != nil {
		return nil, err
	}
	return bundle, nil
}

// ChunksAtOnce is how many chunks one process should prove at once. One proof keeps
// two cores busy for half of its time; two fill each other's gaps. Each holds one
// chunk's witness in memory.
func ChunksAtOnce() int { return max(2, runtime.GOMAXPROCS(0)/2+1) }

// chunks proves the expected chunks, a few at a time, and puts proofs and
// outputs in order. It stops at the first error.
func (p *fleetProver) chunks(ctx context.Context, bundle *verify.Bundle, expected []*verify.ChunkFacts, source Source, progress Progress) ([]*Opened, error) {
	bundle.Chunks = make([]verify.IndexedChunkProof, len(expected))
	outputs := make([]*Opened, len(expected))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.AtOnce)
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
	Prover
	statement *statement.Statement
	facts     *verify.Facts
	digest    [32]byte
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
	own, err := chunk.Commitment(p.Keys.SRS())
	if err != nil {
		return nil, nil, err
	}
	if !own.Equal(&anchored) {
		return nil, nil, errors.New("the records do not open the anchored commitment")
	}
	return p.Chunks(ctx, &ChunkJob{
		Statement: p.statement, Commitment: anchored, Chunk: chunk,
		Place: verify.ChunkPlace{
			Ledger: p.facts.Ledger, SRS: p.Keys.SRS().Digest(), Statement: p.digest, Fleet: p.facts.Fleet,
			Chunk: f.Index, Size: f.Size, Epoch: p.facts.Epoch,
		},
	})
}

func (p *fleetProver) finish(bundle *verify.Bundle, outputs []*Opened, progress Progress) error {
	place := verify.FleetPlace{Ledger: p.facts.Ledger, Statement: p.digest, Fleet: p.facts.Fleet, Epoch: p.facts.Epoch}
	proofs, results, err := ProveFleet(p.Keys, place, p.statement, outputs, progress)
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
