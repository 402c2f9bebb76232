package node

import (
	"errors"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

func TestGathering(t *testing.T) {
	a, b := commit.DeviceID{1}, commit.DeviceID{2}
	g := newGathering()
	g.missing[a], g.missing[b] = time.Time{}, time.Time{}
	now := time.Now()
	if due := g.due(now, askPause); len(due) != 2 {
		t.Fatalf("due %v", due)
	}
	if due := g.due(now.Add(time.Second), askPause); len(due) != 0 {
		t.Errorf("asked again after a second: %v", due)
	}
	if g.stored(a, 0, now.Add(time.Second), askPause) || !g.stored(a, 0, now.Add(askPause), askPause) {
		t.Error("a device that is heard from without a report is asked again after the pause, and not before")
	}
	if err := g.stage(a, 0, 7, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := g.stage(a, 0, 7, []byte("x")); !errors.Is(err, errAgain) {
		t.Errorf("the same report: %v", err)
	}
	if err := g.stage(a, 0, 8, []byte("y")); !errors.Is(err, errSecond) {
		t.Errorf("another report: %v", err)
	}
	g.stored(a, 6, now, askPause)
	if g.waiting() != 2 || len(g.underWay(0)) != 1 {
		t.Error("a report counts once its frame is stored, not one before")
	}
	g.stored(a, 7, now, askPause)
	if g.waiting() != 1 || len(g.underWay(0)) != 0 {
		t.Error("the report is stored")
	}
	g.close(3)
	if err := g.stage(b, 3, 1, []byte("z")); !errors.Is(err, errFixed) {
		t.Errorf("after the chunk is fixed: %v", err)
	}
	if err := g.stage(b, 0, 1, []byte("z")); err != nil {
		t.Fatal(err)
	}
	g.stored(b, 1, now, askPause)
	select {
	case <-g.done:
	default:
		t.Error("nobody is missing, and it waits")
	}
	if err := g.wait(t.Context(), now.Add(time.Hour), time.Now, func(commit.DeviceID) { t.Error("asked") }); err != nil {
		t.Error(err)
	}
}

func TestOpeningRoundTrip(t *testing.T) {
	for _, bad := range [][]byte{nil, {1}, make([]byte, 1+64*slotBytes), append([]byte{2}, make([]byte, 64*slotBytes)...)} {
		if _, err := parseOpening(bad, 0, 64); err == nil {
			t.Errorf("%d bytes are taken", len(bad))
		}
	}
	b := append([]byte{openingVersion}, make([]byte, 64*slotBytes)...)
	b[1] = 0xff // a lane beyond its place
	if _, err := parseOpening(b, 0, 64); err == nil {
		t.Error("a lane that spills is taken")
	}
	b[1], b[1+32] = 0, 0xff // a scalar that is not reduced
	if _, err := parseOpening(b, 0, 64); err == nil {
		t.Error("a scalar that is not reduced is taken")
	}
}
