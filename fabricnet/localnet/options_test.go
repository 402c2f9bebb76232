package localnet

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

func TestDefaults(t *testing.T) {
	o, err := Options{Dir: "net"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.Consensus != Raft || o.Orderers != 1 || len(o.Organisations) != 3 || o.BatchTimeout != 250*time.Millisecond || o.EpochSeconds != 60 {
		t.Errorf("got %+v", o)
	}
	g, err := makeGenesis(layout(t.TempDir()), &o)
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := g.ByMSP("SwapCoMSP"); !ok || owner.ID != "swapco" || !owner.Has(ledger.RoleOwner) {
		t.Errorf("got %+v", owner)
	}
	if o, err = (Options{EpochSeconds: 8}).withDefaults(); err != nil || o.ClockSkewSeconds != 2 || o.AnchorWindowSeconds != 8 {
		t.Errorf("short epochs: got %+v, %v", o, err)
	}
}

func TestOptionChecks(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Consensus: "solo"}, "consensus"},
		{Options{Orderers: 2}, "2 orderers"},
		{Options{Consensus: BFT, Orderers: 3}, "3 orderers"},
		{Options{BatchTimeout: time.Hour}, "batch timeout"},
		{Options{Organisations: make([]ledger.Organisation, 9)}, "9 organisations"},
		{Options{Organisations: []ledger.Organisation{{ID: "a", MSP: orderingMSP}}}, orderingMSP},
	} {
		if _, err := c.o.withDefaults(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.want, err)
		}
	}
	for _, dir := range []string{"", "a,b", "a[1]"} {
		if _, err := (&Options{Dir: dir}).dir(); err == nil {
			t.Errorf("folder %q passed", dir)
		}
	}
}
