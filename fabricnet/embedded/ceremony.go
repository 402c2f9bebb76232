package embedded

import (
	"fmt"
	"strings"

	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// closings compares the closings of ceremonies' stages that a transaction wrote with the blocks in which the stages ended. The contract, which sees no block's hash, takes any
// closing value.
func (r *replay) closings(b *book, writes []write) error {
	for _, w := range writes {
		if !strings.HasPrefix(w.Key, ledger.CeremonyClosingPrefix) {
			continue
		}
		record, err := ledger.DecodeRecord[ledger.CeremonyClosing]("state "+w.Key, w.Value)
		if err != nil {
			return err
		}
		closing, err := transcript.ParseClosing(record.Closing)
		if err == nil && ledger.CeremonyClosingKey(closing.Ceremony, closing.Stage) != w.Key {
			err = fmt.Errorf("is of stage %d of ceremony %s", closing.Stage, closing.Ceremony)
		}
		if err == nil {
			err = r.closing(b, closing)
		}
		if err != nil {
			return fmt.Errorf("state %s: %w", w.Key, err)
		}
	}
	return nil
}

// closing finds the block by the version of the end's record.
func (r *replay) closing(b *book, closing *transcript.Closing) error {
	end, value, err := b.state.get(ledger.CeremonyEndKey(closing.Ceremony, closing.Stage))
	if err != nil {
		return err
	}
	if value == nil {
		return fmt.Errorf("stage %d of ceremony %s is closed and has not ended", closing.Stage, closing.Ceremony)
	}
	outer, _, err := decodeBlock(r.stored.Get(heightKey(end.Height)))
	if err != nil {
		return err
	}
	hash := commit.Digest(sealed.BlockHash(b.ID, outer.Block))
	if number, err := ledger.ParseBlockSource(b.ID, closing.Source); err != nil || number != end.Height || closing.Beacon != hash {
		return fmt.Errorf("stage %d of ceremony %s is closed with %s, %.128q; its end is in block %d, whose hash is %s",
			closing.Stage, closing.Ceremony, closing.Beacon, closing.Source, end.Height, hash)
	}
	return nil
}
