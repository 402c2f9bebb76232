package admin_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/admin"
	"github.com/assay-net/assay/fabricnet/localnet"
)

// Organisations of the local network: an owner, a lender, a regulator.
const (
	owner, lender, regulator          = "swapco", "greenbank", "regulator"
	ownerMSP, lenderMSP, regulatorMSP = "SwapCoMSP", "GreenBankMSP", "RegulatorMSP"
)

// network is a real network without a contract, and its administrators.
type network struct {
	*localnet.Network
	admins map[string]*admin.Admin
	policy admin.Policy
}

func startNetwork(t *testing.T) *network {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a network")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "net")
	started, err := localnet.Up(ctx, localnet.Options{Dir: dir, NoContract: true, BatchTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := started.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	genesis, err := started.Genesis()
	if err != nil {
		t.Fatal(err)
	}
	n := &network{started, map[string]*admin.Admin{}, admin.EndorsementPolicy(genesis)}
	for _, org := range started.Organisations() {
		n.admins[org] = n.open(t, org, func(*admin.Config) {})
	}
	return n
}

func (n *network) open(t *testing.T, org string, change func(*admin.Config)) *admin.Admin {
	t.Helper()
	config, err := n.Admin(org)
	if err != nil {
		t.Fatal(err)
	}
	change(&config)
	a, err := admin.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func (n *network) pkg(t *testing.T, label string) []byte {
	t.Helper()
	config, err := n.Admin(owner)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(config.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(config.Key)
	if err != nil {
		t.Fatal(err)
	}
	pkg, _, err := admin.Package(label, admin.Connection{Address: "127.0.0.1:1", TLSRoots: certificate, ClientCertificate: certificate, ClientKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func (n *network) installEverywhere(t *testing.T, label string) (id string) {
	t.Helper()
	pkg := n.pkg(t, label)
	for _, a := range n.admins {
		first, err := a.Install(t.Context(), pkg)
		if err != nil {
			t.Fatal(err)
		}
		second, err := a.Install(t.Context(), pkg)
		if err != nil || first != second {
			t.Fatalf("installed as %s, then as %s: %v", first, second, err)
		}
		id = first
	}
	return id
}

func (n *network) refused(t *testing.T, err error, text string) {
	t.Helper()
	var step *admin.StepError
	if !errors.As(err, &step) || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q", err, text)
	}
}
