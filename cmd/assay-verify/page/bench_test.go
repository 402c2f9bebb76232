package page

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/measure"
	"github.com/assay-net/assay/zk/verify"
)

var benchTable = flag.String("bench-table", "", "measure the verification of 20,000 batteries and write the figures to this file")

// TestBenchTable measures the program and the page. Nothing is asserted about time.
func TestBenchTable(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench-verify")
	}
	logger.Disable()
	bundle, trust, err := verdicttest.Prove(verdicttest.Size{Batteries: 20_000, Slots: 1024}, verdicttest.Statement(1000, true))
	if err != nil {
		t.Fatal(err)
	}
	table := measure.NewTable(os.Stdout)
	milliseconds := func(name string, d time.Duration, against string, than time.Duration) {
		ratio := 0.0
		if against != "" {
			ratio = float64(d) / float64(than)
		}
		table.Add(name, float64(d.Microseconds())/1000, "ms", against, ratio)
	}
	files := verdict.Files{Bundle: bundle, Trust: trust.Marshal(), Ledger: trust.Ledger}
	alone := least(t, func() error { return verifyAlone(files, trust) })
	whole := least(t, func() error { verdict.Check(files); return nil })
	milliseconds("verify_20000_bundle_ms", alone, "", 0)
	milliseconds("verify_20000_files_ms", whole, "verify_20000_bundle_ms", alone)
	unpacked, first, again := benchPage(t, files)
	milliseconds("page_ready_ms", unpacked, "", 0)
	milliseconds("page_verify_20000_first_ms", first, "verify_20000_files_ms", whole)
	milliseconds("page_verify_20000_ms", again, "verify_20000_files_ms", whole)
	other, otherSize := benchSecond(t, files, trust)
	milliseconds("second_verify_20000_first_ms", other, "verify_20000_files_ms", whole)
	table.Add("bundle_20000_bytes", float64(len(bundle)), "bytes", "", 0)
	table.Add("export_20000_bytes", float64(len(files.Trust)), "bytes", "", 0)
	table.Add("program_bytes", float64(programSize(t)), "bytes", "", 0)
	table.Add("page_bytes", float64(len(page(t))), "bytes", "", 0)
	table.Add("page_gzip_bytes", float64(compressed(t, page(t))), "bytes", "", 0)
	table.Add("second_with_libraries_bytes", float64(otherSize), "bytes", "", 0)
	if err := table.Write(*benchTable); err != nil {
		t.Fatal(err)
	}
}

// verifyAlone verifies a bundle with keys that were read before.
func verifyAlone(files verdict.Files, trust *ledger.Trust) error {
	facts, err := trust.FactsAt(verdicttest.Fleet, verdicttest.Epoch)
	if err != nil {
		return err
	}
	ring, err := ringOf(trust)
	if err != nil {
		return err
	}
	_, err = verify.VerifyBundle(files.Bundle, facts, ring)
	return err
}

var rings = map[*ledger.Trust]*verify.Keyring{}

func ringOf(trust *ledger.Trust) (*verify.Keyring, error) {
	if rings[trust] == nil {
		ring, err := trust.Keyring()
		if err != nil {
			return nil, err
		}
		rings[trust] = ring
	}
	return rings[trust], nil
}

// least is the shortest of some times, which a busy machine disturbs least.
func least(t *testing.T, do func() error) time.Duration {
	t.Helper()
	best := time.Duration(0)
	for range 9 {
		start := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
	}
	return best
}

// benchPage measures, in Chromium, when the page is ready, its first verdict, and the shortest of some further ones.
func benchPage(t *testing.T, files verdict.Files) (ready, first, again time.Duration) {
	b, address := browse(t), file(t)
	start := time.Now()
	b.open(address)
	b.wait("document.getElementById('status').textContent === 'Ready.'")
	ready = time.Since(start)
	if got := b.verifies(files); got.Tone == "" {
		t.Fatal("no verdict")
	}
	took := func() time.Duration {
		var n int
		for _, digit := range []byte(b.text("document.getElementById('status').textContent.replace(/[^0-9]/g, '')")) {
			n = 10*n + int(digit-'0')
		}
		return time.Duration(n) * time.Millisecond
	}
	first = took()
	for range 5 {
		b.verifies(files)
		if d := took(); again == 0 || d < again {
			again = d
		}
	}
	return ready, first, again
}

func programSize(t *testing.T) int64 {
	path := filepath.Join(t.TempDir(), "assay-verify")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(cmd); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// compressed is how many bytes a server sends that compresses with gzip.
func compressed(t *testing.T, b []byte) int {
	t.Helper()
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Len()
}
