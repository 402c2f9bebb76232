package workqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
	"github.com/assay-net/assay/fabricnet/loopback"
)

// Workers may be at any server of a cluster, wherever the streams are.
func TestRoutedCluster(t *testing.T) {
	skipShort(t)
	addresses := make([]string, 3)
	for i := range addresses {
		var err error
		if addresses[i], err = loopback.FreeAddress(); err != nil {
			t.Fatal(err)
		}
	}
	servers := queuetest.StartCluster(t, addresses, "anna", "evil")
	q := open(t, servers[0], func(o *workqueue.Options) { o.AckWait = 2 * time.Second })
	for i, s := range servers {
		anna := join(t, s, "anna")
		id := submit(t, q, 1, fmt.Sprint("job ", i))
		w := watch(t, q, id)
		d := next(t, anna)
		queuetest.Attack(t, s.Dial("evil"), "evil", id.String(), "anna")
		if err := d.Finish(t.Context(), []byte("done")); err != nil {
			t.Fatal(err)
		}
		if r, err := w.Next(within(t, 20*time.Second), 1); err != nil || r == nil || r.Worker != "anna" || string(r.Payload) != "done" {
			t.Fatalf("server %d: got %+v, %v", i, r, err)
		}
		if earlier, err := watch(t, q, id).Earlier(t.Context()); err != nil || len(earlier) != 1 {
			t.Errorf("server %d: earlier results %v, %v", i, earlier, err)
		}
		if d, err := q.Depth(t.Context()); err != nil || d != (workqueue.Depth{}) {
			t.Errorf("server %d: the queue holds %+v, %v", i, d, err)
		}
	}
}
