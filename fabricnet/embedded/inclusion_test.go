package embedded

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// located registers a fleet and gives its transaction with its block.
func located(t *testing.T, n *network) (ledger.Located, []byte) {
	t.Helper()
	r := ok[ledger.Receipt](t)(n.book(operator).RegisterFleet(context.Background(), fleetArgs(fleetID)))
	return ledger.Located{TxID: r.TxID, Height: r.Height}, ok[[]byte](t)(n.book(lender).Block(context.Background(), r.Height))
}

// A block by itself shows who called what, who endorsed it, and what it wrote.
func TestInclusion(t *testing.T) {
	n := newNetwork(t)
	at, block := located(t, n)
	v := Blocks{Genesis: n.Genesis()}
	if missing, err := v.Foundations(map[uint64][]byte{at.Height: block}); err != nil || len(missing) != 0 {
		t.Errorf("it rests on %v, %v", missing, err)
	}
	found := ok[[]*ledger.Inclusion](t)(v.Inclusions(map[uint64][]byte{at.Height: block}, []ledger.Located{at, at}))
	if len(found) != 2 {
		t.Fatalf("found %d", len(found))
	}
	head := ok[ledger.Head](t)(n.book(lender).Head(context.Background()))
	f := found[1]
	if f.TxID != at.TxID || f.Organisation != operator || f.Call.Function != ledger.FnRegisterFleet || f.Block != head.Hash || len(f.Endorsers) != 4 || f.Time.Unix() != n.clock.Load() {
		t.Errorf("found %+v", f)
	}
	fleet := ok[ledger.Fleet](t)(n.book(lender).Fleet(context.Background(), fleetID))
	if !bytes.Equal(f.Writes[ledger.FleetKey(fleetID)], ledger.Encode(fleet)) {
		t.Errorf("it wrote %s", f.Writes)
	}
}

// No byte of a block may be another, and no other block, ledger, height or transaction stands in.
func TestForgedInclusion(t *testing.T) {
	n := newNetwork(t)
	at, block := located(t, n)
	v := Blocks{Genesis: n.Genesis()}
	for i := range block {
		changed := bytes.Clone(block)
		changed[i] ^= 1
		if _, err := v.Inclusions(map[uint64][]byte{at.Height: changed}, []ledger.Located{at}); err == nil {
			t.Errorf("byte %d may be another", i)
		}
	}
	blocks := map[uint64][]byte{at.Height: block, at.Height + 1: block}
	for name, test := range map[string]struct {
		v      Blocks
		wanted ledger.Located
		want   string
	}{
		"another transaction": {v, ledger.Located{TxID: strings.Repeat("0", 64), Height: at.Height}, "not in the block"},
		"another height":      {v, ledger.Located{TxID: at.TxID, Height: at.Height + 1}, "is block"},
		"no block":            {v, ledger.Located{TxID: at.TxID, Height: at.Height + 2}, "missing"},
		"another consortium":  {Blocks{Genesis: contracttest.WithKeys(contracttest.Genesis())}, at, "seal"},
	} {
		if _, err := test.v.Inclusions(blocks, []ledger.Located{test.wanted}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
