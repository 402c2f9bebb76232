package ledgertest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func (s *suite) place(fleet string, chunk uint32, epoch uint64) commit.ChunkPlace {
	return commit.ChunkPlace{Ledger: s.Genesis.ID(), SRS: s.SRS.Digest(), Fleet: fleet, Chunk: chunk, Size: contracttest.ChunkSize, Epoch: epoch}
}

// activeAt and retiredAt say what a slot's record means, in the suite's own words.
func activeAt(e ledger.Slot, epoch uint64) bool {
	return epoch >= e.From && (e.Until == 0 || epoch < e.Until)
}

func retiredAt(e ledger.Slot, epoch uint64) bool {
	return e.Until != 0 && epoch == e.Until && e.Until != e.From
}

// active are a chunk's slots with a device at an epoch's start, as the ledger has them.
func (s *suite) active(t *testing.T, fleet string, chunk uint32, epoch uint64) []ledger.SlotEntry {
	t.Helper()
	var out []ledger.SlotEntry
	for _, e := range must[[]ledger.SlotEntry](t)(s.as(s.owner).Slots(s.ctx, fleet, chunk)) {
		if activeAt(e.Enrolment, epoch) {
			out = append(out, e)
		}
	}
	return out
}

// attested has every active device of a chunk attest.
func (s *suite) attested(t *testing.T, fleet string, chunk uint32, epoch uint64) [][]byte {
	t.Helper()
	var out [][]byte
	for _, e := range s.active(t, fleet, chunk, epoch) {
		out = append(out, contracttest.Attest(s.SRS, s.place(fleet, chunk, epoch), e.Slot, s.device(e.Enrolment.Device)))
	}
	return out
}

// anchorCall is the owner's.
func (s *suite) anchorCall(fleet string, chunk uint32, epoch uint64, attestations [][]byte) call {
	return s.anchorWith(contracttest.Anchor(s.place(fleet, chunk, epoch), attestations), attestations)
}

func (s *suite) anchorWith(a ledger.AnchorChunk, attestations [][]byte) call {
	return call{by: s.owner, function: ledger.FnAnchor, args: a}.with(attestations)
}

// expectedFacts counts slots.
func (s *suite) expectedFacts(t *testing.T, fleet string, epoch uint64) verify.Facts {
	t.Helper()
	f := verify.Facts{Ledger: s.Genesis.ID(), Fleet: fleet, Owner: s.owner, Schema: contracttest.Schema, Epoch: epoch, Chunks: []verify.ChunkFacts{}}
	for _, chunk := range must[[]ledger.ChunkEntry](t)(s.as(s.owner).Chunks(s.ctx, fleet)) {
		if chunk.From > epoch {
			continue
		}
		c := verify.ChunkFacts{Index: chunk.Index, Size: contracttest.ChunkSize}
		for _, e := range must[[]ledger.SlotEntry](t)(s.as(s.owner).Slots(s.ctx, fleet, chunk.Index)) {
			if retiredAt(e.Enrolment, epoch) {
				f.Retired++
			}
			if activeAt(e.Enrolment, epoch) {
				f.Enrolled++
				c.Enrolled++
				if c.Classes == nil {
					c.Classes = map[string]uint32{}
				}
				c.Classes[e.Enrolment.Class]++
			}
		}
		f.Chunks = append(f.Chunks, c)
	}
	return f
}

// factsAgree compares facts with the slots, and with the anchors that the run made.
func (s *suite) factsAgree(t *testing.T, got ledger.FactsEntry) {
	t.Helper()
	want := s.expectedFacts(t, got.Facts.Fleet, got.Facts.Epoch)
	for i := range want.Chunks {
		c := &want.Chunks[i]
		if a, ok := s.anchored[anchorKey{want.Fleet, want.Epoch, c.Index}]; ok {
			c.Anchored, c.Attested, c.Commitment, c.Root = true, a.args.Attested, a.args.Commitment, a.args.Root
			c.TxID, c.Height = a.receipt.TxID, a.receipt.Height
		}
	}
	if diff := cmp.Diff(want, got.Facts); diff != "" {
		t.Errorf("facts of %s at epoch %d: %s", want.Fleet, want.Epoch, diff)
	}
	if err := got.Facts.Check(); err != nil {
		t.Error(err)
	}
}
