package ceremony

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/measure"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

var (
	benchTable = flag.String("bench-table", "", "measure a ceremony for every chunk size and write the figures to this file")
	benchSizes = flag.String("bench-sizes", "64,256,1024,4096,fleet", "chunk sizes, and fleet, that are measured")
)

// TestBenchTable measures a ceremony of two contributors for each circuit alone, with the powers of tau that it needs. Several circuits share the powers of
// the largest. Nothing is asserted about time.
func TestBenchTable(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench")
	}
	table := measure.NewTable(os.Stdout)
	for _, name := range strings.Split(*benchSizes, ",") {
		(&benched{T: t, table: table, name: name}).ceremony()
	}
	if err := table.Write(*benchTable); err != nil {
		t.Fatal(err)
	}
}

type benched struct {
	*testing.T
	table *measure.Table
	name  string
	size  int64 // of the circuit's start
}

func (b *benched) keyset() *Keyset {
	size := commit.Sizes[0]
	id := verify.FleetCircuit
	if b.name != "fleet" {
		n, err := strconv.Atoi(b.name)
		if err != nil {
			b.Fatal(err)
		}
		size, id = n, verify.ChunkCircuit(uint32(n))
	}
	all, err := Standard(size)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range all.Circuits {
		if c.ID == id {
			all.Circuits = []Circuit{c}
			return all
		}
	}
	b.Fatal("no circuit " + id)
	return nil
}

// step measures time and the process's peak of resident memory, and gives what it no longer needs back first.
func (b *benched) step(name string, do func() error) {
	b.Helper()
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) //nolint:errcheck // without it, the figure is the whole run's
	start, used := time.Now(), processorSeconds(b)
	if err := do(); err != nil {
		b.Fatal(err)
	}
	b.add(name+", time", time.Since(start).Seconds(), "s")
	b.add(name+", processor", processorSeconds(b)-used, "s")
	b.add(name+", peak memory", peakMegabytes(), "MB")
}

func (b *benched) add(name string, value float64, unit string) {
	b.table.Add(fmt.Sprintf("%s: %s", b.name, name), value, unit, "", 0)
}

// processorSeconds is what the process has used of all cores: what is left of a time when others use the machine.
func processorSeconds(t testing.TB) float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func peakMegabytes() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kilobytes, _ := strconv.ParseFloat(fields[1], 64)
			return kilobytes / 1e3
		}
	}
	return 0
}

// start makes the circuit's start, or checks it if it is there. Both read the powers, which this machine has verified.
func (b *benched) start(c *Ceremony) error {
	first, _, err := c.closings()
	if err != nil {
		return err
	}
	p, err := c.circuitPart(c.plan.Circuits[0].ID, first)
	if err != nil {
		return err
	}
	if _, err := p.start(c.work(ctx, true)); err != nil {
		return err
	}
	info, err := os.Stat(c.startPath(p.id))
	if err != nil {
		return err
	}
	b.size = info.Size()
	return nil
}

func (b *benched) ceremony() {
	dir, marks, keys := b.TempDir(), b.TempDir(), b.keyset()
	if _, err := Init(dir, testPlan(b), keys); err != nil {
		b.Fatal(err)
	}
	fresh := func(machine string) *Ceremony { // each has verified what it contributed after
		c, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Use(keys); err != nil {
			b.Fatal(err)
		}
		c.Marks = filepath.Join(marks, machine)
		return c
	}
	constraints := keys.Circuits[0].System.GetNbConstraints()
	b.add("constraints", float64(constraints), "")
	b.add("domain", float64(ecc.NextPowerOfTwo(uint64(constraints))), "")
	cache := b.TempDir()
	for stage, beacon := range []transcript.Beacon{beaconOne, beaconTwo} {
		name := fmt.Sprintf("stage %d, ", stage+1)
		if stage == 1 {
			b.step(name+"make the start", func() error { return b.start(fresh("first")) })
			b.step(name+"check the start", func() error { return b.start(fresh("first")) })
		}
		b.step(name+"contribute", func() error { _, err := fresh("first").Contribute(ctx, alice); return err })
		b.step(name+"verify one and contribute", func() error { _, err := fresh("second").Contribute(ctx, bob); return err })
		b.step(name+"finalize", func() error { _, err := fresh("second").Finalize(ctx, beacon, cache); return err })
	}
	b.step("verify everything", func() error { _, err := fresh("second").Verify(ctx, cache); return err })
	b.add("start", float64(b.size), "bytes")
	status, err := fresh("second").Status()
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range status.Contributions {
		if r.Number == 1 {
			b.add("contribution to "+r.Part, float64(r.Bytes), "bytes")
		}
	}
}
