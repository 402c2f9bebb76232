package verify

import (
	"fmt"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// Facts are what a ledger says about a fleet at an epoch. A verifier takes
// them from its own view of the ledger or from an export that it trusts, never
// from the prover.
type Facts struct {
	Ledger commit.Digest `json:"ledger"`
	Fleet  string        `json:"fleet"`
	Owner  string        `json:"owner"`
	Schema string        `json:"schema"`
	Epoch  uint64        `json:"epoch"`
	// Enrolled is the number of slots active at the epoch's start; Retired is
	// how many were retired since the epoch before.
	Enrolled uint64 `json:"enrolled"`
	Retired  uint64 `json:"retired"`
	// Chunks lists every chunk of the fleet at the epoch's start, by ascending
	// index.
	Chunks []ChunkFacts `json:"chunks"`
}

// ChunkFacts are what the ledger says about one chunk.
type ChunkFacts struct {
	Index    uint32 `json:"index"`
	Size     uint32 `json:"size"`
	Enrolled uint32 `json:"enrolled"`
	// Classes counts the enrolled devices by where their key lives.
	Classes map[string]uint32 `json:"classes,omitempty"`
	// Anchored says whether the chunk was anchored for the epoch; the rest is
	// empty if it was not, and the chunk counts as attested 0.
	Anchored   bool          `json:"anchored"`
	Attested   uint32        `json:"attested,omitempty"`
	Commitment []byte        `json:"commitment,omitempty"`
	Root       commit.Digest `json:"root"`
	Height     uint64        `json:"height,omitempty"`
	TxID       string        `json:"tx_id,omitempty"`
}

// Check reports facts that contradict themselves. An export may come from
// anywhere, so nothing here is taken for granted.
func (f *Facts) Check() error { return FactsInvalid.of(f.check()) }

func (f *Facts) check() error {
	if _, err := record.Lookup(f.Schema); err != nil {
		return fmt.Errorf("ledger facts: %w", err)
	}
	var enrolled, slots uint64
	for i := range f.Chunks {
		c := &f.Chunks[i]
		if i > 0 && c.Index <= f.Chunks[i-1].Index {
			return fmt.Errorf("ledger facts: chunk %d is listed after chunk %d", c.Index, f.Chunks[i-1].Index)
		}
		if err := c.check(); err != nil {
			return fmt.Errorf("ledger facts: chunk %d: %w", c.Index, err)
		}
		enrolled += uint64(c.Enrolled)
		slots += uint64(c.Size)
	}
	if enrolled != f.Enrolled {
		return fmt.Errorf("ledger facts: %d devices enrolled, but the chunks add up to %d", f.Enrolled, enrolled)
	}
	// Totals are packed on the strength of this bound.
	if slots >= 1<<32 {
		return fmt.Errorf("ledger facts: %d slots, at most 2^32 − 1 can be proven about at once", slots)
	}
	return nil
}

func (c *ChunkFacts) check() error {
	if !isSize(c.Size) {
		return fmt.Errorf("size is %d, want one of %v", c.Size, commit.Sizes)
	}
	if c.Enrolled > c.Size || c.Attested > c.Enrolled {
		return fmt.Errorf("%d attested of %d enrolled in %d slots", c.Attested, c.Enrolled, c.Size)
	}
	if c.Anchored != (len(c.Commitment) > 0) || (!c.Anchored && c.Attested != 0) {
		return fmt.Errorf("anchor is incomplete")
	}
	var classes uint64
	for _, n := range c.Classes {
		classes += uint64(n)
	}
	if classes != uint64(c.Enrolled) {
		return fmt.Errorf("key classes add up to %d of %d enrolled", classes, c.Enrolled)
	}
	return nil
}

func isSize(n uint32) bool {
	for _, s := range commit.Sizes {
		if uint32(s) == n {
			return true
		}
	}
	return false
}

// Attested is the number of devices whose attestations are anchored.
func (f *Facts) Attested() uint64 {
	var n uint64
	for i := range f.Chunks {
		n += uint64(f.Chunks[i].Attested)
	}
	return n
}

// Proven lists the chunks that a bundle has to prove: those anchored with at
// least one attestation. An anchored chunk without any commits to nothing and
// adds nothing.
func (f *Facts) Proven() []*ChunkFacts {
	var out []*ChunkFacts
	for i := range f.Chunks {
		if f.Chunks[i].Attested > 0 {
			out = append(out, &f.Chunks[i])
		}
	}
	return out
}
