package localnet

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit/committest"
)

func srsFile(t *testing.T, srs io.WriterTo) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := srs.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "srs")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// srsFiles are the SRS files that the contract services have, by organisation.
func srsFiles(t *testing.T, n *Network) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, org := range n.Organisations() {
		if b, err := os.ReadFile(n.layout.srs(org)); err == nil {
			out[org] = string(b)
		}
	}
	return out
}

func TestGiveSRS(t *testing.T) {
	n := &Network{layout(t.TempDir()), &state{Organisations: []organisation{{ID: "a"}, {ID: "b"}, {ID: "c"}}}}
	good, other := srsFile(t, committest.UnsafeSRS(64)), srsFile(t, committest.UnsafeSRS(256))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string][]byte{"empty": {}, "cut short": whole[:len(whole)-1], "longer": append(slices.Clone(whole), 0), "damaged": slices.Concat(whole[:100], []byte{whole[100] ^ 1}, whole[101:])}
	for name, content := range bad {
		path := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := n.giveSRS(t.Context(), path); err == nil || n.HasSRS() {
			t.Errorf("%s: %v, given: %t", name, err, n.HasSRS())
		}
	}
	if err := n.giveSRS(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is given")
	}
	for range 2 {
		if err := n.giveSRS(t.Context(), good); err != nil || !n.HasSRS() {
			t.Fatal(err)
		}
	}
	if err := os.Remove(n.layout.srs("a")); err != nil { // as if it had been interrupted
		t.Fatal(err)
	}
	if err := n.giveSRS(t.Context(), other); err == nil || !strings.Contains(err.Error(), "service of b has another") || len(srsFiles(t, n)) != 2 {
		t.Errorf("another: %v, given to %d", err, len(srsFiles(t, n)))
	}
	if err := n.giveSRS(t.Context(), good); err != nil {
		t.Error(err)
	}
	for _, org := range n.Organisations() {
		if srsFiles(t, n)[org] != string(whole) {
			t.Errorf("%s has another SRS", org)
		}
	}
}

// pids are the numbers of the processes that run.
func pids(t *testing.T, n *Network) map[string]int {
	t.Helper()
	all, err := n.Status()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, p := range all {
		out[p.Name] = p.PID
	}
	return out
}

// TestLaterSRS begins without an SRS and is given one while it runs, once.
func TestLaterSRS(t *testing.T) {
	o := testOptions(t)
	srs := o.SRS
	o.SRS = ""
	n := mustUp(t, o)
	allAre(t, n, Running)
	if n.HasSRS() {
		t.Fatal("the network has an SRS that nobody gave it")
	}
	before := pids(t, n)
	o.SRS = srs
	n = mustUp(t, o)
	allAre(t, n, Running)
	for name, pid := range pids(t, n) {
		if service := strings.HasPrefix(name, "contract."); (pid != before[name]) != service {
			t.Errorf("%s was process %d and is %d", name, before[name], pid)
		}
	}
	for _, p := range n.programs() {
		if p.role == RoleContract && !slices.Contains(p.command, "--srs") {
			t.Errorf("%s runs as %v", p.name, p.command)
		}
	}
	after := pids(t, n)
	other := o
	other.SRS = srsFile(t, committest.UnsafeSRS(64))
	for _, stopped := range []bool{false, true} {
		if stopped {
			if err := n.Down(bound(t)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Up(bound(t), other); err == nil || !strings.Contains(err.Error(), "has another") {
			t.Errorf("another SRS, stopped %t: %v", stopped, err)
		}
		if !stopped {
			for name, pid := range pids(t, n) {
				if pid != after[name] {
					t.Errorf("%s was process %d and is %d", name, after[name], pid)
				}
			}
		}
	}
	o.SRS = ""
	n = mustUp(t, o)
	allAre(t, n, Running)
	if len(srsFiles(t, n)) != 3 {
		t.Error("the network has lost its SRS")
	}
	if err := Destroy(bound(t), o.Dir); err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, o.Dir)
}
