package prove_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
	"github.com/assay-net/assay/datahub/prove"
)

// children are what this test binary does when it is run again as another process.
var children = map[string]func() error{"worker": workerProcess, "owner": ownerProcess}

// childSlots is what the children's chunks have: a proof of 1,024 takes long enough to be killed in.
const childSlots, childChunks = 1024, 3

func workerProcess() error {
	f, err := newFleet(childSlots, childSlots)
	if err != nil {
		return err
	}
	nc, err := workqueue.Dial(workqueue.Server{URL: os.Getenv("ASSAY_PROVE_TEST_URL"), Credentials: queuetest.Credentials("ben"), Queue: queuetest.Queue, Client: "ben"})
	if err != nil {
		return err
	}
	c, err := workqueue.Join(context.Background(), nc, "ben", workqueue.Options{Key: queueKey})
	if err != nil {
		return err
	}
	w, err := prove.NewWorker(c, f.keys, prove.WorkerOptions{Name: "ben", Jobs: 1, Report: func(e prove.Event) { fmt.Println(e.Stage) }})
	if err != nil {
		return err
	}
	return w.Run(context.Background(), context.Background())
}

func ownerProcess() error {
	f, err := newFleet(childChunks*childSlots, childSlots)
	if err != nil {
		return err
	}
	nc, err := workqueue.Dial(workqueue.Server{URL: os.Getenv("ASSAY_PROVE_TEST_URL"), Credentials: queuetest.Credentials(queuetest.Owner), Queue: queuetest.Queue, Client: queuetest.Owner})
	if err != nil {
		return err
	}
	q, err := workqueue.Open(context.Background(), nc, workqueue.Options{Key: queueKey, AckWait: ackWait})
	if err != nil {
		return err
	}
	p, err := prove.NewProver(q, prove.Options{})
	if err != nil {
		return err
	}
	return f.prove(context.Background(), p)
}

// child runs this test binary as another process.
func (s *scene) child(what string) (*exec.Cmd, *bufio.Scanner) {
	s.t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "ASSAY_PROVE_TEST="+what, "ASSAY_PROVE_TEST_URL="+s.broker.URL())
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		c.Process.Kill() //nolint:errcheck // it is dead already
		c.Wait()         //nolint:errcheck // killed
	})
	return c, bufio.NewScanner(out)
}

// A worker process is killed in the middle of a proof: the bundle still comes out and verifies.
func TestWorkerKilled(t *testing.T) {
	s := newSizedScene(t, childChunks*childSlots, childSlots, nil)
	done := s.start()
	ben, out := s.child("worker")
	if !out.Scan() || out.Text() != string(prove.Taken) {
		t.Fatalf("ben said %q", out.Text())
	}
	if err := ben.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.work("anna", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := s.count("anna", prove.Proven); n != childChunks {
		t.Errorf("anna proved %d of %d chunks", n, childChunks)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	again := false
	for _, e := range s.events {
		again = again || e.Delivered == 2
	}
	if !again {
		t.Error("no job was delivered again: it was not being worked on when its worker was killed")
	}
}

// The owner's process is killed while workers work: what they proved meanwhile is used, nothing is proven twice.
func TestOwnerKilled(t *testing.T) {
	s := newSizedScene(t, childChunks*childSlots, childSlots, nil)
	s.work("anna", prove.WorkerOptions{})
	owner, _ := s.child("owner")
	s.until("the first proof", func() bool { return s.count("anna", prove.Proven) == 1 })
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-s.start(); err != nil {
		t.Fatal(err)
	}
	if n := s.count("anna", prove.Proven); n != childChunks {
		t.Errorf("%d proofs of %d chunks: %v", n, childChunks, s.stages())
	}
}
