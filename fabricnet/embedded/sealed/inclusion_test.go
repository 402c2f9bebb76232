package sealed

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Without a genesis, or with one that names nobody who could seal, there is an error.
func TestNoGenesis(t *testing.T) {
	for _, g := range []*ledger.Genesis{nil, {}} {
		if _, err := (Blocks{Genesis: g}).Inclusions(map[uint64][]byte{1: sampleBlock()}, []ledger.Located{{Height: 1}}); err == nil || !strings.Contains(err.Error(), "genesis") {
			t.Error(err)
		}
	}
}

func FuzzInclusions(f *testing.F) {
	g := contracttest.WithKeys(contracttest.Genesis())
	at := ledger.Located{TxID: strings.Repeat("0", 64), Height: 1}
	inner := Encode(Block{Version: Version, Height: 1, Previous: g.ID(), Transactions: [][]byte{Encode(Transaction{Proposal: Encode(Proposal{}), Outcome: Encode(Outcome{})})}})
	f.Add(Encode(Sealed{Block: inner, Sealer: SealerOf(g), Signature: make([]byte, 64)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := (Blocks{Genesis: g}).Inclusions(map[uint64][]byte{1: b}, []ledger.Located{at}); err == nil {
			t.Fatal("nobody has the keys, and a block is taken")
		}
	})
}
