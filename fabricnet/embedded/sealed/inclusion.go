package sealed

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
// that they have to meet. A block of this ledger holds no transaction that was not valid when it came: that is the word of the regulator that sealed it. Nothing shows
// that the block is one of the chain which others see; for that compare its hash.
func (v Blocks) Inclusions(blocks map[uint64][]byte, wanted []ledger.Located) ([]*ledger.Inclusion, error) {
	if v.Genesis == nil || len(v.Genesis.WithRole(ledger.RoleRegulator)) == 0 {
		return nil, errors.New("the consortium's genesis is missing, or has no regulator")
	}
	r := &Rules{ID: v.Genesis.ID(), Genesis: v.Genesis}
	opened := map[uint64]*openedBlock{}
	out := make([]*ledger.Inclusion, 0, len(wanted))
	for _, w := range wanted {
		if opened[w.Height] == nil {
			o, err := r.openAt(w.Height, blocks[w.Height])
			if err != nil {
				return nil, fmt.Errorf("block %d: %w", w.Height, err)
			}
			opened[w.Height] = o
		}
		found, err := r.find(opened[w.Height], w)
		if err != nil {
			return nil, fmt.Errorf("block %d: transaction %.64q: %w", w.Height, w.TxID, err)
		}
		out = append(out, found)
	}
	return out, nil
}

// assumed is said of every transaction. The format of blocks is the choice of whoever hands them over, and a genesis does not say which its ledger has.
const assumed = "that the consortium keeps an embedded ledger, which no Fabric channel is, and that the transactions were valid when they came: " +
	"%s alone sealed the blocks, and those before them are not here"

type openedBlock struct {
	*Block
	hash commit.Digest
	// at is where each transaction is.
	at map[string]int
}

func (r *Rules) openAt(height uint64, encoded []byte) (*openedBlock, error) {
	if encoded == nil {
		return nil, errors.New("is missing")
	}
	blk, hash, err := r.Open(encoded)
	if err != nil {
		return nil, err
	}
	o := &openedBlock{Block: blk, hash: hash, at: map[string]int{}}
	if blk.Height != height {
		return nil, fmt.Errorf("is block %d", blk.Height)
	}
	for i, encoded := range blk.Transactions {
		t, err := Decode[Transaction]("transaction", encoded)
		if err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
		o.at[TransactionID(r.ID, t.Proposal)] = i
	}
	return o, nil
}

func (r *Rules) find(o *openedBlock, w ledger.Located) (*ledger.Inclusion, error) {
	i, ok := o.at[w.TxID]
	if !ok {
		return nil, errors.New("is not in the block")
	}
	t, err := DecodeTransaction(r.ID, o.Transactions[i])
	if err != nil {
		return nil, err
	}
	if err := r.Check(o.Time, t); err != nil {
		return nil, err
	}
	out := &ledger.Inclusion{
		Recorded: t.Recorded(o.Height), TxID: t.ID, Block: o.hash, Sealers: []string{SealerOf(r.Genesis)},
		Writes: map[string][]byte{}, Assumed: []string{fmt.Sprintf(assumed, SealerOf(r.Genesis))},
	}
	for _, e := range t.Endorsements {
		out.Endorsers = append(out.Endorsers, e.Org)
	}
	for _, w := range t.Done.Writes {
		out.Writes[w.Key] = w.Value
	}
	return out, nil
}
