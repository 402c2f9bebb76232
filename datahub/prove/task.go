package prove

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

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
	// unable are the workers that said once that they could not do it: a worker's word counts once for each job. repeated is what such
	// a worker said of the present attempt, which need not have been its own.
	unable   map[string]bool
	repeated error
	// astray says that a failure was a wrong result or none; dead counts the workers that said that the job ends its workers.
	astray bool
	dead   int
}

// confirmed is how many workers must say that a job cannot be done for it to be believed.
const confirmed = 2

// doubtful says that the failures need not be the job's fault.
func (t *task) doubtful() bool {
	return t.dead < confirmed && (t.astray || len(t.unable) < confirmed)
}

// proven draws the conclusions about those who said that it could not be done.
func (t *task) proven() {
	for worker := range t.unable {
		if err := t.p.contradict(worker); err != nil {
			t.p.accuse(worker, t.job, err)
		}
	}
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
		if t.dead >= confirmed || len(t.failures) >= MaxFailures {
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
	t.repeated = nil
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
			err := t.repeated
			if err == nil {
				t.astray = true
				err = fmt.Errorf("attempt %d: its worker took it and returned nothing that could be used", t.attempt)
			}
			t.failures = append(t.failures, err)
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
			t.p.able(r.Worker)
			delete(t.unable, r.Worker)
			return result
		}
		t.p.accuse(r.Worker, t.job, err)
		if r.Attempt == t.attempt {
			t.astray = true
			t.failures = append(t.failures, fmt.Errorf("attempt %d: worker %s returned a wrong result: %w", r.Attempt, r.Worker, err))
		}
		return nil
	}
	if r.Attempt != t.attempt {
		return nil
	}
	t.p.options.Logger.Warn("worker could not prove a chunk", "worker", r.Worker, "fleet", at.Fleet, "chunk", at.Chunk, "epoch", at.Epoch, "attempt", r.Attempt, "reason", r.Reason())
	t.failed(r)
	return nil
}

// failed counts a worker's word that it could not do the present attempt. What a worker says again ends no attempt, which may be
// under way at another: if it was that worker's, the queue says so.
func (t *task) failed(r *workqueue.Result) {
	err := fmt.Errorf("attempt %d: worker %s: %s", r.Attempt, r.Worker, r.Reason())
	if t.unable[r.Worker] {
		t.repeated = err
		return
	}
	t.unable[r.Worker] = true
	if r.Kind == workqueue.Dead {
		t.dead++
	}
	t.failures = append(t.failures, err)
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
