package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

var wholeCeremony = flag.Bool("ceremony", false, "play the demonstration of a ceremony on a Fabric network")

// Three organisations make their keys together on a Fabric network that starts without any, pin them, prove with them, and the verdict says nothing of an unsafe setup.
func TestDemoCeremony(t *testing.T) {
	if !*wholeCeremony {
		t.Skip("takes some ten minutes on a busy machine: run it with -args -ceremony")
	}
	t.Parallel()
	assayFabric := networktest.Binary(t, "assay-fabric")
	dir := filepath.Join(t.TempDir(), "ceremony")
	t.Cleanup(func() { // whatever becomes of the demonstration
		if _, err := os.Stat(filepath.Join(dir, "network")); err != nil {
			return
		}
		if out, err := exec.Command(assayFabric, "destroy", "--yes", "--dir", filepath.Join(dir, "network")).CombinedOutput(); err != nil {
			t.Errorf("destroying the network: %v: %s", err, out)
		}
	})
	out, notes := new(growing), new(growing)
	if err := run(t.Context(), []string{"demo", "--ceremony", "--json", "--devices", "40", "--out", dir, "--assay-fabric", assayFabric},
		&cli.Printer{In: strings.NewReader(""), Out: out, Notes: notes}); err != nil {
		t.Fatalf("%v\n%s", err, notes)
	}
	var r ceremonyResult
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Verified == "" {
		t.Fatalf("%v: %s\n%s", err, out, notes)
	}
	for _, want := range []string{"refused (order)", "the ledger: conflict", "not_endorsed", "the channel is sound"} {
		if !strings.Contains(notes.String(), want) {
			t.Errorf("the demonstration does not say %q:\n%s", want, notes)
		}
	}
	checkTranscript(t, &r)
	checkTrust(t, &r)
	code, verdict, said := call("verify", r.Bundle, "--trust", r.Trust, "--ledger", r.Ledger)
	if code != cli.ExitYes || !strings.HasPrefix(verdict, "VALID\n") || strings.Contains(strings.ToLower(verdict+r.Verdict), "unsafe") {
		t.Errorf("%d: %s%s", code, verdict, said)
	}
	code, replayed, said := call("ceremony", "status", filepath.Join(dir, "ceremony"))
	if code != cli.ExitYes || !strings.Contains(replayed, "CLOSED  transcript "+r.Transcript) {
		t.Errorf("%d: %s%s", code, replayed, said)
	}
}

// checkTranscript reads the file that finalize wrote.
func checkTranscript(t *testing.T, r *ceremonyResult) {
	t.Helper()
	b, err := os.ReadFile(r.File)
	if err != nil {
		t.Fatal(err)
	}
	file, err := transcript.ParseFile(b)
	if err != nil {
		t.Fatal(err)
	}
	record, err := file.Check()
	if err != nil {
		t.Fatal(err)
	}
	if record.Transcript.String() != r.Transcript || len(record.Contributions) != 4*len(contributors) || len(record.Keys) != 3 {
		t.Errorf("%+v", record)
	}
}

// checkTrust looks at what was pinned.
func checkTrust(t *testing.T, r *ceremonyResult) {
	t.Helper()
	b, err := os.ReadFile(r.Trust)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := ledger.ParseTrust(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(trust.Keys) != 3 {
		t.Errorf("%d keys are pinned", len(trust.Keys))
	}
	for _, k := range trust.Keys {
		if digest, ok := ledger.SetupTranscript(k.Setup); !ok || digest.String() != r.Transcript || k.Setup == verify.SetupUnsafe {
			t.Errorf("%s is of setup %s", k.CircuitID, k.Setup)
		}
	}
}
