package systemtest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/measure"
)

var benchTable = flag.String("bench-table", "", "measure on Fabric networks and write the figures to this file")

// loads are how many clients call at once, and how many calls they make.
var loads = []struct{ clients, calls int }{{1, 16}, {16, 64}, {64, 128}, {256, 256}}

// TestBenchTable measures the contract on real networks, all of whose processes share this machine with the clients. Nothing is asserted about time.
func TestBenchTable(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench-fabric")
	}
	table := measure.NewTable(os.Stdout)
	for _, consensus := range []string{"raft", "bft"} {
		t.Run(consensus, func(t *testing.T) {
			b := newBench(t, table, consensus)
			b.prepare()
			b.anchors()
			b.attested()
			b.verdicts()
			b.memory()
		})
	}
	if err := table.Write(*benchTable); err != nil {
		t.Fatal(err)
	}
}

// measured is what a load showed.
type measured struct {
	rate     float64 // calls a second
	p50, p95 float64 // milliseconds
}

// load has so many clients at once make calls, numbered from first.
func (b *bench) load(clients, first, calls int, do func(ctx context.Context, i int) error) measured {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	took := make([]time.Duration, calls)
	var next atomic.Int64
	var failure atomic.Value
	var group sync.WaitGroup
	start := time.Now()
	for range min(clients, calls) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < calls; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := do(ctx, first+i); err != nil {
					failure.CompareAndSwap(nil, err)
					cancel()
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	group.Wait()
	if err, failed := failure.Load().(error); failed {
		b.t.Fatal(err)
	}
	all := time.Since(start).Seconds()
	slices.Sort(took)
	millis := func(quantile float64) float64 { return took[int(quantile*float64(calls-1))].Seconds() * 1000 }
	return measured{rate: float64(calls) / all, p50: millis(0.5), p95: millis(0.95)}
}

// compare measures a call and the same payload through the bare contract, in turns at each load.
func (b *bench) compare(name string, do, bare func(ctx context.Context, i int) error) {
	first := 0
	for _, l := range loads {
		against := b.load(l.clients, first, l.calls, bare)
		ours := b.load(l.clients, first, l.calls, do)
		first += l.calls
		prefix := fmt.Sprintf("%s_%s_%d_clients", b.consensus, name, l.clients)
		b.table.Add(prefix+"_bare", against.rate, "tx/s", "", 0)
		b.table.Add(prefix, ours.rate, "tx/s", prefix+"_bare", ours.rate/against.rate)
		b.table.Add(prefix+"_p50", ours.p50, "ms", "", 0)
		b.table.Add(prefix+"_p95", ours.p95, "ms", "", 0)
	}
}

// inParallel does something for each of n on all cores.
func (b *bench) inParallel(n int, do func(i int) error) {
	b.t.Helper()
	b.load(runtime.NumCPU(), 0, n, func(_ context.Context, i int) error { return do(i) })
}
