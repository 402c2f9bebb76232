package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/networktest"
)

// The main job on a real network: the demonstration's bundle verifies offline, and the regulator's audit runs everything again.
func TestDemoOnFabric(t *testing.T) {
	n := networktest.Up(t, "--epoch", "12s", "--clock-skew", "3s")
	out := filepath.Join(t.TempDir(), "demo")
	must := func(args ...string) string {
		t.Helper()
		code, stdout, notes := call(args...)
		if code != 0 {
			t.Fatalf("assay %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, notes)
		}
		return stdout
	}
	played := must("demo", "--ledger", "fabric", "--network", n.Dir, "--devices", "70", "--chunk", "64", "--seed", "3", "--out", out)
	if !strings.Contains(played, "endorsed by greenbank, regulator") {
		t.Errorf("the demonstration does not say who endorsed:\n%s", played)
	}
	bundle, trust := filepath.Join(out, "bundle.cbor"), filepath.Join(out, "trust.json")
	if verdict := must("verify", bundle, "--trust", trust, "--ledger", n.Ledger); !strings.HasPrefix(verdict, "VALID") {
		t.Errorf("verdict is %q", verdict)
	}
	must("epoch", "open", "--network", n.Dir)
	report := filepath.Join(t.TempDir(), "report.json")
	if audited := must("audit", "channel", "--network", n.Dir, "--org", "Regulator", "--out", report); !strings.HasPrefix(audited, "SOUND ") {
		t.Errorf("audit says %q", audited)
	}
	must("audit", "channel", "verify", report, "--genesis", filepath.Join(n.Dir, "genesis.json"))
}
