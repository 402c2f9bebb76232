package prove_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// counted proves in the node, and counts how often and how many at a time.
type counted struct{ calls, now, most atomic.Int32 }

func (c *counted) prove(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
	c.calls.Add(1)
	now := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	keys, err := cachedKeys()
	if err != nil {
		return nil, nil, err
	}
	return zk.ProveHere(keys)(ctx, job)
}

// join joins the queue as a worker that the test moves by hand.
func (s *scene) join(worker string) *workqueue.Consumer {
	s.t.Helper()
	c, err := workqueue.Join(s.t.Context(), s.broker.Dial(worker), worker, workqueue.Options{Key: queueKey})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// A worker's word counts once for a job: one that says "failed" of attempts which others work on ends nothing.
func TestFailureCountsOnceForEachWorker(t *testing.T) {
	var here counted
	s := newScene(t, 2, func(_ *workqueue.Options, o *prove.Options) { o.Here = here.prove })
	done := s.start()
	d, err := s.join("liar").Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for d.Attempt = 1; d.Attempt <= 3; d.Attempt++ {
		if err := d.Fail(t.Context(), "no"); err != nil { // only the first was its own
			t.Fatal(err)
		}
	}
	s.work("anna", prove.WorkerOptions{})
	s.work("ben", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := here.calls.Load(); n != 0 {
		t.Errorf("%d chunks were proven in the node, though workers did", n)
	}
	s.empty()
}

// With nobody but a worker that says "failed", the node proves by itself, no more at a time than it is allowed, and the worker is
// accused.
func TestOneFailingWorkerEndsNothing(t *testing.T) {
	var here counted
	s := newScene(t, 4, func(_ *workqueue.Options, o *prove.Options) { o.Here, o.HereAtOnce = here.prove, 1 })
	liar := s.join("liar")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for d, err := liar.Next(ctx); err == nil; d, err = liar.Next(ctx) {
			if d.Fail(ctx, "no") != nil {
				return
			}
		}
	}()
	err := <-s.start()
	stop()
	<-ended
	if err != nil {
		t.Fatal(err)
	}
	if n := here.calls.Load(); n != 4 {
		t.Errorf("%d of 4 chunks proven in the node", n)
	}
	if n := here.most.Load(); n != 1 {
		t.Errorf("%d chunks at a time proven in the node, allowed was 1", n)
	}
	if why := s.prover.Wrong()["liar"]; !strings.Contains(why, "failed 3 jobs in a row") {
		t.Errorf("accused of %q", why)
	}
}

// noHere is what the node does if it should not prove.
func noHere(t *testing.T) zk.ChunkProver {
	return func(context.Context, *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		t.Error("proven in the node")
		return nil, nil, errors.New("no")
	}
}

// What two workers say cannot be done is given up, and not tried in the node.
func TestTwoFailingWorkersAreBelieved(t *testing.T) {
	s := newScene(t, 1, func(_ *workqueue.Options, o *prove.Options) { o.Here = noHere(t) })
	done := s.start()
	for _, worker := range []string{"anna", "ben", "liar"} {
		d, err := s.join(worker).Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Fail(t.Context(), "no memory left"); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err == nil || strings.Count(err.Error(), "no memory left") != 3 {
		t.Errorf("got %v", err)
	}
	s.empty()
}

// poison takes the job, and does not live to answer, until it is given the attempt or the context ends.
func poison(ctx context.Context, c *workqueue.Consumer, until uint8) {
	for d, err := c.Next(ctx); err == nil; d, err = c.Next(ctx) {
		if d.Return() != nil || d.Attempt >= until { // as if its process had ended
			return
		}
	}
}

// A job that ends every worker that takes it is given up once two workers say so, and does not end the node's process too.
func TestPoison(t *testing.T) {
	s := newScene(t, 1, func(w *workqueue.Options, o *prove.Options) { w.MaxDeliver, o.Here = 2, noHere(t) })
	done := s.start()
	anna, ben := s.join("anna"), s.join("ben")
	poison(t.Context(), anna, 2)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); poison(ctx, ben, 3) }()
	err := <-done
	stop()
	<-ended
	if err == nil || strings.Count(err.Error(), "delivered 2 times, and no worker finished it") != 2 || !strings.Contains(err.Error(), "given up after 2 failures") {
		t.Errorf("got %v", err)
	}
	if d, err := s.queue.Depth(t.Context()); err != nil || d.Dead != 2 {
		t.Errorf("the queue holds %+v, %v", d, err)
	}
}

// One worker that says that a job is dead is one failure.
func TestOneDeadLetterIsDoubtful(t *testing.T) {
	s := newScene(t, 1, func(w *workqueue.Options, o *prove.Options) { w.MaxDeliver, o.Here = 2, noHere(t) })
	done := s.start()
	poison(t.Context(), s.join("liar"), 2)
	s.work("anna", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := s.count("anna", prove.Proven); n != 1 {
		t.Errorf("anna proved %d chunks", n)
	}
}
