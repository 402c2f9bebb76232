package contract

import (
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

// facts is what the ledger says about a fleet at an epoch that has begun: every chunk that is listed at the epoch's start, anchored or not. An anchored
// chunk's counts are in its anchor; only the slots of chunks without one are read. Heights of blocks are not known in a
// contract and left 0.
func (r *run) facts(f *ledger.Fleet, epoch uint64) (*ledger.FactsEntry, error) {
	out := &ledger.FactsEntry{
		Facts: verify.Facts{Ledger: r.tx.Ledger, Fleet: f.ID, Owner: f.Owner, Schema: f.Schema, Epoch: epoch, Chunks: []verify.ChunkFacts{}},
	}
	anchored := true
	err := scan(r.state, ledger.ChunkPrefix(f.ID), func(rest string, c *ledger.Chunk) error {
		index, err := parseIndex(rest)
		if err != nil || c.From > epoch {
			return err
		}
		chunk, retired, err := chunkFacts(r.state, f, index, epoch)
		if err != nil {
			return err
		}
		out.Facts.Enrolled += uint64(chunk.Enrolled)
		out.Facts.Retired += uint64(retired)
		out.Facts.Chunks = append(out.Facts.Chunks, *chunk)
		anchored = anchored && (chunk.Anchored || chunk.Enrolled == 0)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, r.finality(out, anchored)
}

// finality says whether anything can be added. Who was enrolled is settled when a later epoch is opened; then the anchors are when no chunk that has devices lacks
// one, when the window is over and what was proposed in it has had its time to arrive, or when the epoch is closed.
func (r *run) finality(out *ledger.FactsEntry, anchored bool) error {
	over, err := r.over(out.Facts.Epoch)
	if err != nil {
		return err
	}
	if out.Closed, err = exists(r.state, ledger.ClosingKey(out.Facts.Fleet, out.Facts.Epoch)); err != nil {
		return err
	}
	out.Final = over && (anchored || r.late(out.Facts.Epoch) || out.Closed)
	return nil
}

// chunkFacts also gives the number of slots retired since the epoch before.
func chunkFacts(s State, f *ledger.Fleet, index uint32, epoch uint64) (*verify.ChunkFacts, uint32, error) {
	c := &verify.ChunkFacts{Index: index, Size: f.ChunkSize}
	anchor, err := get[ledger.Anchor](s, ledger.AnchorKey(f.ID, epoch, index))
	if err != nil {
		return nil, 0, err
	}
	if anchor != nil {
		c.Anchored, c.Attested, c.Commitment = true, anchor.Attested, anchor.Commitment
		c.Root, c.TxID = anchor.Root, anchor.TxID
		c.Enrolled, c.Classes = anchor.Enrolled, classCounts(anchor.Classes)
		return c, anchor.Retired, nil
	}
	who, err := readRoster(s, f.ID, index, epoch, false)
	if err != nil {
		return nil, 0, err
	}
	c.Enrolled, c.Classes = who.enrolled, classCounts(who.classes)
	return c, who.retired, nil
}

func classCounts(counts [len(ledger.Classes)]uint32) map[string]uint32 {
	out := map[string]uint32{}
	for i, n := range counts {
		if n > 0 {
			out[ledger.Classes[i]] = n
		}
	}
	return out
}
