package prove_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk"
)

// BenchmarkQueue proves about a fleet of 5,000 in chunks of 1,024, in process and through the queue by turns, with as many proofs at
// once: queue/here is the ratio of times, queue/here-cpu that of processor time, broker and checks included.
func BenchmarkQueue(b *testing.B) {
	f, err := newFleet(5000, 1024)
	if err != nil {
		b.Fatal(err)
	}
	prover := benchProver(b, f)
	here := func(ctx context.Context) error {
		_, err := zk.Prove(ctx, f.keys, f.statement, f.facts, f.source, nil)
		return err
	}
	queue := func(ctx context.Context) error {
		_, err := zk.Prover{Keys: f.keys, Chunks: prover.Chunks(f.ring), AtOnce: prover.AtOnce()}.Prove(ctx, f.statement, f.facts, f.source, nil)
		return err
	}
	if err := here(b.Context()); err != nil { // loads keys
		b.Fatal(err)
	}
	var inside, through, insideCPU, throughCPU time.Duration
	for b.Loop() {
		took, cpu := measured(b, here)
		inside, insideCPU = inside+took, insideCPU+cpu
		f.statement.Nonce = nextNonce(f.statement.Nonce) // a question that no worker has answered
		took, cpu = measured(b, queue)
		through, throughCPU = through+took, throughCPU+cpu
	}
	b.ReportMetric(inside.Seconds()/float64(b.N), "s/here")
	b.ReportMetric(through.Seconds()/float64(b.N), "s/queue")
	b.ReportMetric(through.Seconds()/inside.Seconds(), "queue/here")
	b.ReportMetric(throughCPU.Seconds()/insideCPU.Seconds(), "queue/here-cpu")
	b.ReportMetric(0, "ns/op")
}

func nextNonce(nonce string) string {
	b := []byte(nonce)
	for i := range b {
		if b[i] != 'f' {
			b[i] = map[bool]byte{true: 'a', false: b[i] + 1}[b[i] == '9']
			return string(b)
		}
	}
	return nonce
}

func benchProver(b *testing.B, f *fleet) *prove.Prover {
	b.Helper()
	broker := queuetest.Start(b, "node")
	q, err := workqueue.Open(b.Context(), broker.Dial(queuetest.Owner), workqueue.Options{Key: queueKey})
	if err != nil {
		b.Fatal(err)
	}
	prover, err := prove.NewProver(q, prove.Options{})
	if err != nil {
		b.Fatal(err)
	}
	c, err := workqueue.Join(b.Context(), broker.Dial("node"), "node", workqueue.Options{Key: queueKey})
	if err != nil {
		b.Fatal(err)
	}
	w, err := prove.NewWorker(c, f.keys, prove.WorkerOptions{Name: "node"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return prover
}

// measured returns the time and the processor time that something took.
func measured(b *testing.B, do func(context.Context) error) (took, cpu time.Duration) {
	b.Helper()
	start, before := time.Now(), used(b)
	if err := do(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(start), used(b) - before
}

func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
