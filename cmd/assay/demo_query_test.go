package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/networktest"
)

// Five nodes as processes on a Fabric network: exact totals, with an owner killed before it gave its part and one killed before the sum was opened, noised totals, a score, and a
// refusal; each result is the truth, as far as it may be.
func TestDemoQuery(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Fabric network and five nodes")
	}
	t.Parallel()
	assayFabric := networktest.Binary(t, "assay-fabric")
	dir := filepath.Join(t.TempDir(), "query")
	t.Cleanup(func() { // whatever becomes of the demonstration
		if _, err := os.Stat(filepath.Join(dir, "network")); err != nil {
			return
		}
		if out, err := exec.Command(assayFabric, "destroy", "--yes", "--dir", filepath.Join(dir, "network")).CombinedOutput(); err != nil {
			t.Errorf("destroying the network: %v: %s", err, out)
		}
	})
	out, notes := new(growing), new(growing)
	if err := run(t.Context(), []string{"demo", "--query", "--json", "--devices", "30", "--chunk", "64", "--out", dir, "--assay-fabric", assayFabric},
		&cli.Printer{In: strings.NewReader(""), Out: out, Notes: notes}); err != nil {
		t.Fatalf("%v\n%s", err, notes)
	}
	var r queryResult
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || len(r.Queries) != 4 {
		t.Fatalf("%v: %s\n%s", err, out, notes)
	}
	if t.Failed() || testing.Verbose() {
		t.Log(notes)
	}
	if n := len(r.Queries[0].Sessions); n != 2 {
		t.Errorf("the first query took %d sessions", n)
	}
	for _, q := range r.Queries[:3] {
		if q.Status != "answered" || len(q.Result) == 0 { // the demonstration has compared it with the truth
			t.Errorf("%+v", q)
		}
	}
	if q := r.Queries[3]; q.Status != "refused" || len(q.Reasons) == 0 || !strings.Contains(strings.Join(q.Reasons, ";"), "budget") {
		t.Errorf("%+v", q)
	}
	if strings.Contains(notes.String(), "0.00085") {
		t.Error("a weight of the model is printed")
	}
	status, err := exec.Command(assayFabric, "status", "--json", "--dir", filepath.Join(dir, "network")).Output()
	if strings.Contains(string(status), `"condition":"running"`) {
		t.Errorf("the network runs on: %s (%v)", status, err)
	}
}
