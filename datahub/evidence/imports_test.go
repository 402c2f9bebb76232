package evidence_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Whoever verifies evidence needs no network, no ledger's client and no database for it: neither for the file nor for the blocks of either kind of ledger.
func TestVerifiersAreLight(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	const module = "github.com/assay-net/assay/"
	readers := []string{module + "datahub/evidence", module + "fabricnet/audit", module + "fabricnet/embedded/sealed", module + "fabricnet/blockfile"}
	out, err := exec.Command("go", append([]string{"list", "-deps"}, readers...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	heavy := []string{
		"net/http", "crypto/tls", "os/exec", "database/sql", "google.golang.org/grpc", "go.etcd.io/bbolt", module + "fabricnet/gateway", module + "fabricnet/embedded", module + "fabricnet/attestations",
		module + "zk", module + "zk/setup",
	}
	for dependency := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(dependency); slices.Contains(heavy, name) || strings.HasPrefix(name, "github.com/consensys/gnark/") {
			t.Errorf("needs %s", name)
		}
	}
}
