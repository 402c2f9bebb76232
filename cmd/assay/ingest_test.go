package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
)

// What is listed of a frame in the quarantine says whether its device still has it.
func TestQuarantineList(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a key store")
	}
	at := filepath.Join(t.TempDir(), "owner.yaml")
	text := fmt.Appendf(nil, `
data: %s
ledger: {trial: {directory: ledger, epoch: 8s, anchor_window: 7s}}
fleets: [{id: fleet-a, chunk_size: 64, battery: {rated_capacity_Ah: "10"}}]
keys: {driver: file, file: {directory: keys}}
`, filepath.Join(filepath.Dir(at), "data"))
	if err := os.WriteFile(at, text, 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := node.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := node.OpenStorage(t.Context(), config, node.StorageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	batch := &store.Batch{}
	for reason, acknowledged := range map[string]bool{ingest.ReasonClock: true, ingest.ReasonSignature: false} {
		batch.Quarantine = append(batch.Quarantine, store.Quarantined{
			Fleet: "fleet-a", Device: commit.DeviceID{1}, Received: time.Now(), Reason: reason, Detail: "why", Payload: []byte("frame"), Size: 5, Acknowledged: acknowledged,
		})
	}
	if err := s.Store.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for flag, lines := range map[string][]string{
		"":       {`(?m)^\S+ +\S+ \S+ +0100000000000000 +clock +yes +5 +why *$`, `(?m)^\S+ +\S+ \S+ +0100000000000000 +signature +no +5 +why *$`},
		"--json": {`"reason":"clock","detail":"why","bytes":5,"acknowledged":true,`, `"reason":"signature","detail":"why","bytes":5,"acknowledged":false,`},
	} {
		code, out, notes := call(append([]string{"ingest", "quarantine", "list", "--config", at}, strings.Fields(flag)...)...)
		for _, line := range lines {
			if code != 0 || !regexp.MustCompile(line).MatchString(out) {
				t.Errorf("%d, want %s in\n%s%s", code, line, out, notes)
			}
		}
	}
}
