package ingest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// A frame that is refused is acknowledged only if there is room for it; otherwise its device keeps it until there is.
func TestNoFrameIsAcknowledgedIntoAFullQuarantine(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	row := store.Quarantined{Fleet: "fleet-a", Device: l.id, Subject: subject(l.id, wordUp), Received: time.Now(), Reason: ReasonRefused, Acknowledged: true}
	full := &store.Batch{}
	for range 100 {
		full.Quarantine = append(full.Quarantine, row)
	}
	if err := n.store.Commit(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	n.sink.with(func() { n.sink.refuse = func(*Upload) error { return errors.New("no") } })
	one := l.sealed(l.newFrame(1))
	l.send(one)
	eventually(t, "there is no place for it", func() bool { return n.value("dropped_total", "quarantine_full") == 1 })
	l.send([]byte("garbage")) // which is not acknowledged, and has room of its own
	eventually(t, "garbage is put aside", func() bool { return len(n.quarantined(l.testDevice)) == 101 })
	if l.through() != 0 {
		t.Fatal("the frame was acknowledged")
	}
	var ids []string
	for _, q := range n.quarantined(l.testDevice) {
		ids = append(ids, q.ID)
	}
	must(n.store.QuarantineDelete(t.Context(), ids))
	sent := 1.0
	eventually(t, "it is taken when there is room", func() bool {
		if n.value("dropped_total", "quarantine_full") >= sent { // the device sends it again
			l.send(one)
			sent++
		}
		return l.through() == 1
	})
	rows := n.quarantined(l.testDevice)
	if len(rows) == 0 || !rows[0].Acknowledged || !rows[0].Plain {
		t.Errorf("the quarantine has %+v", rows)
	}
}

// What is in the quarantine in the plain can be tried again however it fails in between.
func TestPlainFrameIsTriedAgainWhateverTheReason(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	n.sink.with(func() { n.sink.refuse = func(*Upload) error { return errors.New("no") } })
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
	n.sink.with(func() { n.sink.refuse = nil })
	n.registry.mu.Lock()
	known := n.registry.known[l.id]
	delete(n.registry.known, l.id)
	n.registry.mu.Unlock()
	must(n.store.QuarantineMark(t.Context(), store.Filter{Device: &l.id}))
	eventually(t, "it is put back", func() bool {
		rows := n.quarantined(l.testDevice)
		return len(rows) == 1 && rows[0].Reason == ReasonUnknown && rows[0].Plain && rows[0].Acknowledged
	})
	n.registry.mu.Lock()
	n.registry.known[l.id] = known
	n.registry.mu.Unlock()
	must(n.store.QuarantineMark(t.Context(), store.Filter{Device: &l.id}))
	eventually(t, "it is stored", func() bool { return cmp.Equal(n.stored(l.testDevice), []uint64{1}) })
}

// What was tried again and cannot be deleted is not tried again until it is.
func TestReplayWaitsForItsDeletions(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	l.send([]byte("garbage"))
	eventually(t, "it is put aside", func() bool { return len(n.quarantined(l.testDevice)) == 1 })
	n.store.mu.Lock()
	n.store.undeleted = 3
	n.store.mu.Unlock()
	must(n.store.QuarantineMark(t.Context(), store.Filter{Device: &l.id}))
	eventually(t, "it is put back", func() bool {
		rows := n.quarantined(l.testDevice)
		return len(rows) == 1 && !rows[0].Replay
	})
	if put := n.value("replayed_total", "put_back"); put != 1 {
		t.Errorf("put back %v times", put)
	}
}

// One frame cannot use up all sequences of its device.
func TestAbsurdSequenceIsNotTaken(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	f := l.newFrame(frame.MaxSequence)
	f.Oldest = f.Sequence
	l.send(l.sealed(f))
	eventually(t, "it is put aside", func() bool {
		rows := n.quarantined(l.testDevice)
		return len(rows) == 1 && rows[0].Reason == ReasonSequence && !rows[0].Acknowledged
	})
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
}
