package workqueue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
)

func root(t *testing.T, b *queuetest.Broker) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(b.Dial("root"))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// What an operator deletes while a job is waited for is made again, and the one who waits gets a result, or is told that the job is
// lost and submits it again.
func TestDeletedWhileInUse(t *testing.T) {
	skipShort(t)
	for _, what := range []string{"JOBS", "RESULTS", "DEAD", "workers"} {
		t.Run(what, func(t *testing.T) {
			b := queuetest.Start(t, "anna")
			q := open(t, b)
			js := root(t, b)
			// Numbers of the streams go on from more than one, so that they begin anew when the streams do.
			for i := range 3 {
				submit(t, q, 1, fmt.Sprint("before ", i))
				if err := next(t, join(t, b, "anna")).Finish(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			id := submit(t, q, 1, "a")
			w := watch(t, q, id)
			if what == "workers" {
				if err := js.DeleteConsumer(t.Context(), "ASSAY_WORK_prove_JOBS", what); err != nil {
					t.Fatal(err)
				}
			} else if err := js.DeleteStream(t.Context(), "ASSAY_WORK_prove_"+what); err != nil {
				t.Fatal(err)
			}
			waited := make(chan error)
			go func() { waited <- untilAnswered(t, q, w) }()
			eventually(t, func() bool { return whole(t, js) })
			go answerAll(t, b)
			if err := <-waited; err != nil {
				t.Fatal(err)
			}
			if earlier, err := watch(t, q, id).Earlier(t.Context()); err != nil || len(earlier) != 1 {
				t.Errorf("earlier results %v, %v", earlier, err)
			}
		})
	}
}

// untilAnswered waits like one who wants a job's result, and submits the job again when it is lost.
func untilAnswered(t *testing.T, q *workqueue.Queue, w *workqueue.Watch) error {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for attempt := uint8(1); ; attempt++ {
		if r, err := w.Next(ctx, attempt); r != nil || err != nil {
			return err
		}
		if err := q.Submit(ctx, workqueue.Job{ID: q.ID([]byte("a")), Attempt: attempt + 1, Payload: []byte("a")}); err != nil {
			return err
		}
	}
}

func whole(t *testing.T, js jetstream.JetStream) bool {
	for _, s := range []string{"JOBS", "RESULTS", "DEAD"} {
		if _, err := js.Stream(t.Context(), "ASSAY_WORK_prove_"+s); err != nil {
			return false
		}
	}
	_, err := js.Consumer(t.Context(), "ASSAY_WORK_prove_JOBS", "workers")
	return err == nil
}

// answerAll works until the test ends.
func answerAll(t *testing.T, b *queuetest.Broker) {
	nc, err := workqueue.Dial(workqueue.Server{URL: b.URL(), Credentials: queuetest.Credentials("anna"), Queue: queuetest.Queue, Client: "anna"})
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	c, err := workqueue.Join(t.Context(), nc, "anna", workqueue.Options{Key: key})
	if err != nil {
		t.Error(err)
		return
	}
	for {
		d, err := c.Next(t.Context())
		if err != nil {
			return
		}
		d.Finish(t.Context(), []byte("done")) //nolint:errcheck // the test may end
	}
}

// A broker cannot have a worker renew its jobs without end, nor never.
func TestJoinChecksTheAckWait(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	open(t, b)
	js := root(t, b)
	for _, wait := range []time.Duration{1, 400 * time.Millisecond, 2 * time.Hour} {
		c, err := js.Consumer(t.Context(), "ASSAY_WORK_prove_JOBS", "workers")
		if err != nil {
			t.Fatal(err)
		}
		config := c.CachedInfo().Config
		config.AckWait = wait
		if _, err := js.UpdateConsumer(t.Context(), "ASSAY_WORK_prove_JOBS", config); err != nil {
			t.Fatal(err)
		}
		_, err = workqueue.Join(t.Context(), b.Dial("anna"), "anna", workqueue.Options{Key: key})
		if err == nil || !strings.Contains(err.Error(), "must be 500 ms to 1 h") {
			t.Errorf("%s: %v", wait, err)
		}
	}
}

// One worker's dead letters drive out nobody else's.
func TestDeadLettersOfEachWorker(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna", "evil")
	q := open(t, b)
	if _, err := root(t, b).Publish(t.Context(), "assay-work.prove.job.me.1", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	go join(t, b, "anna").Next(within(t, 20*time.Second)) //nolint:errcheck // there is nothing left for it
	eventually(t, func() bool { d, err := q.Depth(t.Context()); return err == nil && d.Dead == 1 && d.Jobs == 0 })
	evil := b.Dial("evil")
	for range 2000 {
		if err := evil.Publish("assay-work.prove.dead.evil", []byte("junk")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := evil.Request("assay-work.prove.dead.evil", []byte("last"), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if d, err := q.Depth(t.Context()); err != nil || d.Dead != 17 {
		t.Errorf("the queue holds %+v, %v; want 16 of one worker and 1 of the other", d, err)
	}
	if got := stored(t, root(t, b), "ASSAY_WORK_prove_DEAD", "assay-work.prove.dead.anna"); string(got) != "hello" {
		t.Errorf("anna's dead letter is %q", got)
	}
}
