package node

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/record"
)

// Devices say hello, are enrolled, send readings, and at the end of the epoch attest: some to what the node derived, some to what they computed themselves.
func TestEpochIsClosedAndAnchored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6, nil)
	const proposed, own = 6, 3
	lied := record.Record{1, 12_000, 10, 20, 12_000, 1, 650, 0}
	var agents []*agent.Agent
	for i := range proposed + own {
		var records func(uint64, agent.Measured) (record.Record, bool)
		if i >= proposed {
			records = func(uint64, agent.Measured) (record.Record, bool) { return lied, true }
		}
		agents = append(agents, w.join(fmt.Sprintf("pack-%d", i), records))
	}
	var wait sync.WaitGroup
	for _, a := range agents {
		wait.Go(func() {
			if err := a.Publish(t.Context(), discharge()); err != nil {
				t.Error(err)
			}
			w.report(a)
		})
	}
	e := w.closedWith(proposed + own)
	w.end()
	wait.Wait()
	w.start()
	if e.Coverage != "100.00" || e.Enrolled != proposed+own || e.Readings == 0 || e.Flagged != own {
		t.Errorf("epoch is %+v", e)
	}
	anchors := w.anchors(e.Epoch)
	if len(anchors) != 1 || anchors[0].Anchor.Attested != proposed+own || anchors[0].Anchor.TxID != e.Transactions[0] {
		t.Errorf("the ledger has %+v", anchors)
	}
	for _, r := range must(w.node.storage.Store.Reports(t.Context(), fleetID, e.Epoch))(t) {
		rec := must(parseRecord(r.Record))(t)
		if r.Own != (rec == lied) || !r.Own && (rec[1] != 9540 || len(r.Flags) != 0) {
			t.Errorf("report of slot %d: own %v, record %v, flags %v", r.Slot, r.Own, rec, r.Flags)
		}
	}
}

// fleet joins devices that report for ever.
func (w *world) fleet(n int) {
	for i := range n {
		a := w.join(fmt.Sprintf("pack-%d", i), nil)
		go func() {
			if err := a.Publish(w.t.Context(), discharge()); err == nil {
				w.report(a)
			}
		}()
	}
}

// What a chunk commits to is fixed before the ledger hears of it. A node that is stopped in between anchors the same after it is started again, and a device's
// second thoughts change nothing.
func TestClosingGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, nil)
	w.fleet(4)
	var reached atomic.Bool
	stop := func(c ledger.Call) {
		if c.Function == ledger.FnAnchor {
			w.book.cut.Store(true)
			reached.Store(true)
		}
	}
	w.book.before.Store(&stop)
	w.until("an anchor is tried", reached.Load)
	var fixed store.Chunk
	w.until("a chunk is fixed", func() bool {
		for _, e := range w.status().Epochs {
			chunks := must(w.node.storage.Store.Chunks(t.Context(), fleetID, e.Epoch))(t)
			if len(chunks) == 1 && chunks[0].State == store.Closed {
				fixed = chunks[0]
				return true
			}
		}
		return false
	})
	w.end()
	w.book.before.Store(nil)
	w.book.cut.Store(false)
	w.start()
	w.until("the chunk is anchored", func() bool { return len(w.anchors(fixed.Epoch)) == 1 })
	args := must(ledger.DecodeRecord[ledger.AnchorChunk]("anchor", fixed.Anchor))(t)
	if a := w.anchors(fixed.Epoch)[0].Anchor; a.Root != args.Root || !bytes.Equal(a.Commitment, args.Commitment) || a.Attested == 0 {
		t.Errorf("anchored %+v, fixed %+v", a, args)
	}
	w.until("the epoch is closed", func() bool {
		c, err := w.node.storage.Store.Closing(t.Context(), fleetID, fixed.Epoch)
		return err == nil && !c.Ended.IsZero()
	})
}

// An anchor that the ledger took and whose answer was lost is found, and not given up.
func TestAnchorWhoseAnswerWasLostIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8, nil)
	w.book.lose.Store(true)
	w.fleet(3)
	e := w.closedWith(3)
	if anchors := w.anchors(e.Epoch); len(anchors) != 1 || e.Anchored != 1 || e.Transactions[0] != anchors[0].Anchor.TxID {
		t.Errorf("epoch %+v, ledger %+v", e, anchors)
	}
}

// A ledger that cannot be reached for a while delays an epoch, and does not lose it.
func TestLedgerThatIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, nil)
	w.fleet(3)
	w.until("devices are enrolled", func() bool { return w.status().Devices.Enrolled == 3 })
	w.book.cut.Store(true)
	w.until("an epoch is being closed", func() bool { return len(w.status().Epochs) > 0 })
	time.AfterFunc(2*time.Second, func() { w.book.cut.Store(false) })
	w.closedWith(3)
}

// Nothing that devices said is in the clear on the disk, in the broker's folder or in the store.
func TestNothingIsInTheClearOnTheDisk(t *testing.T) {
	w := newWorld(t, 6, nil)
	const needle = "transaction-that-nobody-may-see"
	a := w.join("pack-0", nil)
	if err := a.PublishPayload(t.Context(), frame.KindGBT32960, bytes.Repeat([]byte(needle), 50)); err != nil {
		t.Fatal(err)
	}
	w.until("the frame is quarantined, for it is no frame of that standard", func() bool {
		return len(must(w.node.storage.Store.QuarantineList(t.Context(), store.Filter{}))(t)) == 1
	})
	if found := w.plaintext(needle); len(found) != 0 {
		t.Errorf("found in %v", found)
	}
	q := must(w.node.storage.Store.QuarantineList(t.Context(), store.Filter{}))(t)[0]
	if !bytes.Contains(q.Payload, []byte(needle)) {
		t.Error("the test looks for something that was never there")
	}
}
