package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/misbehave"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// simulateOn runs assay device simulate against a node, and returns its summary.
func simulateOn(t *testing.T, s *served, args ...string) loadSummary {
	t.Helper()
	var out, notes bytes.Buffer
	args = append([]string{"device", "simulate", "--node", filepath.Join(s.dir, "data"), "--json"}, args...)
	if err := run(t.Context(), args, &cli.Printer{Out: &out, Notes: &notes}); err != nil {
		t.Fatalf("%v\n%s", err, notes.String())
	}
	var summary loadSummary
	if err := json.Unmarshal(out.Bytes(), &summary); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return summary
}

// Simulated devices send over MQTT to a node in a process of its own, attest to their records, and go on after a restart.
func TestSimulatedDevices(t *testing.T) {
	t.Parallel()
	s := serveForTest(t, "8s")
	s.start()
	defer s.end(os.Interrupt) //nolint:errcheck // what it did is looked at
	state := filepath.Join(t.TempDir(), "devices")
	args := []string{"--devices", "12", "--rate", "600", "--state", state, "--records", "own", "--history=false"}
	first := simulateOn(t, s, append(args, "--duration", "20s")...)
	if first.Seated != 12 || first.Readings == 0 || first.Unacknowledged != 0 || first.FramesRefused != 0 || first.Reports == 0 {
		t.Errorf("%+v", first)
	}
	again := simulateOn(t, s, append(args, "--duration", "1s")...)
	if again.Seated != 12 || again.Readings == 0 || again.Unacknowledged != 0 {
		t.Errorf("after a restart: %+v", again)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"device", "show", state, "--json"}, &cli.Printer{Out: &out, Notes: &out}); err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(lines) != 12 {
		t.Fatalf("%d devices are kept", len(lines))
	}
	slots := map[uint32]bool{}
	for _, line := range lines {
		var o deviceObject
		if err := json.Unmarshal(line, &o); err != nil || o.Slot == nil || o.Fleet != "fleet-a" || o.Next < 3 || o.Waiting != 0 {
			t.Fatalf("%v: %s", err, line)
		}
		slots[*o.Slot] = true
	}
	if len(slots) != 12 {
		t.Errorf("the devices have %d slots", len(slots))
	}
}

func TestSimulatedDevicesMisbehave(t *testing.T) {
	s := serveForTest(t, "1m")
	s.start()
	defer s.end(os.Interrupt) //nolint:errcheck // what it did is looked at
	got := simulateOn(t, s, "--devices", "18", "--rate", "3600", "--duration", "4s", "--misbehave", "all", "--misbehave-share", "0.5", "--history=false")
	for _, kind := range misbehave.Kinds {
		if got.Misbehaved[kind] == 0 {
			t.Errorf("nobody did %s", kind)
		}
	}
	if got.Unacknowledged != 0 || got.FramesRefused == 0 {
		t.Errorf("%+v", got)
	}
}

func TestShareOfMisbehavingDevices(t *testing.T) {
	for _, c := range []struct {
		devices int
		share   float64
		want    int
	}{{1000, 0.1, 100}, {10, 0, 0}, {10, 1, 10}, {3, 0.1, 1}, {7, 0.5, 4}} {
		got := 0
		for i := range c.devices {
			if misbehaves(i, c.devices, c.share) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%d of %d devices misbehave at a share of %g, want %d", got, c.devices, c.share, c.want)
		}
	}
}

func TestLatencies(t *testing.T) {
	var l latencies
	if l.quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	for _, i := range rand.Perm(1000) {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := l.quantile(q); got < want*95/100 || got > want*105/100 {
			t.Errorf("quantile %g is %s, want about %s", q, got, want)
		}
	}
	l.add(1000 * time.Hour)
	if l.quantile(1) < time.Hour {
		t.Error("the longest duration is lost")
	}
}

// Simulated devices count epochs by the genesis in provision.json, which must be that of the ledger.
func TestProvisionWithAnotherGenesisIsRefused(t *testing.T) {
	maker, err := device.NewMaker("maker-a")
	if err != nil {
		t.Fatal(err)
	}
	genesis := contracttest.WithKeys(contracttest.Genesis())
	p := node.Provision{Version: node.ProvisionVersion, Broker: "tls://127.0.0.1:1", Ledger: genesis.ID(), Genesis: genesis, Schema: "battery/v1",
		Roots: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: maker.Certificate()}))}
	earlier := *genesis
	earlier.EpochZero = 0
	for _, c := range []struct {
		genesis *ledger.Genesis
		reason  string
	}{{genesis, ""}, {nil, "genesis is missing"}, {&earlier, "genesis: is that of ledger"}, {&ledger.Genesis{}, "genesis: version"}} {
		p.Genesis = c.genesis
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "provision.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = readProvision(path)
		if c.reason == "" && err != nil || c.reason != "" && (err == nil || !strings.Contains(err.Error(), c.reason)) {
			t.Errorf("%q: %v", c.reason, err)
		}
	}
}
