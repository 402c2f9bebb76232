package workqueue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
)

// A worker that takes a job and answers nothing does not keep its owner waiting.
func TestLostJob(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q := open(t, b)
	id := submit(t, q, 1, "a")
	w := watch(t, q, id)
	if err := q.Withdraw(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Next(within(t, 10*time.Second), 1); r != nil || err != nil {
		t.Errorf("got %+v, %v, want to be told that it is lost", r, err)
	}
}

// Owner, worker and what is under way outlive the broker's restart.
func TestBrokerRestart(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q := open(t, b)
	anna := join(t, b, "anna")
	first := submit(t, q, 1, "first")
	w := watch(t, q, first)
	d := next(t, anna)
	b.Down()
	submitted, finished := make(chan error, 1), make(chan error, 1)
	go func() {
		submitted <- q.Submit(t.Context(), workqueue.Job{ID: q.ID([]byte("second")), Attempt: 1, Payload: []byte("second")})
	}()
	go func() { finished <- d.Finish(t.Context(), []byte("done")) }()
	b.Up()
	if err := errors.Join(<-submitted, <-finished); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Next(within(t, 20*time.Second), 1); err != nil || r == nil || string(r.Payload) != "done" {
		t.Errorf("got %+v, %v", r, err)
	}
	if d := next(t, anna); string(d.Payload) != "second" && string(d.Payload) != "first" {
		t.Errorf("delivered %q", d.Payload)
	}
}

func TestOpenRefuses(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t)
	nc := b.Dial("root")
	for name, c := range map[string]struct {
		change func(*workqueue.Options)
		want   string
	}{
		"no key":      {func(o *workqueue.Options) { o.Key = workqueue.Key{} }, "queue key"},
		"queue":       {func(o *workqueue.Options) { o.Queue = "a.b" }, `holds '.'`},
		"jobs":        {func(o *workqueue.Options) { o.MaxJobs = -1 }, "max jobs is -1"},
		"deliveries":  {func(o *workqueue.Options) { o.MaxDeliver = 101 }, "max deliver is 101"},
		"ack wait":    {func(o *workqueue.Options) { o.AckWait = time.Millisecond }, "ack wait is 1ms"},
		"keeping":     {func(o *workqueue.Options) { o.Keep = time.Millisecond }, "kept for 1ms"},
		"no replicas": {func(o *workqueue.Options) { o.Replicas = 6 }, "6 replicas"},
	} {
		o := options()
		c.change(&o)
		if _, err := workqueue.Open(t.Context(), nc, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
	if _, err := workqueue.Join(t.Context(), nc, "anna", options()); err == nil {
		t.Error("joined a queue that nobody opened")
	}
	if _, err := workqueue.Join(t.Context(), nc, "anna.*", options()); err == nil || !strings.Contains(err.Error(), "worker") {
		t.Errorf("joined under a pattern: %v", err)
	}
	b.Down()
	b.Options(func(o *server.Options) { o.MaxPayload = 100 << 10 })
	b.Up()
	if _, err := workqueue.Open(t.Context(), b.Dial("root"), options()); err == nil || !strings.Contains(err.Error(), "max_payload is 102400") {
		t.Errorf("a broker that takes no job: %v", err)
	}
}
