package prove

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// MaxFailures is how often a job may fail until the Prover gives it up.
const MaxFailures = 3

// DefaultAtOnce is how many chunks of a request are in the queue together, unless Options say otherwise: enough for sixteen
// workers with two proofs each to be busy.
const DefaultAtOnce = 32

// Options of a Prover.
type Options struct {
	// AtOnce is how many chunks are under way together, over all requests; each has its records in memory. Default DefaultAtOnce.
	AtOnce int
	// Here, if set, proves what workers were wrong about, did not answer, or could not do by the word of one worker alone, when all
	// else failed. Nil gives such a job up.
	Here zk.ChunkProver
	// HereAtOnce is how many chunks Here proves together: it runs in the process that asks. Default zk.ChunksAtOnce.
	HereAtOnce int
	Logger     *slog.Logger
	Metrics    prometheus.Registerer
}

// Prover answers requests through a work queue. It is safe for concurrent use, and made once for a process: it remembers which
// workers were wrong.
type Prover struct {
	queue   *workqueue.Queue
	options Options
	slots   chan struct{}
	here    chan struct{}
	metrics *proverMetrics

	mu    sync.Mutex
	wrong map[string]string // by worker, what for
	// unable counts, by worker, the jobs that it said it could not do and that were then proven elsewhere, since it last
	// proved one itself.
	unable map[string]int
}

// NewProver uses a queue that its caller opened.
func NewProver(queue *workqueue.Queue, o Options) (*Prover, error) {
	if o.AtOnce == 0 {
		o.AtOnce = DefaultAtOnce
	}
	if o.AtOnce < 1 || o.AtOnce > 1024 {
		return nil, fmt.Errorf("prover: %d chunks at once, must be 1 to 1024", o.AtOnce)
	}
	if o.HereAtOnce == 0 {
		o.HereAtOnce = zk.ChunksAtOnce()
	}
	if o.HereAtOnce < 1 || o.HereAtOnce > 1024 {
		return nil, fmt.Errorf("prover: %d chunks at once in this process, must be 1 to 1024", o.HereAtOnce)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Prover{
		queue: queue, options: o, slots: make(chan struct{}, o.AtOnce), here: make(chan struct{}, o.HereAtOnce),
		metrics: newProverMetrics(o.Metrics), wrong: map[string]string{}, unable: map[string]int{},
	}, nil
}

// AtOnce is how many chunks zk.Prover should have under way.
func (p *Prover) AtOnce() int { return p.options.AtOnce }

// Chunks makes chunk proofs through the queue and checks them with these keys, which are those that the ledger pins.
func (p *Prover) Chunks(ring *verify.Keyring) zk.ChunkProver {
	return func(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		defer func() { <-p.slots }()
		r, err := p.chunk(ctx, ring, job)
		if err != nil {
			p.metrics.jobs.WithLabelValues("failed").Inc()
			return nil, nil, err
		}
		p.metrics.jobs.WithLabelValues("proven").Inc()
		return r.Proof, r.Opened, nil
	}
}

// chunk has one chunk proven.
func (p *Prover) chunk(ctx context.Context, ring *verify.Keyring, job *zk.ChunkJob) (*zk.ChunkResult, error) {
	key, ok := ring.Published(verify.ChunkCircuit(job.Place.Size))
	if !ok {
		return nil, fmt.Errorf("no key is pinned for circuit %s", verify.ChunkCircuit(job.Place.Size))
	}
	point := job.Commitment.Bytes()
	at := &job.Place
	id := p.queue.ID([]byte("assay/v1/chunk-job"), at.Ledger[:], at.SRS[:], key.Digest[:], at.Statement[:],
		fmt.Appendf(nil, "%d/%d", at.Chunk, at.Size), point[:])
	w, err := p.queue.Watch(id)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	defer p.withdraw(ctx, id)
	t := &task{p: p, ring: ring, job: job, id: id, key: key.Digest, watch: w, unable: map[string]bool{}}
	r, err := t.run(ctx)
	if err != nil && t.doubtful() && p.options.Here != nil && ctx.Err() == nil {
		p.options.Logger.Warn("workers did not prove a chunk; proving it here", "fleet", at.Fleet, "chunk", at.Chunk, "epoch", at.Epoch, "error", err)
		r, err = p.proveHere(ctx, job)
	}
	if err != nil {
		return nil, err
	}
	t.proven()
	return r, nil
}

// proveHere proves in this process, a few at a time whatever the workers do: each holds a chunk's witness in memory.
func (p *Prover) proveHere(ctx context.Context, job *zk.ChunkJob) (*zk.ChunkResult, error) {
	select {
	case p.here <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.here }()
	proof, opened, err := p.options.Here(ctx, job)
	if err != nil {
		return nil, err
	}
	return &zk.ChunkResult{Proof: proof, Opened: opened}, nil
}

// withdraw leaves nothing of a job in the queue, whether it was proven, given up or stopped.
func (p *Prover) withdraw(ctx context.Context, id workqueue.ID) {
	if err := p.queue.Withdraw(context.WithoutCancel(ctx), id); err != nil {
		p.options.Logger.Warn("job stays in the work queue until its time is over", "job", id.String(), "error", err)
	}
}
