package node

import (
	"testing"
	"time"
)

// A regulator that does not open epochs keeps them open: no line is drawn under them, and nothing is given up, whatever this machine's clock says.
func TestEpochGoesOnUntilALaterOneIsOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8, nil)
	devices := w.sending(2)
	w.goesOn("at first", devices)
	w.until("devices are enrolled", func() bool { return w.status().Devices.Enrolled == 2 })
	w.closedWith(2)
	w.paused.Store(true)
	before := len(w.status().Epochs)
	w.wait(time.Now().Add(9 * time.Second)) // an epoch passes that nobody opens
	if n := len(w.status().Epochs); n > before+1 {
		t.Errorf("%d epochs were closed, %d before the regulator was away", n, before)
	}
	w.paused.Store(false)
	w.until("epochs are closed again", func() bool { return len(w.status().Epochs) > before+1 })
	w.complete(devices)
}

// A node that was away at an epoch's end gathers when it is back, while anchors are taken.
func TestNodeThatWasAwayAtTheEndGathersWhenItIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	devices := w.sending(3)
	w.until("devices are enrolled", func() bool { return w.status().Devices.Enrolled == 3 })
	var epoch uint64
	for _, m := range w.node.devices.where(func(*member) bool { return true }) {
		epoch = max(epoch, m.From)
	}
	g := w.ledger.Genesis()
	w.wait(g.EpochEnd(epoch).Add(-time.Second))
	w.end()
	w.wait(g.EpochEnd(epoch).Add(5 * time.Second)) // longer than devices are given
	w.start()
	w.until("the epoch is anchored", func() bool { return len(w.anchors(epoch)) == 1 })
	if a := w.anchors(epoch)[0].Anchor; a.Attested != 3 {
		t.Errorf("%d of 3 devices are in it", a.Attested)
	}
	w.complete(devices)
}
