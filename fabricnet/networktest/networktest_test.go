package networktest_test

import (
	"os"
	"testing"

	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/profile"
)

func TestMain(m *testing.M) { os.Exit(networktest.Main(m)) }

func TestNetworkComesBackAfterAKill(t *testing.T) {
	n := networktest.Up(t)
	ledger := n.Ledger
	for id, path := range n.Profiles {
		if p, err := profile.Read(path); err != nil || p.Organisation != id {
			t.Errorf("profile of %s: %+v, %v", id, p, err)
		}
	}
	killed := n.Process(t, "peer.regulator")
	n.Kill(t, killed.Name)
	n.Up(t)
	if again := n.Process(t, killed.Name); again.Condition != "running" || again.PID == killed.PID || n.Ledger != ledger {
		t.Errorf("%+v, ledger %s", again, n.Ledger)
	}
	n.Down(t)
	for _, p := range n.Processes(t) {
		if p.Condition != "stopped" {
			t.Errorf("%+v", p)
		}
	}
}
