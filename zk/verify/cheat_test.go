package verify_test

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// cheat is a prover that departs from the protocol where a field says so. With
// no field set it is honest.
type cheat struct {
	keys      zk.Keys
	statement *statement.Statement // proven, and in the bundle
	// chunk may change what chunk i is proven from.
	chunk func(i int, place *verify.ChunkPlace, anchored *bn254.G1Affine, c *zk.Chunk)
	// proof may change chunk i's proof, and what it is thought to open to.
	proof func(i int, place verify.ChunkPlace, p *verify.ChunkProof, o *zk.Opened)
	// outputs may change what the fleet proofs are about.
	outputs func([]*zk.Opened) []*zk.Opened
	place   func(*verify.FleetPlace)
	// only proves these chunks anew and takes the others from the honest bundle.
	only map[int]bool
}

func (l *lending) prove(c *cheat) (*verify.Bundle, []*zk.Opened, error) {
	keys, s := zk.Keys(l.keys), l.statement
	if c.keys != nil {
		keys = c.keys
	}
	if c.statement != nil {
		s = c.statement
	}
	b := &verify.Bundle{Statement: s}
	opened := make([]*zk.Opened, len(l.chunks))
	for i, chunk := range l.chunks {
		if c.only != nil && !c.only[i] {
			b.Chunks, opened[i] = append(b.Chunks, l.bundle.Chunks[i]), l.opened[i]
			continue
		}
		p, o, err := l.proveChunk(c, keys, s, i)
		if err != nil {
			return nil, nil, err
		}
		b.Chunks, opened[i] = append(b.Chunks, verify.IndexedChunkProof{Index: chunk.Index, Proof: p}), o
	}
	return b, opened, l.proveFleet(c, keys, s, b, opened)
}

func (l *lending) proveChunk(c *cheat, keys zk.Keys, s *statement.Statement, i int) (*verify.ChunkProof, *zk.Opened, error) {
	parameters, err := s.Parameters()
	if err != nil {
		return nil, nil, err
	}
	f := &l.facts.Chunks[i]
	anchored, err := commit.ParsePoint(f.Commitment)
	if err != nil {
		return nil, nil, err
	}
	place := verify.ChunkPlace{
		Ledger: l.facts.Ledger, Statement: s.Digest(l.facts.Ledger), Fleet: l.facts.Fleet,
		Chunk: f.Index, Size: f.Size, Epoch: l.facts.Epoch,
	}
	chunk := *l.chunks[i]
	chunk.Records, chunk.R = append(chunk.Records[:0:0], chunk.Records...), append(chunk.R[:0:0], chunk.R...)
	if c.chunk != nil {
		c.chunk(i, &place, &anchored, &chunk)
		chunk.Index = place.Chunk
	}
	p, o, err := zk.ProveChunk(keys, place, &anchored, &chunk, parameters)
	if err == nil && c.proof != nil {
		place.SRS = keys.SRS().Digest()
		c.proof(i, place, p, o)
	}
	return p, o, err
}

func (l *lending) proveFleet(c *cheat, keys zk.Keys, s *statement.Statement, b *verify.Bundle, opened []*zk.Opened) error {
	place := verify.FleetPlace{Ledger: l.facts.Ledger, Statement: s.Digest(l.facts.Ledger), Fleet: l.facts.Fleet, Epoch: l.facts.Epoch}
	if c.outputs != nil {
		opened = c.outputs(append([]*zk.Opened{}, opened...))
	}
	if c.place != nil {
		c.place(&place)
	}
	proofs, results, err := zk.ProveFleet(keys, place, s, opened, nil)
	if err != nil {
		return err
	}
	b.Fleet, b.Holds = proofs, results.Holds
	for i, shown := range results.Disclose {
		if shown {
			b.Disclosed = append(b.Disclosed, results.Disclosed[i])
		}
	}
	return nil
}
