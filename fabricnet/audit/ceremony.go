package audit

import (
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// ends are the blocks in which stages of ceremonies ended, by the key of the record: their hashes close the stages. The contract sees no block's hash and takes any.
type ends map[string]ended

type ended struct {
	block uint64
	hash  commit.Digest
}

// ceremony follows a call that the contract was shown to agree to.
func (r *replayer) ceremony(b *block, t *transaction, c *call) {
	switch c.function {
	case ledger.FnEndCeremonyStage:
		if a := arguments[ledger.EndCeremonyStage](c); a != nil {
			r.ends[ledger.CeremonyEndKey(a.Ceremony, a.Stage)] = ended{b.number, b.hash}
		}
	case ledger.FnCloseCeremonyStage:
		a := arguments[ledger.CloseCeremonyStage](c)
		if a == nil {
			return
		}
		if closing, err := transcript.ParseClosing(a.Closing); err == nil {
			r.closing(b, t, closing)
		}
	}
}

// closing compares a closing value with the block that the plan's rule leads to. A false one does no harm to keys that somebody contributed to honestly; it is a regulator's false word.
func (r *replayer) closing(b *block, t *transaction, closing *transcript.Closing) {
	end, ok := r.ends[ledger.CeremonyEndKey(closing.Ceremony, closing.Stage)]
	if !ok {
		return // a record that no call made: its transaction is a failure already
	}
	number, err := ledger.ParseBlockSource(r.report.Ledger, closing.Source)
	if err != nil || number != end.block {
		r.fail(b, t, Beacon, "stage %d of ceremony %s is closed with %.128q, its end is in block %d", closing.Stage, closing.Ceremony, closing.Source, end.block)
	}
	if closing.Beacon != end.hash {
		r.fail(b, t, Beacon, "stage %d of ceremony %s is closed with %s, the hash of block %d is %s", closing.Stage, closing.Ceremony, closing.Beacon, end.block, end.hash)
	}
}
