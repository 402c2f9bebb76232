package main

import (
	"bytes"
	"context"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// TestEveryByteMatters changes every byte of a bundle, and a sample of those of
// a trust file: no changed one is accepted.
func TestEveryByteMatters(t *testing.T) {
	if testing.Short() {
		t.Skip("proves, and verifies a thousand times")
	}
	dir := t.TempDir()
	var out, notes bytes.Buffer
	args := []string{"demo", "--devices", "20", "--chunk", "64", "--out", dir}
	if err := run(context.Background(), args, &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes}); err != nil && cli.ExitCode(err) != cli.ExitNo {
		t.Fatalf("%v\n%s", err, notes.String())
	}
	bundle, err := os.ReadFile(filepath.Join(dir, "bundle.cbor"))
	if err != nil {
		t.Fatal(err)
	}
	export, err := os.ReadFile(filepath.Join(dir, "trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	trust, err := ledger.ParseTrust(export)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifyWith(trust, bundle); err != nil {
		t.Fatalf("the bundle as it was made: %v", err)
	}
	asked := trust.Requests
	for name, requests := range map[string][]ledger.TrustRequest{
		"a question nobody asked": nil,
		"a refused request":       {{ID: asked[0].ID, Status: ledger.StatusRefused}},
		"a withdrawn request":     {{ID: asked[0].ID, Status: ledger.StatusWithdrawn}},
	} {
		trust.Requests = requests
		if _, err := verifyWith(trust, bundle); err == nil || !strings.Contains(err.Error(), "request") {
			t.Errorf("a bundle that answers %s: %v", name, err)
		}
	}
	trust.Requests = asked
	for i := range bundle {
		changed := bytes.Clone(bundle)
		changed[i] ^= byte(bits.RotateLeft8(1, i))
		if _, err := verifyWith(trust, changed); err == nil {
			t.Errorf("byte %d of the bundle changed, and accepted", i)
		}
	}
	for i := 0; i < len(export); i += 7 {
		changed := bytes.Clone(export)
		changed[i] ^= 1
		if _, err := ledger.ParseTrust(changed); err == nil {
			t.Errorf("byte %d of the trust file changed, and accepted", i)
		}
	}
	for _, cut := range []int{0, 1, len(bundle) / 2, len(bundle) - 1} {
		if _, err := verifyWith(trust, bundle[:cut]); err == nil {
			t.Errorf("a bundle cut to %d bytes is accepted", cut)
		}
	}
	if _, err := verifyWith(trust, append(bytes.Clone(bundle), 0)); err == nil {
		t.Error("a bundle with a trailing byte is accepted")
	}
}
