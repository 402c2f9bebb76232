package workqueue_test

import (
	"bytes"
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

// Whatever is no job of this queue goes to the dead letters, and the next job is delivered.
func TestGarbageJobs(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q := open(t, b, func(o *workqueue.Options) { o.MaxJobs = 20 })
	js, err := jetstream.New(b.Dial("root"))
	if err != nil {
		t.Fatal(err)
	}
	hexID := q.ID([]byte("x")).String()
	garbage := map[string][]byte{
		"job." + hexID + ".1":                       []byte("hello"),
		"job." + hexID + ".2":                       nil,
		"job." + hexID + ".3":                       make([]byte, 400<<10),
		"job." + hexID + ".0":                       make([]byte, 60),
		"job." + hexID + ".256":                     make([]byte, 60),
		"job." + strings.ToUpper(hexID) + ".1":      make([]byte, 60),
		"job.me.1":                                  make([]byte, 60),
		"job." + q.ID([]byte("y")).String() + ".01": make([]byte, 60),
	}
	for subject, data := range garbage {
		if _, err := js.Publish(t.Context(), "assay-work.prove."+subject, data); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.Publish(t.Context(), "assay-work.prove.job."+hexID+".9", make([]byte, 600<<10)); err == nil {
		t.Error("the broker took an oversized job")
	}
	// What was sealed for one attempt is no job of another.
	id := submit(t, q, 1, "good")
	sealed := stored(t, js, "ASSAY_WORK_prove_JOBS", "assay-work.prove.job."+id.String()+".1")
	if bytes.Contains(sealed, []byte("good")) {
		t.Error("the broker sees the job")
	}
	if _, err := js.Publish(t.Context(), "assay-work.prove.job."+id.String()+".2", sealed); err != nil {
		t.Fatal(err)
	}
	anna := join(t, b, "anna")
	d := next(t, anna)
	if d.ID != id || string(d.Payload) != "good" {
		t.Errorf("delivered %s, %q", d.ID, d.Payload)
	}
	go anna.Next(within(t, 10*time.Second)) //nolint:errcheck // there is nothing left for it
	eventually(t, func() bool {
		depth, err := q.Depth(t.Context())
		return err == nil && depth == workqueue.Depth{Jobs: 1, Working: 1, Dead: uint64(len(garbage)) + 1}
	})
}

// A result counts only under the name that it was sealed for, and only for its job.
func TestGarbageResults(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna")
	q := open(t, b)
	id, other := submit(t, q, 1, "a"), submit(t, q, 1, "b")
	w, second := watch(t, q, id), watch(t, q, other)
	anna := join(t, b, "anna")
	d := next(t, anna)
	if d.ID != id {
		t.Fatalf("delivered %s first", d.ID)
	}
	if err := d.Finish(t.Context(), []byte("answer")); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(b.Dial("root"))
	if err != nil {
		t.Fatal(err)
	}
	sealed := stored(t, js, "ASSAY_WORK_prove_RESULTS", "assay-work.prove.result."+id.String()+".anna")
	if bytes.Contains(sealed, []byte("answer")) {
		t.Error("the broker sees the result")
	}
	for subject, data := range map[string][]byte{
		id.String() + ".ben":     sealed,
		other.String() + ".anna": sealed,
		other.String() + ".x":    []byte("garbage"),
		other.String() + ".y":    make([]byte, 30<<10),
	} {
		if _, err := js.Publish(t.Context(), "assay-work.prove.result."+subject, data); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := w.Next(within(t, 10*time.Second), 1); err != nil || r == nil || r.Worker != "anna" || string(r.Payload) != "answer" {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err := second.Next(within(t, time.Second), 1); r != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %+v, %v", r, err)
	}
}

// One worker's garbage silences nobody else, neither as it comes nor in the stream.
func TestGarbageSilencesOnlyItsWorker(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna", "liar")
	q := open(t, b)
	id := submit(t, q, 1, "a")
	w := watch(t, q, id)
	liar := b.Dial("liar")
	for i := range 600 {
		if err := liar.Publish("assay-work.prove.result."+id.String()+".liar", fmt.Append(nil, "garbage ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := liar.Flush(); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Next(within(t, time.Second), 1); r != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := next(t, join(t, b, "anna")).Finish(t.Context(), []byte("answer")); err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]*workqueue.Watch{"from the start": w, "afterwards": watch(t, q, id)} {
		if r, err := w.Next(within(t, 10*time.Second), 1); err != nil || r == nil || r.Worker != "anna" || string(r.Payload) != "answer" {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

// stored is what the broker holds under a subject.
func stored(t *testing.T, js jetstream.JetStream, stream, subject string) []byte {
	t.Helper()
	s, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetLastMsgForSubject(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	return m.Data
}
