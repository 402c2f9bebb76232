package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/blockfile"
)

// auditFiles unpacks the recorded blocks of a network into a folder: blocks.bin, channel.block and genesis.json.
func auditFiles(t *testing.T) string {
	const from = "../../fabricnet/audit/testdata"
	dir := t.TempDir()
	f, err := os.Open(filepath.Join(from, "raft.blocks.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	first, err := blockfile.NewReader(bytes.NewReader(blocks)).Next()
	if err != nil {
		t.Fatal(err)
	}
	genesis, err := os.ReadFile(filepath.Join(from, "raft.genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"blocks.bin": blocks, "channel.block": first, "genesis.json": genesis} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func call(args ...string) (code int, out, notes string) {
	var o, n bytes.Buffer
	err := run(context.Background(), args, &cli.Printer{In: strings.NewReader(""), Out: &o, Notes: &n})
	return cli.ExitCode(err), o.String(), n.String()
}

func TestAudit(t *testing.T) {
	dir := auditFiles(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	base := []string{"audit", "--blocks", at("blocks.bin"), "--genesis", at("genesis.json"), "--channel-genesis", at("channel.block")}
	code, out, notes := call(append(base, "--out", at("audit.json"))...)
	if code != cli.ExitYes || !strings.HasPrefix(out, "SOUND ") || !strings.Contains(notes, "not signed") {
		t.Fatalf("%d\n%s%s", code, out, notes)
	}
	code, _, notes = call("audit", "verify", at("audit.json"), "--genesis", at("genesis.json"))
	if code != cli.ExitNo || !strings.Contains(notes, "not signed") {
		t.Errorf("an unsigned report: %d %s", code, notes)
	}
	code, out, _ = call(append(base, "--json")...)
	if code != cli.ExitYes || !strings.HasPrefix(out, `{"kind":"audit",`) {
		t.Errorf("%d %s", code, out)
	}
	blocks, err := os.ReadFile(at("blocks.bin"))
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.LastIndex(blocks, []byte("fleet-1"))
	blocks[i] ^= 1
	if err := os.WriteFile(at("blocks.bin"), blocks, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, notes = call(base...); code != cli.ExitNo || !strings.HasPrefix(out, "NOT SOUND ") || !strings.Contains(notes, "block ") {
		t.Errorf("tampered: %d\n%s%s", code, out, notes)
	}
}

func TestAuditCalls(t *testing.T) {
	dir := auditFiles(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []string{"--blocks", at("blocks.bin"), "--genesis", at("genesis.json")}
	pin := []string{"--channel-genesis", at("channel.block")}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nobody":            {nil, cli.ExitUsage, "--org or --profile"},
		"no network":        {[]string{"--org", "Regulator", "--network", dir}, cli.ExitUsage, "regulator.json"},
		"no genesis":        {[]string{"--blocks", at("blocks.bin")}, cli.ExitUsage, "--genesis"},
		"no pin":            {files, cli.ExitUsage, "--channel-genesis"},
		"other pin":         {append(files, "--channel-genesis", strings.Repeat("0", 63)+"1"), cli.ExitNo, "that is trusted"},
		"pin is no block":   {append(files, "--channel-genesis", at("genesis.json")), cli.ExitNo, "genesis block"},
		"key of nobody":     {append(append(files, pin...), "--key", at("key")), cli.ExitUsage, "--org"},
		"key of another":    {append(append(files, pin...), "--key", at("key"), "--org", "regulator"), cli.ExitNo, "signature by regulator"},
		"stranger":          {append(append(files, pin...), "--org", "nobody"), cli.ExitUsage, "not an organisation"},
		"no blocks":         {append([]string{"--blocks", at("missing"), "--genesis", at("genesis.json")}, pin...), cli.ExitUsage, "missing"},
		"blocks are others": {append([]string{"--blocks", at("channel.block"), "--genesis", at("genesis.json")}, pin...), cli.ExitNo, "block 0"},
		"other chaincode":   {append(append(files, pin...), "--chaincode", "_lifecycle"), cli.ExitNo, "chaincode"},
	} {
		code, out, notes := call(append([]string{"audit"}, test.args...)...)
		if code != test.code || !strings.Contains(notes, test.says) {
			t.Errorf("%s: %d\n%s%s", name, code, out, notes)
		}
	}
}
