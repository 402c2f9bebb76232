package prove_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// Two workers share the chunks of one request.
func TestTwoWorkersShare(t *testing.T) {
	s := newScene(t, 6, nil)
	// Neither goes on before both have a job.
	var both sync.WaitGroup
	both.Add(2)
	together := func() zk.ChunkProver {
		first := sync.OnceFunc(func() { both.Done(); both.Wait() })
		return func(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
			first()
			return zk.ProveHere(s.keys)(ctx, job)
		}
	}
	anna, ben := s.work("anna", prove.WorkerOptions{Prove: together()}), s.work("ben", prove.WorkerOptions{Prove: together()})
	if err := <-s.start(); err != nil {
		t.Fatal(err)
	}
	if a, b := s.count("anna", prove.Proven), s.count("ben", prove.Proven); a+b != 6 || a == 0 || b == 0 {
		t.Errorf("anna proved %d and ben %d of 6 chunks", a, b)
	}
	s.empty()
	for _, w := range []*working{anna, ben} {
		w.stop()
		if err := <-w.ended; err != nil {
			t.Errorf("a worker that was stopped ended with %v", err)
		}
	}
}

// A queue that holds two jobs makes the prover wait, no more.
func TestFullQueue(t *testing.T) {
	s := newScene(t, 5, func(o *workqueue.Options, _ *prove.Options) { o.MaxJobs = 2 })
	done := s.start()
	s.until("the queue is full", func() bool {
		d, err := s.queue.Depth(t.Context())
		return err == nil && d.Jobs == 2
	})
	s.work("anna", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := s.count("anna", prove.Proven); n != 5 {
		t.Errorf("%d proofs of 5 chunks", n)
	}
}

// The broker goes away while proofs are being made, and comes back.
func TestBrokerRestart(t *testing.T) {
	s := newScene(t, 6, nil)
	s.work("anna", prove.WorkerOptions{})
	s.work("ben", prove.WorkerOptions{})
	done := s.start()
	s.until("the first proof", func() bool { return s.count("", prove.Proven) > 0 })
	s.broker.Down()
	s.broker.Up()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.empty()
}

// What a request still has in the queue goes with it.
func TestCancelled(t *testing.T) {
	s := newScene(t, 4, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.fleet.prove(ctx, s.prover) }()
	s.until("all jobs are queued", func() bool {
		d, err := s.queue.Depth(t.Context())
		return err == nil && d.Jobs == 4
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	s.empty()
}

// A worker that cannot do it says so; after three times the request fails with what it said.
func TestFailsThreeTimes(t *testing.T) {
	s := newScene(t, 1, nil)
	s.work("anna", prove.WorkerOptions{Prove: func(context.Context, *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		return nil, nil, errors.New("no memory left")
	}})
	err := <-s.start()
	if err == nil || strings.Count(err.Error(), "worker anna: no memory left") != 3 || !strings.Contains(err.Error(), "given up after 3 failures") {
		t.Errorf("got %v", err)
	}
	if n := s.count("anna", prove.Failed); n != 3 {
		t.Errorf("anna failed %d times", n)
	}
	s.empty()
}

// A broker that comes back without what it had stored is given everything again.
func TestBrokerLosesItsStore(t *testing.T) {
	s := newScene(t, 2, nil)
	done := s.start()
	s.until("both jobs are queued", func() bool {
		d, err := s.queue.Depth(t.Context())
		return err == nil && d.Jobs == 2
	})
	s.broker.Down()
	s.broker.Forget()
	s.broker.Up()
	s.until("both jobs are queued again", func() bool {
		d, err := s.queue.Depth(t.Context())
		return err == nil && d.Jobs == 2
	})
	s.work("anna", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A proof library that panics is a failure, and a failure is forgotten once another succeeds.
func TestPanicIsAFailure(t *testing.T) {
	s := newScene(t, 1, nil)
	panicked := false
	s.work("anna", prove.WorkerOptions{Prove: func(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		if !panicked {
			panicked = true
			panic("index out of range")
		}
		return zk.ProveHere(s.keys)(ctx, job)
	}})
	if err := <-s.start(); err != nil {
		t.Fatal(err)
	}
	if s.count("anna", prove.Failed) != 1 || s.count("anna", prove.Proven) != 1 {
		t.Errorf("%v", s.stages())
	}
}

// A worker that is stopped finishes; one that is hurried gives back what it is at.
func TestStoppedAndHurried(t *testing.T) {
	s := newScene(t, 1, nil)
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	slow := func(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		begun <- struct{}{}
		<-goOn
		return zk.ProveHere(s.keys)(ctx, job)
	}
	hurried := s.work("ben", prove.WorkerOptions{Prove: slow})
	done := s.start()
	<-begun
	hurried.hurry()
	s.until("ben gives it back", func() bool { return s.count("ben", prove.Returned) == 1 })
	if err := <-hurried.ended; err != nil {
		t.Errorf("hurried, and ended with %v", err)
	}
	stopped := s.work("anna", prove.WorkerOptions{Prove: slow})
	<-begun
	stopped.stop()
	close(goOn)
	if err := <-stopped.ended; err != nil {
		t.Errorf("stopped, and ended with %v", err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s.count("anna", prove.Proven) != 1 || s.count("ben", prove.Proven) != 0 {
		t.Errorf("%v", s.stages())
	}
}

// A worker of another setup gives the job back and stops, instead of returning proofs that nobody can verify.
func TestOtherKeys(t *testing.T) {
	s := newScene(t, 1, nil)
	other := s.work("ben", prove.WorkerOptions{}, otherKeys{s.keys})
	done := s.start()
	if err := <-other.ended; !errors.Is(err, prove.ErrOtherKeys) {
		t.Errorf("ended with %v", err)
	}
	s.work("anna", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// otherKeys publishes the key of another circuit as its own.
type otherKeys struct{ prove.Keys }

func (k otherKeys) Published(sizes ...int) ([]verify.PublishedKey, error) {
	other, err := k.Keys.Published(256)
	if err != nil {
		return nil, err
	}
	for _, p := range other {
		if p.CircuitID == verify.ChunkCircuit(256) {
			return []verify.PublishedKey{verify.NewPublishedKey(verify.ChunkCircuit(uint32(sizes[0])), p.Setup, p.Key)}, nil
		}
	}
	return nil, errors.New("no key")
}
