package systemtest

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// The organisations of a local network.
const (
	benchOwner     = "swapco"
	benchLender    = "greenbank"
	benchRegulator = "regulator"
)

// benchNetwork is a network with access in every organisation's name.
type benchNetwork struct {
	*networktest.Network
	t       *testing.T
	genesis *ledger.Genesis
	clients map[string]*gateway.Client
}

func newBenchNetwork(t *testing.T, flags ...string) *benchNetwork {
	t.Helper()
	n := &benchNetwork{Network: networktest.Up(t, flags...), t: t, clients: map[string]*gateway.Client{}}
	for org, path := range n.Profiles {
		p, err := profile.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if n.genesis, err = p.ReadGenesis(); err != nil {
			t.Fatal(err)
		}
		// A hundred calls wait for one another on a small machine.
		patient := gateway.Timeouts{Endorse: 2 * time.Minute, Submit: time.Minute, Commit: 2 * time.Minute}
		if n.clients[org], err = gateway.Open(context.Background(), gateway.Options{Profile: p, Timeouts: patient}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.clients[org].Close() })
	}
	return n
}

// bareBinary builds the contract that checks nothing.
func bareBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bare")
	if out, err := exec.Command("go", "build", "-o", path, "./bare").CombinedOutput(); err != nil {
		t.Fatalf("building the bare contract: %v\n%s", err, out)
	}
	return path
}

func (n *benchNetwork) book(org string) ledger.Book { return ledger.Book{Client: n.clients[org]} }

// agree has every organisation consent to a key or a maker.
func (n *benchNetwork) agree(digest commit.Digest) {
	n.t.Helper()
	for _, path := range n.Profiles {
		p, err := profile.Read(path)
		if err != nil {
			n.t.Fatal(err)
		}
		if err := (consent.List{Path: p.Consent}).Add(digest, "benchmark"); err != nil {
			n.t.Fatal(err)
		}
	}
}

// pin publishes the verifying keys for a size of chunk.
func (n *benchNetwork) pin(keys *setup.Unsafe, size int) {
	n.t.Helper()
	published, err := keys.Published(size)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, k := range published {
		n.agree(k.Pin())
		if _, err := n.book(benchRegulator).PublishKey(context.Background(), k); err != nil {
			n.t.Fatal(err)
		}
	}
}

func (n *benchNetwork) until(at time.Time) {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	<-timer.C
}

// memory lists what each process of the network has resident.
func (b *bench) memory() {
	for _, p := range b.net.Processes(b.t) {
		b.table.Add(b.consensus+"_memory_"+strings.ReplaceAll(p.Name, ".", "_"), float64(p.Memory)/(1<<20), "MiB", "", 0)
	}
}
