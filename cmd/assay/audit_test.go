package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
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
	base := []string{"audit", "channel", "--blocks", at("blocks.bin"), "--genesis", at("genesis.json"), "--channel-genesis", at("channel.block")}
	code, out, notes := call(append(base, "--out", at("audit.json"))...)
	if code != cli.ExitYes || !strings.HasPrefix(out, "SOUND ") || !strings.Contains(notes, "not signed") {
		t.Fatalf("%d\n%s%s", code, out, notes)
	}
	code, _, notes = call("audit", "channel", "verify", at("audit.json"), "--genesis", at("genesis.json"))
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

// A report is taken from a regulator or from whom the reader names, about the channel and as far as the reader names.
func TestAuditVerify(t *testing.T) {
	dir := auditFiles(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	keys := signableGenesis(t, at("genesis.json"), at("signed.json"))
	pin := channelHash(t, at("channel.block"))
	for _, org := range []string{"regulator", "greenbank"} {
		r := &audit.Report{
			Version: audit.Version, Ledger: keys.genesis.ID(), Channel: "assay", ChannelGenesis: pin, Height: 7, Hash: commit.Digest{7}, Sound: true,
			AttestationsRequired: org == "regulator", Counts: audit.Counts{AnchorsUnchecked: 3},
		}
		if err := r.Sign(keys.genesis, org, keys.of[org], time.Unix(1_800_000_000, 0)); err != nil {
			t.Fatal(err)
		}
		b, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(org), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	zero := strings.Repeat("0", 63)
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"regulator":       {[]string{at("regulator")}, cli.ExitYes, "SOUND but for 3 anchors not re-checked"},
		"regulator's own": {[]string{at("regulator"), "--by", "Regulator"}, cli.ExitYes, "attestations were required"},
		"channel":         {[]string{at("regulator"), "--channel-genesis", at("channel.block")}, cli.ExitYes, pin.String()},
		"channel by hash": {[]string{at("regulator"), "--channel-genesis", pin.String()}, cli.ExitYes, "hash " + pin.String()},
		"another channel": {[]string{at("regulator"), "--channel-genesis", zero + "1"}, cli.ExitNo, "genesis block"},
		"no channel":      {[]string{at("regulator")}, cli.ExitYes, "--channel-genesis"},
		"head":            {[]string{at("regulator"), "--head", "07" + zero[:62], "--at-least", "7"}, cli.ExitYes, "block 7"},
		"another head":    {[]string{at("regulator"), "--head", zero + "1"}, cli.ExitNo, "ends with block 7"},
		"no hash":         {[]string{at("regulator"), "--head", "7"}, cli.ExitUsage, "--head"},
		"too short":       {[]string{at("regulator"), "--at-least", "8"}, cli.ExitNo, "must reach 8"},
		"lender":          {[]string{at("greenbank")}, cli.ExitNo, "not a regulator"},
		"lender by name":  {[]string{at("greenbank"), "--by", "greenbank"}, cli.ExitYes, "attestations were not required"},
		"another by name": {[]string{at("greenbank"), "--by", "regulator"}, cli.ExitNo, "signed by greenbank"},
	} {
		code, out, notes := call(append([]string{"audit", "channel", "verify", "--genesis", at("signed.json")}, test.args...)...)
		if code != test.code || !strings.Contains(out+notes, test.says) {
			t.Errorf("%s: %d\n%s%s", name, code, out, notes)
		}
	}
}

type signers struct {
	genesis *ledger.Genesis
	of      map[string]ed25519.PrivateKey
}

// signableGenesis replaces a genesis' keys by ones that are known.
func signableGenesis(t *testing.T, from, to string) signers {
	g, err := readGenesis(from)
	if err != nil {
		t.Fatal(err)
	}
	s := signers{g, map[string]ed25519.PrivateKey{}}
	for i := range g.Organisations {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if g.Organisations[i].Key, err = x509.MarshalPKIXPublicKey(public); err != nil {
			t.Fatal(err)
		}
		s.of[g.Organisations[i].ID] = private
	}
	if err := os.WriteFile(to, g.Canonical(), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func channelHash(t *testing.T, path string) commit.Digest {
	pin, err := channelPin(path)
	if err != nil {
		t.Fatal(err)
	}
	return pin
}

// A peer that says that it has more blocks than it gives does not keep the audit waiting.
func TestPatience(t *testing.T) {
	blocks := func(ctx context.Context) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			if yield([]byte{1}, nil) {
				<-ctx.Done()
				yield(nil, ctx.Err())
			}
		}
	}
	given, last := 0, error(nil)
	for b, err := range peerBlocks(patient(t.Context(), blocks, 10*time.Millisecond), math.MaxUint64) {
		if last = err; b != nil {
			given++
		}
	}
	if given != 1 || !errors.Is(last, errPatience) {
		t.Error(given, last)
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
		"accept what":       {append(append(files, pin...), "--accept-config", "block 7"), cli.ExitUsage, "--accept-config"},
		"accept another":    {append(append(files, pin...), "--accept-config", strings.Repeat("0", 64)), cli.ExitYes, ""},
		"other chaincode":   {append(append(files, pin...), "--chaincode", "_lifecycle"), cli.ExitNo, "chaincode"},
	} {
		code, out, notes := call(append([]string{"audit", "channel"}, test.args...)...)
		if code != test.code || !strings.Contains(notes, test.says) {
			t.Errorf("%s: %d\n%s%s", name, code, out, notes)
		}
	}
}
