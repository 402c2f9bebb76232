package workqueue_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
)

// Whatever a worker has the broker send, it reaches nothing but that worker.
func TestWorkerHasTheBrokerSendNothing(t *testing.T) {
	skipShort(t)
	b := queuetest.Start(t, "anna", "evil")
	q := open(t, b)
	anna := join(t, b, "anna")
	answered := submit(t, q, 1, "answered")
	d := next(t, anna)
	if err := d.Finish(t.Context(), []byte("answer")); err != nil {
		t.Fatal(err)
	}
	js := root(t, b)
	result := "assay-work.prove.result." + answered.String() + ".anna"
	before := stored(t, js, "ASSAY_WORK_prove_RESULTS", result)
	waiting := submit(t, q, 1, "waiting")
	held := next(t, anna)
	for i := range 2 {
		queuetest.Attack(t, b.Dial("evil"), "evil", answered.String(), "anna")
		if err := js.DeleteStream(t.Context(), "none"); err == nil { // a call that is queued behind others that change something
			t.Error("deleted a stream that is not there")
		}
		for stream, want := range map[string]uint64{"JOBS": 1, "RESULTS": 2, "DEAD": 0} {
			s, err := js.Stream(t.Context(), "ASSAY_WORK_prove_"+stream)
			if err != nil {
				t.Fatalf("round %d: %s: %v", i, stream, err)
			}
			info, err := s.Info(t.Context())
			if err != nil || info.State.Msgs != want {
				t.Errorf("round %d: %s holds %d messages, want %d: %v", i, stream, info.State.Msgs, want, err)
			}
		}
		if !bytes.Equal(stored(t, js, "ASSAY_WORK_prove_RESULTS", result), before) {
			t.Fatalf("round %d: anna's result is another", i)
		}
	}
	w := watch(t, q, waiting)
	if err := held.Finish(t.Context(), []byte("late")); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Next(within(t, 10*time.Second), 1); err != nil || r == nil || string(r.Payload) != "late" || r.Worker != "anna" {
		t.Errorf("got %+v, %v", r, err)
	}
}
