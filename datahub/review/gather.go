package review

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// maxKeptBlocks is how many bytes of blocks are put into a dossier.
const maxKeptBlocks = 96 << 20

// gathering finds transactions in blocks that it verifies, one block after the other, so that it needs memory for a few of them.
type gathering struct {
	*Reviewer
	found map[string]*ledger.Inclusion
	// beneath are the blocks that others rest on.
	beneath map[uint64][]byte
	kept    []evidence.Block
	size    int
	faults  []string
}

// gather looks for transactions. Those that no block holds are not among the found; a block that does not verify is a fault.
func (r *Reviewer) gather(ctx context.Context, txIDs []string) (*gathering, error) {
	g := &gathering{Reviewer: r, found: map[string]*ledger.Inclusion{}, beneath: map[uint64][]byte{}}
	at := map[uint64][]ledger.Located{}
	slices.Sort(txIDs)
	for _, id := range slices.Compact(txIDs) {
		height, err := r.book.Locate(ctx, id)
		if ledger.CodeOf(err) == ledger.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		at[height] = append(at[height], ledger.Located{TxID: id, Height: height})
	}
	for _, height := range slices.Sorted(maps.Keys(at)) {
		if err := g.open(ctx, height, at[height]); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// open verifies a block, with those that it rests on, and finds transactions in it.
func (g *gathering) open(ctx context.Context, height uint64, wanted []ledger.Located) error {
	b, err := g.book.Block(ctx, height)
	if err != nil {
		return err
	}
	if g.size += len(b); g.size <= maxKeptBlocks {
		g.kept = append(g.kept, evidence.Block{Height: height, Data: b})
	}
	blocks := maps.Clone(g.beneath)
	blocks[height] = b
	for {
		missing, err := g.Exporter.Blocks.Foundations(blocks)
		if err != nil {
			g.faults = append(g.faults, "blocks: "+err.Error())
			return nil
		}
		if len(missing) == 0 {
			break
		}
		for _, h := range missing {
			if g.beneath[h], err = g.book.Block(ctx, h); err != nil {
				return err
			}
			blocks[h] = g.beneath[h]
		}
	}
	found, err := g.Exporter.Blocks.Inclusions(blocks, wanted)
	if err != nil {
		g.faults = append(g.faults, "blocks: "+err.Error())
		return nil
	}
	for i, f := range found {
		g.found[wanted[i].TxID] = f
	}
	return nil
}

// height is that of a transaction, and whether it was found.
func (g *gathering) height(txID string) (uint64, bool) {
	f := g.found[txID]
	if f == nil {
		return 0, false
	}
	return f.Height, true
}

// behind reports whether a transaction is in a block behind another's. What was not found is said elsewhere.
func (g *gathering) behind(txID, other string) bool {
	a, known := g.height(txID)
	b, both := g.height(other)
	return known && both && a > b
}

// transactions are the places of those found.
func (g *gathering) transactions() []evidence.Transaction {
	out := []evidence.Transaction{}
	for id, f := range g.found {
		out = append(out, evidence.Transaction{TxID: id, Height: f.Height})
	}
	slices.SortFunc(out, func(a, b evidence.Transaction) int { return cmp.Compare(a.TxID, b.TxID) })
	return out
}

// record is one that the ledger gave, and what should have recorded it.
type record struct {
	what, txID       string
	caller, function string
	args             any
	key              string
	value            any
	time             int64
}

// holds wants the call with its arguments by whose business it is, and what the endorsers signed that the state became.
func (g *gathering) holds(f *Found, r record) {
	in := g.found[r.txID]
	switch {
	case in == nil:
		f.add("%s: no block holds transaction %.64s, which it names", r.what, r.txID)
	case in.Call.Function != r.function || in.Organisation != r.caller:
		f.add("%s: transaction %s is %.64s by %s, not %s by %.64s", r.what, r.txID, in.Call.Function, in.Organisation, r.function, r.caller)
	case !bytes.Equal(in.Call.Args, ledger.Encode(r.args)):
		f.add("%s: transaction %s was called with other arguments", r.what, r.txID)
	case !bytes.Equal(in.Writes[r.key], ledger.Encode(r.value)):
		f.add("%s: the record is not the one that the endorsers of transaction %s signed", r.what, r.txID)
	case in.Time.Unix() != r.time:
		f.add("%s: transaction %s is of another time than the record", r.what, r.txID)
	}
}
