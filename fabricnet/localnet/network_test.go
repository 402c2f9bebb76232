package localnet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/admin"
	"github.com/assay-net/assay/fabricnet/gobuild"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/setup"
)

const testTimeout = 10 * time.Minute

// testOptions are for a network of a test's own, with a real SRS.
func testOptions(t *testing.T) Options {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a network")
	}
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Dir: filepath.Join(t.TempDir(), "net"), SRS: keys.SRSFile(), Report: func(p Progress) {
		if p.Done%100 == 0 {
			t.Logf("%s %d/%d", p.Step, p.Done, p.Total)
		}
	}}
}

func bound(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// mustUp brings a network up and makes sure that it ends with the test.
func mustUp(t *testing.T, o Options) *Network {
	t.Helper()
	n, err := Up(bound(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Down(context.Background()) }) //nolint:errcheck // normally destroyed already
	return n
}

func conditions(t *testing.T, n *Network) map[string]Condition {
	t.Helper()
	all, err := n.Status()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Condition{}
	for _, p := range all {
		got[p.Name] = p.Condition
	}
	return got
}

func allAre(t *testing.T, n *Network, want Condition, but ...string) {
	t.Helper()
	for name, got := range conditions(t, n) {
		if got != want && !slices.Contains(but, name) {
			t.Errorf("%s is %s, must be %s", name, got, want)
		}
	}
}

// processesOf lists the processes whose command or working folder is in the network's.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range folders {
		if target, err := os.Readlink(f); err == nil && strings.HasPrefix(target, dir) {
			found = append(found, f+" is "+target)
		}
	}
	return found
}

func leavesNothing(t *testing.T, dir string) {
	t.Helper()
	if left := processesOf(t, dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// TestLifeOfANetwork takes one through all that can happen to it.
func TestLifeOfANetwork(t *testing.T) {
	o := testOptions(t)
	n := mustUp(t, o)
	allAre(t, n, Running)
	if found := processesOf(t, n.Dir()); len(found) != 7 {
		t.Errorf("%d processes run: %v", len(found), found)
	}
	checkProfiles(t, n)
	checkContract(t, n, 5)

	for _, victim := range []string{"peer.greenbank", "contract.regulator", "orderer1"} {
		if err := n.Kill(victim); err != nil {
			t.Fatal(err)
		}
		if got := conditions(t, n)[victim]; got != Crashed {
			t.Errorf("%s was killed and is %s", victim, got)
		}
		allAre(t, n, Running, victim)
		n = mustUp(t, o)
		allAre(t, n, Running)
	}

	if err := n.Down(bound(t)); err != nil {
		t.Fatal(err)
	}
	allAre(t, n, Stopped)
	leavesNothing(t, n.Dir())

	o.Report(Progress{Step: "up again"})
	n = mustUp(t, o)
	allAre(t, n, Running)
	checkContract(t, n, 5)
	if err := Destroy(bound(t), o.Dir); err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, n.Dir())
	if _, err := os.Stat(o.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func checkProfiles(t *testing.T, n *Network) {
	t.Helper()
	for _, org := range n.Organisations() {
		p, err := profile.Read(n.Profile(org))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.ReadGenesis(); err != nil {
			t.Error(err)
		}
		for _, path := range []string{p.Certificate, p.Key, p.OrganisationKey, p.ChannelGenesis, p.Peer.TLSRoots} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", org, err)
			}
		}
		if info, err := os.Stat(p.OrganisationKey); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: key: %v, %v", org, info, err)
		}
	}
}

// checkContract asks an administrator whether the contract has been agreed on under the consortium's rule, and how many blocks there are: the genesis
// block, an approval of each organisation (some may share a block), the definition, the founding.
func checkContract(t *testing.T, n *Network, atLeast uint64) {
	t.Helper()
	c, err := n.Admin("regulator")
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	definition, approvals, err := a.Committed(bound(t), "assay")
	if err != nil {
		t.Fatal(err)
	}
	g, err := n.Genesis()
	if err != nil {
		t.Fatal(err)
	}
	if !definition.HasPolicy(admin.EndorsementPolicy(g)) || len(approvals) != 3 {
		t.Errorf("definition %v, approvals %v", definition, approvals)
	}
	info, err := a.Height(bound(t))
	if err != nil {
		t.Fatal(err)
	}
	if info.Height < atLeast-1 {
		t.Errorf("height %d", info.Height)
	}
}

// TestFailedUp leaves no process and shows what the process at fault said; the next one goes on.
func TestFailedUp(t *testing.T) {
	o := testOptions(t)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho out of ink >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	bad := o
	bad.Services = map[string]string{"regulator": broken}
	_, err := Up(bound(t), bad)
	if err == nil || !strings.Contains(err.Error(), "out of ink") || !strings.Contains(err.Error(), "contract.regulator") {
		t.Fatalf("got %v", err)
	}
	leavesNothing(t, o.Dir)

	ctx, cancel := context.WithCancel(bound(t))
	good := o
	good.Services = map[string]string{"regulator": builtService(t, o.Dir)}
	good.Report = func(p Progress) {
		if strings.HasPrefix(p.Step, "agreeing") {
			cancel()
		}
	}
	if _, err := Up(ctx, good); !errors.Is(err, context.Canceled) && (err == nil || !strings.Contains(err.Error(), "cancel")) {
		t.Fatalf("cancelled: got %v", err)
	}
	leavesNothing(t, o.Dir)

	good.Report = o.Report
	n := mustUp(t, good)
	allAre(t, n, Running)
	if err := Destroy(bound(t), o.Dir); err != nil {
		t.Fatal(err)
	}
}

func builtService(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "bin", serviceCommand)
	if err := gobuild.Executable(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestByzantine has four orderers, of which any may go.
func TestByzantine(t *testing.T) {
	o := testOptions(t)
	o.Consensus = BFT
	n := mustUp(t, o)
	allAre(t, n, Running)
	leader, err := n.Leader(bound(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Kill(leader); err != nil {
		t.Fatal(err)
	}
	if got := conditions(t, n)[leader]; got != Crashed {
		t.Errorf("%s is %s", leader, got)
	}
	if err := n.Start(bound(t), leader); err != nil {
		t.Fatal(err)
	}
	allAre(t, n, Running)
	other := o
	other.Consensus = Raft
	if _, err := Up(bound(t), other); err == nil || !strings.Contains(err.Error(), "bft") {
		t.Errorf("another consensus: got %v", err)
	}
	if err := Destroy(bound(t), o.Dir); err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, o.Dir)
}

// TestRaftOfThree is without a contract: orderers and joined peers.
func TestRaftOfThree(t *testing.T) {
	o := testOptions(t)
	o.Orderers, o.NoContract = 3, true
	n := mustUp(t, o)
	allAre(t, n, Running)
	if len(conditions(t, n)) != 6 {
		t.Errorf("got %v", conditions(t, n))
	}
	if err := Destroy(bound(t), o.Dir); err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, o.Dir)
}
