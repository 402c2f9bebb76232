package ingest

import (
	"errors"
	"testing"

	"github.com/assay-net/assay/datahub/store"
)

// A device that had no seat sent one frame twice. Both copies are replayed together: it is stored once, and other devices are not kept waiting.
func TestTwoCopiesReplayedTogether(t *testing.T) {
	n := newTestNode(t, nil)
	d := newTestDevice(n.maker, "noseat")
	l := n.link(d)
	sealed := seal(d, d.signed(d.newFrame(1)))
	l.send(sealed)
	l.send(sealed)
	eventually(t, "two rows", func() bool { return len(n.quarantined(d)) == 2 })
	n.registry.seat(d, 0)
	must(n.store.QuarantineMark(t.Context(), store.Filter{Device: &d.id}))
	eventually(t, "the frame is stored", func() bool { return len(n.stored(d)) == 1 })
	n.othersGoOn(t)
	eventually(t, "the quarantine is empty", func() bool { return len(n.quarantined(d)) == 0 })
}

// Two different frames of one sequence are replayed together: one is stored, the other goes back with the reason.
func TestTwoFramesOfOneSequenceReplayedTogether(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	n.sink.with(func() { n.sink.refuse = func(*Upload) error { return errors.New("no") } })
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
	l.send(l.sealed(l.newFrame(1)))
	eventually(t, "two rows", func() bool { return len(n.quarantined(l.testDevice)) == 2 })
	n.sink.with(func() { n.sink.refuse = nil })
	must(n.store.QuarantineMark(t.Context(), store.Filter{Device: &l.id}))
	eventually(t, "one is stored", func() bool { return len(n.stored(l.testDevice)) == 1 })
	n.othersGoOn(t)
	rows := n.quarantined(l.testDevice)
	if len(rows) != 1 || rows[0].Reason != ReasonConflict || rows[0].Replay {
		t.Errorf("the quarantine has %+v", rows)
	}
}

func (n *testNode) othersGoOn(t *testing.T) {
	t.Helper()
	other := n.link(n.device("other"))
	other.send(other.sealed(other.newFrame(1)))
	other.awaitThrough(1)
}
