package embedded

import (
	"errors"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Blocks verifies single blocks of an embedded ledger, with its genesis alone.
type Blocks struct{ Genesis *ledger.Genesis }

// Format names the encoding of blocks.
func (Blocks) Format() string { return "assay-block/v1" }

// Foundations lists the heights of the blocks without which these cannot be verified: none.
func (Blocks) Foundations(map[uint64][]byte) ([]uint64, error) { return nil, nil }

// Inclusions finds transactions in blocks. It verifies the seal of every block that holds one, and of every transaction the caller's signature, the endorsements and the rule
// that they have to meet. That the regulator sealed the block shows that the transaction was valid when it was: a block of this ledger holds no other. It does not show
// that the block is one of the chain which others see; for that compare its hash.
func (v Blocks) Inclusions(blocks map[uint64][]byte, wanted []ledger.Located) ([]*ledger.Inclusion, error) {
	b := &book{id: v.Genesis.ID(), genesis: v.Genesis}
	opened := map[uint64]*openedBlock{}
	out := make([]*ledger.Inclusion, 0, len(wanted))
	for _, w := range wanted {
		if opened[w.Height] == nil {
			o, err := b.openAt(w.Height, blocks[w.Height])
			if err != nil {
				return nil, fmt.Errorf("block %d: %w", w.Height, err)
			}
			opened[w.Height] = o
		}
		found, err := b.find(opened[w.Height], w)
		if err != nil {
			return nil, fmt.Errorf("block %d: transaction %.64q: %w", w.Height, w.TxID, err)
		}
		out = append(out, found)
	}
	return out, nil
}

type openedBlock struct {
	*block
	hash commit.Digest
	// at is where each transaction is.
	at map[string]int
}

func (b *book) openAt(height uint64, encoded []byte) (*openedBlock, error) {
	if encoded == nil {
		return nil, errors.New("is missing")
	}
	blk, hash, err := b.open(encoded)
	if err != nil {
		return nil, err
	}
	o := &openedBlock{block: blk, hash: hash, at: map[string]int{}}
	if blk.Height != height {
		return nil, fmt.Errorf("is block %d", blk.Height)
	}
	for i, encoded := range blk.Transactions {
		t, err := decode[transaction]("transaction", encoded)
		if err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
		o.at[transactionID(b.id, t.Proposal)] = i
	}
	return o, nil
}

func (b *book) find(o *openedBlock, w ledger.Located) (*ledger.Inclusion, error) {
	i, ok := o.at[w.TxID]
	if !ok {
		return nil, errors.New("is not in the block")
	}
	t, err := decodeTransaction(b.id, o.Transactions[i])
	if err != nil {
		return nil, err
	}
	if err := b.check(o.Time, t); err != nil {
		return nil, err
	}
	out := &ledger.Inclusion{
		Recorded: t.recorded(o.Height), TxID: t.id, Block: o.hash, Sealers: []string{sealerOf(b.genesis)},
		Writes: map[string][]byte{}, Assumed: []string{},
	}
	for _, e := range t.Endorsements {
		out.Endorsers = append(out.Endorsers, e.Org)
	}
	for _, w := range t.outcome.Writes {
		out.Writes[w.Key] = w.Value
	}
	return out, nil
}
