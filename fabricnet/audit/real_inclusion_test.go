package audit_test

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// The calls in blocks of real networks are found in their blocks alone.
func TestRealInclusions(t *testing.T) {
	for _, name := range []string{"raft", "bft"} {
		g, blocks := recordedBlocks(t, name)
		pin, err := audit.ChannelGenesis(blocks[0])
		if err != nil {
			t.Fatal(err)
		}
		report, err := audit.Run(t.Context(), audit.Config{Genesis: g, ChannelGenesis: pin, Chaincode: "assay"}, sequence(blocks))
		if err != nil || !report.Sound {
			t.Fatalf("%s: %v, %+v", name, err, report)
		}
		v := audit.Blocks{Genesis: g, ChannelGenesis: pin, Chaincode: "assay"}
		calls := uint64(0)
		for height := 1; height < len(blocks); height++ {
			for _, txID := range audit.TransactionIDs(t, blocks[height]) {
				all := map[uint64][]byte{uint64(height): blocks[height]}
				for missing := []uint64{0}; len(missing) > 0; {
					for _, m := range missing {
						all[m] = blocks[m]
					}
					if missing, err = v.Foundations(all); err != nil {
						t.Fatal(err)
					}
				}
				found, err := v.Inclusions(all, []ledger.Located{{TxID: txID, Height: uint64(height)}})
				if err != nil {
					continue // void, a definition, or a configuration
				}
				if calls++; len(found[0].Writes) == 0 || len(found[0].Endorsers) < 2 {
					t.Errorf("%s: %+v", name, found[0])
				}
			}
		}
		var want uint64
		for _, n := range report.Counts.Calls {
			want += n
		}
		if calls != want || calls == 0 {
			t.Errorf("%s: %d calls are found, the audit ran %d", name, calls, want)
		}
	}
}
