package audit_test

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Blocks as a peer gives them one by one show their transactions by themselves, to every organisation.
func TestInclusionOnANetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	n := up(t)
	n.register(contracttest.NewMaker("maker-1"))
	for org, p := range n.profiles {
		g, pin := n.pinned(org)
		client := n.books[org].Client.(*gateway.Client)
		head, err := client.Head(t.Context())
		n.must(nil, err)
		v := audit.Blocks{Genesis: g, ChannelGenesis: pin, Chaincode: p.Chaincode}
		found := map[string]int{}
		for e, err := range client.Events(t.Context(), 0, head.Height) {
			n.must(nil, err)
			blocks := map[uint64][]byte{}
			for missing := []uint64{e.Height}; len(missing) > 0; {
				for _, height := range missing {
					blocks[height], err = client.Block(t.Context(), height)
					n.must(nil, err)
				}
				missing, err = v.Foundations(blocks)
				n.must(nil, err)
			}
			in, err := v.Inclusions(blocks, []ledger.Located{{TxID: e.TxID, Height: e.Height}})
			n.must(nil, err)
			recorded, err := client.Recorded(t.Context(), e.TxID)
			n.must(nil, err)
			if in[0].Call.Function != recorded.Call.Function || in[0].Organisation != recorded.Organisation || !in[0].Time.Equal(recorded.Time) {
				t.Errorf("%s: %+v, the client says %+v", org, in[0].Recorded, recorded)
			}
			found[in[0].Call.Function]++
		}
		if found[ledger.FnRegisterMaker] != 1 || found[ledger.FnRegisterFleet] != 2 {
			t.Errorf("%s: found %v", org, found)
		}
	}
}
