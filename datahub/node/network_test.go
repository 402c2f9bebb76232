package node

import (
	"crypto"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
)

func TestMain(m *testing.M) { os.Exit(networktest.Main(m)) }

// network is the ledger of a world, with everybody's access to it.
type network interface {
	Book(organisation string) (ledger.Book, error)
	Signer(organisation string) (crypto.Signer, error)
	Blocks() evidence.Blocks
	Genesis() *ledger.Genesis
	ID() commit.Digest
	// Agree has every organisation agree to a key or a maker.
	Agree(digest commit.Digest) error
}

// inProcess is an embedded ledger, whose organisations sit in one folder and agree to anything.
type inProcess struct{ *embedded.Ledger }

func (n inProcess) Blocks() evidence.Blocks     { return embedded.Blocks{Genesis: n.Genesis()} }
func (n inProcess) Agree(_ commit.Digest) error { return nil }

// onFabric is a Fabric network on this machine, of the organisations of the tests.
type onFabric struct {
	clients  map[string]*gateway.Client
	profiles map[string]*profile.Profile
	genesis  *ledger.Genesis
	channel  commit.Digest // the hash of its block 0
}

func newFabric(t *testing.T, epoch time.Duration) network {
	t.Helper()
	g := contracttest.Genesis()
	organisations := filepath.Join(t.TempDir(), "organisations.json")
	if err := os.WriteFile(organisations, must(json.Marshal(g.Organisations))(t), 0o600); err != nil {
		t.Fatal(err)
	}
	n := &onFabric{clients: map[string]*gateway.Client{}, profiles: map[string]*profile.Profile{}}
	up := networktest.Up(t, "--organisations", organisations, "--epoch", epoch.String(), "--anchor-window", epoch.String(), "--clock-skew", "5s")
	for id, path := range up.Profiles {
		p := must(profile.Read(path))(t)
		n.profiles[id], n.genesis = p, must(p.ReadGenesis())(t)
		n.channel = must(audit.ChannelGenesis(must(os.ReadFile(p.ChannelGenesis))(t)))(t)
		n.clients[id] = must(gateway.OpenProfile(t.Context(), path))(t)
		t.Cleanup(func() { n.clients[id].Close() }) //nolint:errcheck // the test is over
	}
	return n
}

func (n *onFabric) Book(id string) (ledger.Book, error) { return n.clients[id].Book(), nil }
func (n *onFabric) Genesis() *ledger.Genesis            { return n.genesis }
func (n *onFabric) ID() commit.Digest                   { return n.genesis.ID() }

func (n *onFabric) Signer(id string) (crypto.Signer, error) {
	return orgkey.Read(n.profiles[id].OrganisationKey)
}

func (n *onFabric) Blocks() evidence.Blocks {
	return audit.Blocks{Genesis: n.genesis, ChannelGenesis: n.channel, Chaincode: profile.DefaultChaincode}
}

func (n *onFabric) Agree(digest commit.Digest) error {
	for _, p := range n.profiles {
		if err := (consent.List{Path: p.Consent}).Add(digest, "test"); err != nil {
			return err
		}
	}
	return nil
}
