package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/node"
)

// trialConfig is a node on a trial ledger, whose devices would connect at an address.
func trialConfig(t *testing.T, listen string) *node.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("founds a trial consortium")
	}
	config, err := node.ParseConfig(fmt.Appendf(nil, `
data: %s
operations: {listen: ""}
api: {listen: "", grpc: ""}
ledger: {trial: {directory: ledger, epoch: 8s, anchor_window: 7s}}
fleets: [{id: fleet-a, chunk_size: 64, battery: {rated_capacity_Ah: "10"}}]
keys: {driver: file, file: {directory: keys}}
broker: {listen: %q}
`, filepath.Join(t.TempDir(), "data"), listen))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// A node that cannot be opened leaves nobody behind who writes to its ledger, which is closed. A trial whose maker's folder was lost is refused: devices of a
// new CA could not connect.
func TestTrialThatCannotBeServed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // the test is over
	config := trialConfig(t, taken.Addr().String())
	log := slog.New(slog.DiscardHandler)
	if err := serve(t.Context(), config, log); err == nil {
		t.Fatal("two processes listen at one address")
	}
	stacks := make([]byte, 4<<20)
	if stacks = stacks[:runtime.Stack(stacks, true)]; strings.Contains(string(stacks), "(*trial).run") {
		t.Error("somebody still opens epochs")
	}
	if err := os.RemoveAll(filepath.Join(config.Data, "trial", "maker.pem")); err != nil {
		t.Fatal(err)
	}
	if err := serve(t.Context(), config, log); err == nil || !strings.Contains(err.Error(), "another CA of maker "+trialMaker) {
		t.Errorf("with another CA: %v", err)
	}
}

// A relative folder of proving keys counts from the data folder, as other paths do.
func TestProvingCacheInTheDataFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("makes an SRS")
	}
	t.Chdir(t.TempDir())
	config := &node.Config{Data: t.TempDir(), Proving: node.Proving{Cache: "proving"}}
	if _, err := trialKeys(config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]int{".": 0, filepath.Join(config.Data, "proving"): 1} {
		if made, err := os.ReadDir(folder); err != nil || len(made) != want {
			t.Errorf("%s holds %v, %v", folder, made, err)
		}
	}
}
