package prove

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/zk"
)

// The reasons for which a worker stops by itself: more of its proofs would be no use.
var (
	// ErrAccused says that the owner found a result of this worker wrong, or that it failed again and again what others proved.
	ErrAccused = errors.New("the owner found a result of this worker wrong, or that it fails what others prove: check this machine and its keys before it works again")
	// ErrOtherKeys says that the worker's keys are not those of the ledger.
	ErrOtherKeys = errors.New("this worker's keys are of another setup than the ledger's: give it the owner's key cache")
)

// Stage says how far a worker is with a job.
type Stage string

// Stages of a job, the last four of which end it.
const (
	Taken    Stage = "taken"
	Proven   Stage = "proven"
	Failed   Stage = "failed"
	Returned Stage = "returned"
	Unsent   Stage = "unsent" // proven, but the broker was away until the worker was hurried
)

// Event is told to whoever follows a worker. It holds no record and no total.
type Event struct {
	Stage     Stage
	Job       workqueue.ID
	Fleet     string
	Epoch     uint64
	Chunk     uint32
	Slots     uint32
	Attempt   uint8
	Delivered uint64
	Took      time.Duration // since the job was taken
	Err       error         // of a job that was not proven
}

// WorkerOptions of a Worker.
type WorkerOptions struct {
	// Name is the worker's, under which it joined the queue.
	Name string
	// Jobs is how many chunks are proven at once. Default zk.ChunksAtOnce.
	Jobs int
	// Report, if set, is told what happens, by several goroutines at once.
	Report  func(Event)
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// Prove makes the proofs. Default zk.ProveHere with the worker's keys.
	Prove zk.ChunkProver
	// Unchecked sends proofs without checking them first. For tests of those who must.
	Unchecked bool
}

// Worker takes jobs from a queue and proves them.
type Worker struct {
	queue   *workqueue.Consumer
	keys    Keys
	options WorkerOptions
	metrics *workerMetrics

	mu    sync.Mutex
	rings map[uint32]ownKey
	back  []unfinished
}

// unfinished is a job to be given back.
type unfinished struct {
	delivery *workqueue.Delivery
	event    Event
	reason   error
}

// NewWorker works on a queue that its caller joined.
func NewWorker(queue *workqueue.Consumer, keys Keys, o WorkerOptions) (*Worker, error) {
	if o.Jobs == 0 {
		o.Jobs = zk.ChunksAtOnce()
	}
	if o.Jobs < 1 || o.Jobs > 256 {
		return nil, fmt.Errorf("worker: %d jobs at once, must be 1 to 256", o.Jobs)
	}
	if err := workqueue.CheckWorker(o.Name); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Report == nil {
		o.Report = func(Event) {}
	}
	if o.Prove == nil {
		o.Prove = zk.ProveHere(keys)
	}
	return &Worker{queue: queue, keys: keys, options: o, metrics: newWorkerMetrics(o.Metrics), rings: map[uint32]ownKey{}}, nil
}

// Run works until ctx ends: then it takes no more, finishes what it is at, and returns nil. When hurry ends it gives back what
// it is at, at once. It stops by itself, with the reason, if more work would be no use: ErrAccused, ErrOtherKeys, or a
// connection that was closed.
func (w *Worker) Run(ctx, hurry context.Context) error {
	group, taking := errgroup.WithContext(ctx)
	for range w.options.Jobs {
		group.Go(func() error {
			for failures := 0; ; {
				d, err := w.queue.Next(taking)
				if err != nil && taking.Err() != nil {
					return nil
				}
				if err != nil {
					return err
				}
				done, err := w.work(hurry, d)
				if err != nil || hurry.Err() != nil {
					return err
				}
				if failures++; done {
					failures = 0
				}
				rest(taking, failures)
			}
		})
	}
	return errors.Join(group.Wait(), w.giveBack())
}

// giveBack returns what was not finished, once nobody here asks for jobs any more and could get it again.
func (w *Worker) giveBack() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, u := range w.back {
		w.tell(u.event, Returned, u.reason)
		errs = append(errs, u.delivery.Return())
	}
	w.back = nil
	return errors.Join(errs...)
}

// rest keeps a machine on which jobs fail from taking every job there is, and failing it, before others come to it.
func rest(ctx context.Context, failures int) {
	if failures == 0 {
		return
	}
	timer := time.NewTimer(min(restAfterFailure<<min(failures-1, 10), maxRest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

const (
	restAfterFailure = 500 * time.Millisecond
	maxRest          = 30 * time.Second
)

// work does one job, and says whether it was done. Its error ends the worker.
func (w *Worker) work(hurry context.Context, d *workqueue.Delivery) (done bool, err error) {
	w.metrics.working.Inc()
	defer w.metrics.working.Dec()
	start := time.Now()
	e := Event{Job: d.ID, Attempt: d.Attempt, Delivered: d.Delivered}
	o, err := parseOrder(d.Payload)
	if err == nil {
		at := &o.Job.Place
		e.Fleet, e.Epoch, e.Chunk, e.Slots = at.Fleet, at.Epoch, at.Chunk, at.Size
	}
	w.tell(e, Taken, nil)
	if err != nil {
		return w.failed(hurry, d, e, err)
	}
	own, err := w.own(o)
	if err != nil {
		if errors.Is(err, ErrAccused) || errors.Is(err, ErrOtherKeys) {
			w.keep(d, e, err)
			return false, err
		}
		return w.failed(hurry, d, e, err)
	}
	e.Took = time.Since(start)
	return w.proof(hurry, d, e, own, o.Job)
}

// proof proves an order and settles its delivery.
func (w *Worker) proof(hurry context.Context, d *workqueue.Delivery, e Event, own ownKey, job *zk.ChunkJob) (done bool, err error) {
	type outcome struct {
		payload []byte
		err     error
	}
	start := time.Now()
	proven := make(chan outcome, 1) // nobody may be there to hear it
	go func() {
		payload, err := w.prove(hurry, own, job)
		proven <- outcome{payload, err}
	}()
	var out outcome
	select {
	case <-hurry.Done():
		e.Took += time.Since(start)
		w.keep(d, e, hurry.Err())
		return false, nil
	case out = <-proven:
	}
	e.Took += time.Since(start)
	w.metrics.seconds.Observe(time.Since(start).Seconds())
	if out.err != nil {
		return w.failed(hurry, d, e, out.err)
	}
	if err := d.Finish(hurry, out.payload); err != nil {
		w.tell(e, Unsent, err)
		return false, nil
	}
	w.tell(e, Proven, nil)
	return true, nil
}

// prove makes, checks and encodes a chunk's proof. A panic of the proof library is the job's failure, not the worker's end.
func (w *Worker) prove(ctx context.Context, own ownKey, job *zk.ChunkJob) (b []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			w.options.Logger.Error("proving panicked", "chunk", job.Place.Chunk, "fleet", job.Place.Fleet)
			err = errors.New("the proof library panicked")
		}
	}()
	proof, opened, err := w.options.Prove(ctx, job)
	if err != nil {
		return nil, err
	}
	if !w.options.Unchecked {
		if err := job.Verify(own.ring, proof, opened); err != nil {
			return nil, fmt.Errorf("the proof just made does not hold: %w", err)
		}
	}
	return (&zk.ChunkResult{Proof: proof, Opened: opened}).Marshal()
}

func (w *Worker) failed(hurry context.Context, d *workqueue.Delivery, e Event, err error) (done bool, ended error) {
	w.tell(e, Failed, err)
	if err := d.Fail(hurry, err.Error()); err != nil {
		w.options.Logger.Warn("failure not told", "job", d.ID.String(), "error", err)
	}
	return false, nil
}

// keep has a job given back when the worker has stopped, which it is about to.
func (w *Worker) keep(d *workqueue.Delivery, e Event, reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.back = append(w.back, unfinished{d, e, reason})
}

func (w *Worker) tell(e Event, s Stage, err error) {
	e.Stage, e.Err = s, err
	if s != Taken {
		w.metrics.jobs.WithLabelValues(string(s)).Inc()
	}
	w.options.Logger.Debug("job "+string(s), "job", e.Job.String(), "fleet", e.Fleet, "chunk", e.Chunk, "seconds", e.Took.Seconds())
	w.options.Report(e)
}
