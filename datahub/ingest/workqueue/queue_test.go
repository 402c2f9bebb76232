package workqueue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
)

var key = workqueue.Key{1, 2, 3}

func options() workqueue.Options {
	return workqueue.Options{Key: key, AckWait: time.Second, Poll: 200 * time.Millisecond, MaxJobs: 4, MaxDeliver: 2}
}

func open(t *testing.T, b *queuetest.Broker, change ...func(*workqueue.Options)) *workqueue.Queue {
	t.Helper()
	o := options()
	for _, c := range change {
		c(&o)
	}
	q, err := workqueue.Open(t.Context(), b.Dial(queuetest.Owner), o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func join(t *testing.T, b *queuetest.Broker, name string) *workqueue.Consumer {
	t.Helper()
	c, err := workqueue.Join(t.Context(), b.Dial(name), name, workqueue.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// next takes the next job, which must come soon.
func next(t *testing.T, c *workqueue.Consumer) *workqueue.Delivery {
	t.Helper()
	d, err := c.Next(within(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func submit(t *testing.T, q *workqueue.Queue, attempt uint8, payload string) workqueue.ID {
	t.Helper()
	id := q.ID([]byte(payload))
	if err := q.Submit(within(t, 20*time.Second), workqueue.Job{ID: id, Attempt: attempt, Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
	return id
}

func watch(t *testing.T, q *workqueue.Queue, id workqueue.ID) *workqueue.Watch {
	t.Helper()
	w, err := q.Watch(id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a NATS server")
	}
}

func TestAJobAndItsResult(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna", "ben")
	q := open(t, b)
	anna, ben := join(t, b, "anna"), join(t, b, "ben")
	for i, end := range []func(*workqueue.Delivery) error{
		func(d *workqueue.Delivery) error { return d.Finish(t.Context(), []byte("forty-two")) },
		func(d *workqueue.Delivery) error { return d.Fail(t.Context(), "no\x1b memory\n") },
	} {
		id := submit(t, q, 3, fmt.Sprint("what is six times seven ", i))
		w := watch(t, q, id)
		c, name := anna, "anna"
		if i == 1 {
			c, name = ben, "ben"
		}
		d := next(t, c)
		if d.ID != id || d.Attempt != 3 || d.Delivered != 1 || !strings.HasPrefix(string(d.Payload), "what is") {
			t.Fatalf("delivered %v, attempt %d, %q", d.ID, d.Attempt, d.Payload)
		}
		if err := end(d); err != nil {
			t.Fatal(err)
		}
		r, err := w.Next(within(t, 10*time.Second), 3)
		if err != nil || r == nil || r.Worker != name || r.Attempt != 3 || r.Kind != []workqueue.Kind{workqueue.Done, workqueue.Failed}[i] {
			t.Fatalf("result %+v, %v", r, err)
		}
		if want := []string{"forty-two", "no  memory "}[i]; r.Reason() != want {
			t.Errorf("payload %q, want %q", r.Payload, want)
		}
		// Who comes later finds it too.
		if earlier, err := watch(t, q, id).Earlier(t.Context()); err != nil || len(earlier) != 1 {
			t.Errorf("earlier results %v, %v", earlier, err)
		}
	}
	if d, err := q.Depth(t.Context()); err != nil || d != (workqueue.Depth{}) {
		t.Errorf("the queue holds %+v, %v", d, err)
	}
}

// A job that is submitted twice is done once; an attempt that is queued is not queued again, even by another process.
func TestSubmittingAgain(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q, restarted := open(t, b), open(t, b)
	submit(t, q, 1, "once")
	submit(t, q, 1, "once")
	submit(t, restarted, 1, "once")
	if d, err := q.Depth(t.Context()); err != nil || d.Jobs != 1 {
		t.Fatalf("the queue holds %+v, %v", d, err)
	}
	anna := join(t, b, "anna")
	d := next(t, anna)
	submit(t, restarted, 1, "once") // while it is worked on
	if err := d.Finish(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if d, err := q.Depth(t.Context()); err != nil || d.Jobs != 0 {
		t.Fatalf("the queue holds %+v, %v", d, err)
	}
	// Another process has not done it, whatever the broker remembers.
	submit(t, restarted, 1, "once")
	if d := next(t, anna); string(d.Payload) != "once" {
		t.Errorf("%q", d.Payload)
	}
}

func TestFullQueueWaits(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q := open(t, b)
	for i := range 4 {
		submit(t, q, 1, fmt.Sprint(i))
	}
	job := workqueue.Job{ID: q.ID([]byte("fifth")), Attempt: 1, Payload: []byte("fifth")}
	if err := q.Submit(within(t, 300*time.Millisecond), job); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want to wait", err)
	}
	waiting := make(chan error)
	go func() { waiting <- q.Submit(t.Context(), job) }()
	if err := next(t, join(t, b, "anna")).Finish(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
}

// A worker that works keeps its job for longer than the ack wait; from one that is gone the job goes to another.
func TestAckWait(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna", "ben")
	q := open(t, b)
	gone, err := workqueue.Dial(workqueue.Server{URL: b.URL(), Credentials: queuetest.Credentials("anna"), Queue: queuetest.Queue, Client: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	anna, err := workqueue.Join(t.Context(), gone, "anna", workqueue.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	ben := join(t, b, "ben")
	submit(t, q, 1, "long work")
	first := next(t, anna)
	if d, err := ben.Next(within(t, 2500*time.Millisecond)); err == nil {
		t.Fatalf("job %s was given to another while it was worked on", d.ID)
	}
	gone.Close()
	if d := next(t, ben); d.ID != first.ID || d.Delivered != 2 {
		t.Errorf("got %s, delivered %d times", d.ID, d.Delivered)
	}
}

// A job that is returned comes again at once, and after MaxDeliver times it is dead.
func TestDeadLetter(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q := open(t, b)
	anna := join(t, b, "anna")
	id := submit(t, q, 1, "poison")
	w := watch(t, q, id)
	for i := range 2 {
		d := next(t, anna)
		if int(d.Delivered) != i+1 {
			t.Fatalf("delivered %d times, want %d", d.Delivered, i+1)
		}
		if err := d.Return(); err != nil {
			t.Fatal(err)
		}
	}
	go anna.Next(within(t, 10*time.Second)) //nolint:errcheck // there is nothing left for it
	r, err := w.Next(within(t, 10*time.Second), 1)
	if err != nil || r == nil || r.Kind != workqueue.Dead || !strings.Contains(r.Reason(), "2 times") {
		t.Fatalf("got %+v, %v", r, err)
	}
	eventually(t, func() bool {
		d, err := q.Depth(t.Context())
		return err == nil && d == workqueue.Depth{Dead: 1}
	})
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("did not come about in time")
		}
	}
}

// A worker may answer under its own name only, and has no other business on the broker.
func TestPermissions(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna", "ben")
	q := open(t, b)
	id := submit(t, q, 1, "a")
	js, err := jetstream.New(b.Dial("anna"))
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"result." + id.String() + ".ben", "job." + id.String() + ".2", "dead.ben"} {
		if _, err := js.Publish(within(t, 500*time.Millisecond), "assay-work.prove."+subject, []byte("x")); err == nil {
			t.Errorf("anna may publish %s", subject)
		}
	}
	if _, err := js.Stream(within(t, 500*time.Millisecond), "ASSAY_WORK_prove_JOBS"); err == nil {
		t.Error("anna may look at the stream")
	}
	if sub, err := b.Dial("anna").SubscribeSync("assay-work.prove.>"); err == nil {
		if m, err := sub.NextMsg(500 * time.Millisecond); err == nil {
			t.Errorf("anna may read %s", m.Subject)
		}
	}
}
