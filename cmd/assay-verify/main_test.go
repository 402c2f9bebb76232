//go:build !js

package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
)

var now = time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC)

func fixture(name string) string { return filepath.Join("verdict", "testdata", name) }

func golden(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("verdict", "testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The program prints the verdicts that package verdict's golden files hold, and its exit code is the answer.
func TestRun(t *testing.T) {
	g := verdicttest.Genesis()
	id := g.ID().String()
	other := strings.Repeat("ab", 32)
	good, trust := fixture("holds.cbor"), fixture("holds.trust.json")
	for name, c := range map[string]struct {
		args  []string
		code  int
		out   string // the golden file, or a part
		notes string
	}{
		"holds":          {[]string{"--ledger", id, good, trust}, exitHolds, golden(t, "holds.txt"), ""},
		"flags behind":   {[]string{good, trust, "--ledger", id}, exitHolds, golden(t, "holds.txt"), ""},
		"not compared":   {[]string{good, trust}, exitHolds, "NOT COMPARED", ""},
		"a claim fails":  {[]string{"--ledger", id, fixture("fails.cbor"), fixture("fails.trust.json")}, exitNo, golden(t, "fails.txt"), ""},
		"not valid":      {[]string{fixture("fails.cbor"), trust}, exitNo, "NOT VALID.", ""},
		"another ledger": {[]string{"--ledger", other, good, trust}, exitNo, "It is not the ledger that you named.", ""},
		"a bundle twice": {[]string{good, good}, exitNo, "trust export", ""},
		"help":           {[]string{"--help"}, exitHolds, usage, ""},
		"version":        {[]string{"--version"}, exitHolds, "assay-verify ", ""},
		"one file":       {[]string{good}, exitUsage, "", "1 files are named"},
		"three files":    {[]string{good, trust, trust}, exitUsage, "", "3 files are named"},
		"no such file":   {[]string{good, "nowhere"}, exitUsage, "", "nowhere"},
		"unknown flag":   {[]string{"--trust", trust, good}, exitUsage, "", "-trust"},
		"no ledger id":   {[]string{"--ledger", "x", good, trust}, exitUsage, "", "64"},
		"zeros":          {[]string{"--ledger", strings.Repeat("0", 64), good, trust}, exitUsage, "", "zeros"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, notes bytes.Buffer
			if code := run(c.args, now, &out, &notes); code != c.code {
				t.Errorf("exit code is %d, want %d", code, c.code)
			}
			if !strings.Contains(out.String(), c.out) || c.out == "" && out.Len() > 0 {
				t.Errorf("output (-want +got):\n%s", cmp.Diff(c.out, out.String()))
			}
			if !strings.Contains(notes.String(), c.notes) || c.notes == "" && notes.Len() > 0 {
				t.Errorf("notes are %q, want %q", notes.String(), c.notes)
			}
		})
	}
}

func TestFormsOfAVerdict(t *testing.T) {
	g := verdicttest.Genesis()
	page := filepath.Join(t.TempDir(), "verdict.html")
	var out, notes bytes.Buffer
	if code := run([]string{"--json", "--html", page, "--ledger", g.ID().String(), fixture("holds.cbor"), fixture("holds.trust.json")}, now, &out, &notes); code != exitHolds {
		t.Fatalf("exit code is %d: %s", code, notes.String())
	}
	var line verdict.Verdict
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("not one line of JSON: %v\n%s", err, out.String())
	}
	if line.Outcome != verdict.Holds {
		t.Errorf("outcome is %s", line.Outcome)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(golden(t, "holds.html"), string(html)); diff != "" {
		t.Errorf("the page differs (-want +got):\n%s", diff)
	}
}

// The program is one small static file, which gives a verdict where there is nothing else.
func TestProgramIsSmallAndStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	const most = 8_000_000
	path := filepath.Join(t.TempDir(), "assay-verify")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() >= most {
		t.Errorf("has %d bytes, must have fewer than %d", info.Size(), most)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("is not static")
	}
	bare := exec.Command(path, fixture("holds.cbor"), fixture("holds.trust.json"))
	bare.Env = []string{}
	if out, err := bare.CombinedOutput(); err != nil || !strings.Contains(string(out), "VALID. Every claim holds.") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The program holds nothing that could prove, compile a circuit, or talk to anybody.
func TestProgramHoldsNoProverAndNoNetworkCode(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/assay-net/assay/"
	ours := []string{
		"cmd/assay-verify", "cmd/assay-verify/verdict", "fabricnet/durable", "fabricnet/ledger", "policy",
		"zk/commit", "zk/commit/canonical", "zk/record", "zk/statement", "zk/verify",
	}
	foreign := []string{
		"net/http", "net/rpc", "net/smtp", "crypto/tls", "google.golang.org/grpc", "google.golang.org/protobuf", "github.com/hyperledger", "github.com/nats-io", "go.etcd.io/bbolt",
		"github.com/consensys/gnark/frontend/cs/r1cs", "github.com/consensys/gnark/frontend/cs/scs", "github.com/consensys/gnark/std/math", "github.com/consensys/gnark/std/lookup", "github.com/spf13/cobra",
	}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		if own, ok := strings.CutPrefix(path, module); ok && !slices.Contains(ours, own) {
			t.Errorf("depends on %s", own)
		}
		for _, library := range foreign {
			if path == library || strings.HasPrefix(path, library+"/") {
				t.Errorf("depends on %s", path)
			}
		}
	}
}
