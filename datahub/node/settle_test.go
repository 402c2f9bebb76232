package node

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// settling is a closer with a broker of messages from oldest to newest, whose clock goes on by a second when it is asked.
func settling(g *ledger.Genesis, now time.Time) (c *closer, drawn *int) {
	drawn = new(int)
	c = &closer{genesis: g, schedule: schedule{every: 1}, log: slog.New(slog.NewTextHandler(io.Discard, nil)), drawn: map[string]uint64{}}
	c.clock = func() time.Time { now = now.Add(time.Second); return now }
	c.settled = func(context.Context, uint64) error { return nil }
	c.line = func(string, uint64) { *drawn++ }
	return c, drawn
}

// The line under an epoch is drawn once, when what the broker had is stored, or the time for that is over.
func TestBacklogIsReadBeforeTheLine(t *testing.T) {
	g := contracttest.Genesis()
	end := g.EpochEnd(5)
	c, drawn := settling(&g, end)
	oldest, asked := uint64(10), 0
	c.backlog = func(context.Context) (uint64, uint64, error) {
		asked++
		if *drawn > 0 {
			t.Error("the line was drawn before")
		}
		oldest++
		return oldest, 12 + uint64(asked), nil // devices go on sending
	}
	c.settle(t.Context(), fleetID, 5)
	if *drawn != 1 || oldest != 14 {
		t.Errorf("%d lines, %d is the oldest that is left of 13", *drawn, oldest)
	}
	asked = 0
	c.settle(t.Context(), fleetID, 5)
	if *drawn != 1 || asked != 0 {
		t.Error("an epoch whose line is drawn is settled again")
	}

	c, drawn = settling(&g, end)
	c.backlog = func(context.Context) (uint64, uint64, error) { return 1, 2, nil }
	window := g.AnchorDeadline(5).Sub(end)
	g.AnchorWindowSeconds = 40
	c.settle(t.Context(), fleetID, 5)
	if *drawn != 1 {
		t.Errorf("%d lines with a store that is away, in a window of %s", *drawn, window)
	}
}

// A machine that slept gathers no longer than it was told.
func TestGatheringEndsByTheClock(t *testing.T) {
	t.Parallel()
	g := newGathering()
	g.missing[commit.DeviceID{1}] = time.Time{}
	now := time.Now()
	began := now
	clock := func() time.Time { now = now.Add(30 * time.Minute); return now }
	done := make(chan error, 1)
	go func() { done <- g.wait(t.Context(), began.Add(24*time.Hour), clock, func(commit.DeviceID) {}) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it goes by a timer")
	}
}

// A schedule that closes no epoch in time is refused, with the field's name.
func TestScheduleThatIsAlwaysTooLate(t *testing.T) {
	g := contracttest.Genesis()
	g.EpochZero, g.EpochSeconds, g.AnchorWindowSeconds = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix(), 24*3600, 2*3600
	now := time.Date(2026, 4, 1, 7, 0, 0, 0, time.UTC)
	for text, ok := range map[string]bool{"every": true, "every 7": true, "0 1 * * *": true, "0 0 * * *": true, "0 2 * * *": false, "0 3 * * *": false, "0 0 30 2 *": false} {
		if err := (&Epochs{Close: text}).checkAgainst(&g, now); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	c := &closer{genesis: &g, schedule: must(parseSchedule("0 3 * * *"))(t)}
	if _, closes := c.closes(40); closes {
		t.Error("an epoch is closed after its time for anchors")
	}
}
