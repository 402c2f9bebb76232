package zk_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// fleet proves 20,000 batteries, and a quarter of them, each in a process of
// its own, whose peak memory is its own.
func (b *benchmark) fleet() {
	var peak [2]float64
	for i, devices := range []int{5000, 20000} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestBenchFleet$", "-test.v")
		cmd.Env = append(os.Environ(), "ASSAY_BENCH_DEVICES="+strconv.Itoa(devices))
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.t.Fatalf("%v\n%s", err, out)
		}
		var seconds float64
		for line := range strings.Lines(string(out)) {
			if text, ok := strings.CutPrefix(line, "bench-fleet "); ok {
				if _, err := fmt.Sscan(text, &seconds, &peak[i]); err != nil {
					b.t.Fatal(err)
				}
			}
		}
		against, ratio := "", 0.0
		if i == 1 {
			against, ratio = "prove_5000_peak_mib", peak[1]/peak[0]
		}
		b.table.Add(fmt.Sprintf("prove_%d_seconds", devices), seconds, "s", "", 0)
		b.table.Add(fmt.Sprintf("prove_%d_peak_mib", devices), peak[i], "MiB", against, ratio)
	}
}

// TestBenchFleet is the child process of the fleet benchmark.
func TestBenchFleet(t *testing.T) {
	devices, err := strconv.Atoi(os.Getenv("ASSAY_BENCH_DEVICES"))
	if err != nil {
		t.Skip("run by make bench")
	}
	const n = 1024
	b := &benchmark{t: t, keys: benchKeys(t)}
	f := b.facts(n, devices)
	if _, err := b.keys.Published(n); err != nil {
		t.Fatal(err)
	}
	source := func(_ context.Context, c *verify.ChunkFacts) (*zk.Chunk, error) {
		return benchChunk(c.Index, n, int(c.Attested)), nil
	}
	start := time.Now()
	if _, err := zk.Prove(context.Background(), b.keys, benchStatement(), f, source, nil); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start).Seconds()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kib float64
			if _, err := fmt.Sscan(text, &kib); err != nil {
				t.Fatal(err)
			}
			fmt.Printf("bench-fleet %.2f %.0f\n", took, kib/1024)
		}
	}
}
