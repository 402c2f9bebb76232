package systemtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/ledgertest"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/zk/setup"
)

// TestQueries holds a real network of three owners, a lender and a regulator to what the embedded ledger does about queries.
func TestQueries(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	keys, err := setup.UnsafeSingleParty("", func(step string) { t.Log(step) })
	if err != nil {
		t.Fatal(err)
	}
	organisations, err := json.Marshal([]ledger.Organisation{
		{ID: "eastco", Name: "East", Roles: []ledger.Role{ledger.RoleOwner}}, {ID: "northco", Name: "North", Roles: []ledger.Role{ledger.RoleOwner}},
		{ID: "southco", Name: "South", Roles: []ledger.Role{ledger.RoleOwner}}, {ID: "greenbank", Name: "Bank", Roles: []ledger.Role{ledger.RoleFinancier}},
		{ID: "regulator", Name: "Regulator", Roles: []ledger.Role{ledger.RoleRegulator}},
	})
	path := filepath.Join(t.TempDir(), "organisations.json")
	if err != nil || os.WriteFile(path, organisations, 0o600) != nil {
		t.Fatal(err)
	}
	n := networktest.Up(t, "--srs", keys.SRSFile(), "--organisations", path,
		"--epoch", "15s", "--anchor-window", "14s", "--clock-skew", "3s", "--proposal-age", "3s", "--batch-timeout", "100ms")
	ledgertest.RunQueries(t, conforming(t, n, keys))
}
