package prove

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
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
	// Here, if set, proves what workers were wrong about or did not answer, when all else failed. Nil gives such a job up.
	Here    zk.ChunkProver
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// Prover answers requests through a work queue. It is safe for concurrent use, and made once for a process: it remembers which
// workers were wrong.
type Prover struct {
	queue   *workqueue.Queue
	options Options
	slots   chan struct{}
	metrics *proverMetrics

	mu    sync.Mutex
	wrong map[string]string // by worker, what for
}

// NewProver uses a queue that its caller opened.
func NewProver(queue *workqueue.Queue, o Options) (*Prover, error) {
	if o.AtOnce == 0 {
		o.AtOnce = DefaultAtOnce
	}
	if o.AtOnce < 1 || o.AtOnce > 1024 {
		return nil, fmt.Errorf("prover: %d chunks at once, must be 1 to 1024", o.AtOnce)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Prover{queue: queue, options: o, slots: make(chan struct{}, o.AtOnce), metrics: newProverMetrics(o.Metrics), wrong: map[string]string{}}, nil
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

// Wrong lists the workers whose results did not check, and why. They are not listened to any more.
func (p *Prover) Wrong() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]string, len(p.wrong))
	for worker, why := range p.wrong {
		out[worker] = why
	}
	return out
}

// Forgive listens to a worker again.
func (p *Prover) Forgive(worker string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wrong, worker)
}

func (p *Prover) isWrong(worker string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.wrong[worker]
	return ok
}

// accuse remembers that a worker was wrong.
func (p *Prover) accuse(worker string, job *zk.ChunkJob, err error) {
	p.options.Logger.Error("worker returned a wrong result; it is not listened to any more",
		"worker", worker, "fleet", job.Place.Fleet, "chunk", job.Place.Chunk, "epoch", job.Place.Epoch, "error", err)
	p.metrics.wrong.Inc()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong[worker] = fmt.Sprintf("chunk %d of fleet %s at epoch %d: %v", job.Place.Chunk, job.Place.Fleet, job.Place.Epoch, err)
}

// without lists workers to stay away, the same ones first every time.
func (p *Prover) without() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, 0, len(p.wrong))
	for worker := range p.wrong {
		names = append(names, worker)
	}
	slices.Sort(names)
	return names[:min(len(names), maxWithout)]
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
	t := &task{p: p, ring: ring, job: job, id: id, key: key.Digest, watch: w}
	r, err := t.run(ctx)
	if err == nil || !t.doubtful || t.dead || p.options.Here == nil || ctx.Err() != nil {
		return r, err
	}
	p.options.Logger.Warn("workers did not prove a chunk; proving it here", "fleet", at.Fleet, "chunk", at.Chunk, "epoch", at.Epoch, "error", err)
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

// task is a chunk on its way.
type task struct {
	p     *Prover
	ring  *verify.Keyring
	job   *zk.ChunkJob
	id    workqueue.ID
	key   commit.Digest
	watch *workqueue.Watch

	attempt  uint8
	failures []error
	// doubtful says that a failure need not be the job's fault; dead, that the job ended its workers again and again.
	doubtful, dead bool
}

// run submits the job until one result is good or MaxFailures are not.
func (t *task) run(ctx context.Context) (*zk.ChunkResult, error) {
	earlier, err := t.watch.Earlier(ctx)
	if err != nil {
		t.p.options.Logger.Debug("earlier results cannot be read", "error", err)
	}
	for _, r := range earlier {
		if good := t.look(r); good != nil {
			return good, nil
		}
	}
	for {
		if t.dead || len(t.failures) >= MaxFailures {
			return nil, fmt.Errorf("given up after %d failures: %w", len(t.failures), errors.Join(t.failures...))
		}
		if err := t.submit(ctx); err != nil {
			return nil, err
		}
		good, err := t.await(ctx)
		if good != nil || err != nil {
			return good, err
		}
	}
}

func (t *task) submit(ctx context.Context) error {
	t.attempt++
	payload, err := (&order{Key: t.key, Without: t.p.without(), Job: t.job}).marshal()
	if err != nil {
		return err
	}
	return t.p.queue.Submit(ctx, workqueue.Job{ID: t.id, Attempt: t.attempt, Payload: payload})
}

// await returns a good result, or neither if this attempt failed.
func (t *task) await(ctx context.Context) (*zk.ChunkResult, error) {
	for failed := len(t.failures); len(t.failures) == failed; {
		r, err := t.watch.Next(ctx, t.attempt)
		if err != nil {
			return nil, err
		}
		if r == nil {
			t.doubtful = true
			t.failures = append(t.failures, fmt.Errorf("attempt %d: its worker took it and returned nothing that could be used", t.attempt))
			continue
		}
		if good := t.look(r); good != nil {
			return good, nil
		}
	}
	return nil, nil
}

// look takes one worker's answer. Only what answers the present attempt can be a failure of it.
func (t *task) look(r *workqueue.Result) *zk.ChunkResult {
	if t.p.isWrong(r.Worker) {
		return nil
	}
	at := &t.job.Place
	if r.Kind == workqueue.Done {
		result, err := t.check(r.Payload)
		if err == nil {
			return result
		}
		t.p.accuse(r.Worker, t.job, err)
		if r.Attempt == t.attempt {
			t.doubtful = true
			t.failures = append(t.failures, fmt.Errorf("attempt %d: worker %s returned a wrong result: %w", r.Attempt, r.Worker, err))
		}
		return nil
	}
	if r.Attempt != t.attempt {
		return nil
	}
	t.dead = r.Kind == workqueue.Dead
	t.p.options.Logger.Warn("worker could not prove a chunk", "worker", r.Worker, "fleet", at.Fleet, "chunk", at.Chunk, "epoch", at.Epoch, "attempt", r.Attempt, "reason", r.Reason())
	t.failures = append(t.failures, fmt.Errorf("attempt %d: worker %s: %s", r.Attempt, r.Worker, r.Reason()))
	return nil
}

func (t *task) check(payload []byte) (*zk.ChunkResult, error) {
	start := time.Now()
	defer func() { t.p.metrics.check.Observe(time.Since(start).Seconds()) }()
	r, err := zk.ParseChunkResult(payload)
	if err != nil {
		return nil, err
	}
	return r, t.job.Verify(t.ring, r.Proof, r.Opened)
}
