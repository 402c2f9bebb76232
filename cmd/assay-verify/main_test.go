//go:build !js

package main

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/json"
	"io"
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

func exhibited(name string) string { return filepath.Join("exhibit", "testdata", name) }

// ledgerOf is the id of the ledger that a file of evidence is of.
func ledgerOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Ledger string }
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e.Ledger
}

var channelFounding = filepath.Join("..", "..", "fabricnet", "audit", "testdata", "raft.genesis.json")

// channelFile unpacks the blocks of a channel.
func channelFile(t *testing.T) string {
	t.Helper()
	packed, err := os.Open(filepath.Join("..", "..", "fabricnet", "audit", "testdata", "raft.blocks.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close() //nolint:errcheck // it was only read
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "blocks.bin")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

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
	evidenceOf := ledgerOf(t, exhibited("answered.json"))
	for name, c := range map[string]struct {
		args  []string
		code  int
		out   string // the golden file, or a part
		notes string
	}{
		"holds":           {[]string{"--ledger", id, good, trust}, exitHolds, golden(t, "holds.txt"), ""},
		"flags behind":    {[]string{good, trust, "--ledger", id}, exitHolds, golden(t, "holds.txt"), ""},
		"not compared":    {[]string{good, trust}, exitHolds, "NOT COMPARED", ""},
		"a claim fails":   {[]string{"--ledger", id, fixture("fails.cbor"), fixture("fails.trust.json")}, exitNo, golden(t, "fails.txt"), ""},
		"not valid":       {[]string{fixture("fails.cbor"), trust}, exitNo, "NOT VALID.", ""},
		"another ledger":  {[]string{"--ledger", other, good, trust}, exitNo, "It is not the ledger that you named.", ""},
		"a bundle twice":  {[]string{good, good}, exitNo, "trust export", ""},
		"ceremony":        {[]string{"--ledger", id, good, fixture("ceremony.trust.json"), "--ceremony", fixture("ceremony.transcript.json")}, exitHolds, golden(t, "ceremony.txt"), ""},
		"other ceremony":  {[]string{"--ledger", id, good, trust, "--ceremony", fixture("ceremony.transcript.json")}, exitNo, golden(t, "other-ceremony.txt"), ""},
		"no transcript":   {[]string{good, trust, "--ceremony", good}, exitNo, "refused (encoding)", ""},
		"evidence":        {[]string{"evidence", "--ledger", evidenceOf, exhibited("answered.json")}, exitHolds, golden(t, "../../../exhibit/testdata/golden/answered.txt"), ""},
		"Fabric's":        {[]string{"evidence", "--ledger", ledgerOf(t, exhibited("fabric.json")), "--channel", exhibited("fabric.block"), exhibited("fabric.json")}, exitHolds, golden(t, "../../../exhibit/testdata/golden/fabric.txt"), ""},
		"wrong evidence":  {[]string{"evidence", exhibited("wrong.json")}, exitNo, "NOT SOUND.", ""},
		"no evidence":     {[]string{"evidence", trust}, exitNo, "Do not rely on the file", ""},
		"two evidences":   {[]string{"evidence", trust, trust}, exitUsage, "", "2 files are named"},
		"not a channel's": {[]string{"evidence", "--channel", strings.Repeat("12", 32), exhibited("refused.json")}, exitNo, "block_format", ""},
		"no channel":      {[]string{"evidence", "--channel", good, exhibited("refused.json")}, exitUsage, "", "block"},
		"no block":        {[]string{"evidence", "--channel", "nowhere", exhibited("refused.json")}, exitUsage, "", "nowhere"},
		"channel alone":   {[]string{"--channel", strings.Repeat("12", 32), good, trust}, exitUsage, "", "--channel is for another kind of check"},
		"a channel's":     {[]string{"ledger", channelFile(t), channelFounding}, exitHolds, "SOUND.", ""},
		"accepted":        {[]string{"ledger", channelFile(t), channelFounding, "--accept-config", other, "--accept-config", strings.Repeat("12", 32)}, exitHolds, "SOUND.", ""},
		"accept what":     {[]string{"ledger", channelFile(t), channelFounding, "--accept-config", "block 7"}, exitUsage, "", "-accept-config"},
		"accept nothing":  {[]string{"ledger", channelFile(t), channelFounding, "--accept-config", strings.Repeat("0", 64)}, exitUsage, "", "zeros"},
		"accept evidence": {[]string{"evidence", "--accept-config", other, exhibited("refused.json")}, exitUsage, "", "--accept-config is for another kind of check"},
		"another channel": {[]string{"ledger", channelFile(t), channelFounding, "--channel", other}, exitNo, "first block", ""},
		"no channel's":    {[]string{"ledger", good, channelFounding}, exitNo, "NOT SOUND.", ""},
		"one of two":      {[]string{"ledger", good}, exitUsage, "", "1 files are named"},
		"no blocks":       {[]string{"ledger", "nowhere", trust}, exitUsage, "", "nowhere"},
		"no SRS":          {[]string{"evidence", "--srs", "x", exhibited("refused.json")}, exitUsage, "", "--srs is for another kind of check"},
		"help":            {[]string{"--help"}, exitHolds, usage, ""},
		"version":         {[]string{"--version"}, exitHolds, "assay-verify ", ""},
		"one file":        {[]string{good}, exitUsage, "", "1 files are named"},
		"three files":     {[]string{good, trust, trust}, exitUsage, "", "3 files are named"},
		"no such file":    {[]string{good, "nowhere"}, exitUsage, "", "nowhere"},
		"not there":       {[]string{good, trust, "--ceremony", "nowhere"}, exitUsage, "", "nowhere"},
		"unknown flag":    {[]string{"--trust", trust, good}, exitUsage, "", "-trust"},
		"no ledger id":    {[]string{"--ledger", "x", good, trust}, exitUsage, "", "64"},
		"zeros":           {[]string{"--ledger", strings.Repeat("0", 64), good, trust}, exitUsage, "", "zeros"},
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

// Nothing that a file says steers a terminal, and JSON says the same as before.
func TestJSONIsASCII(t *testing.T) {
	in := map[string]string{"a": "é\u009b\u202e\x7f𝄞<"}
	line, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out := ascii(line)
	if i := bytes.IndexFunc(out, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
		t.Errorf("%q has such a character at %d", out, i)
	}
	got := map[string]string{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, got); diff != "" {
		t.Error(diff)
	}
}

// The program is one small static file, which gives a verdict where there is nothing else.
func TestProgramIsSmallAndStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	const most = 12_000_000
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
	for _, args := range [][]string{
		{fixture("holds.cbor"), fixture("ceremony.trust.json"), "--ceremony", fixture("ceremony.transcript.json")}, {"evidence", exhibited("fabric.json")}, {"ledger", channelFile(t), channelFounding},
	} {
		bare := exec.Command(path, args...)
		bare.Env = []string{}
		if out, err := bare.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}

// The program holds nothing that could prove, compile a circuit, keep a database or talk to anybody. Of Fabric it has messages alone; the page's has not even these.
func TestProgramHoldsNoProverAndNoNetworkCode(t *testing.T) {
	page := []string{
		"cmd/assay-verify", "cmd/assay-verify/verdict", "fabricnet/durable", "fabricnet/ledger", "policy",
		"zk/commit", "zk/commit/canonical", "zk/record", "zk/setup/transcript", "zk/statement", "zk/verify",
	}
	program := append([]string{
		"cmd/assay-verify/exhibit", "datahub/evidence", "fabricnet/audit", "fabricnet/audit/wire", "fabricnet/blockfile", "fabricnet/contract", "fabricnet/embedded/sealed",
	}, page...)
	never := []string{
		"net/http", "net/rpc", "net/smtp", "crypto/tls", "google.golang.org/grpc", "github.com/nats-io", "go.etcd.io/bbolt", "github.com/hyperledger/fabric-gateway", "github.com/consensys/gnark/backend",
		"github.com/consensys/gnark/constraint", "github.com/consensys/gnark/frontend", "github.com/consensys/gnark/std", "github.com/spf13/cobra",
	}
	const messages = "github.com/hyperledger/fabric-protos-go-apiv2/"
	for _, of := range []struct {
		system, architecture string
		ours, foreign        []string
	}{
		{"linux", "amd64", program, append([]string{messages + "peer", messages + "orderer", messages + "gossip", messages + "gateway", messages + "discovery"}, never...)},
		{"js", "wasm", page, append([]string{"github.com/hyperledger", "google.golang.org/protobuf"}, never...)},
	} {
		list := exec.Command("go", "list", "-deps", ".")
		list.Env = append(os.Environ(), "GOOS="+of.system, "GOARCH="+of.architecture)
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for path := range strings.Lines(string(out)) {
			if reason := unwanted(strings.TrimSpace(path), of.ours, of.foreign); reason != "" {
				t.Errorf("%s: depends on %s", of.system, reason)
			}
		}
	}
}

// unwanted names a package that is neither one of ours nor somebody else's that may be there.
func unwanted(path string, ours, foreign []string) string {
	if own, ok := strings.CutPrefix(path, "github.com/assay-net/assay/"); ok && !slices.Contains(ours, own) {
		return own
	}
	for _, library := range foreign {
		if path == library || strings.HasPrefix(path, library+"/") {
			return path
		}
	}
	return ""
}
