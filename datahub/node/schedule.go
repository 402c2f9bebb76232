package node

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// schedule chooses the epochs that are closed.
type schedule struct {
	every uint64
	cron  cron.Schedule
}

// parseSchedule reads "every", "every 7", or a cron expression of five fields.
func parseSchedule(text string) (schedule, error) {
	if text == "every" {
		return schedule{every: 1}, nil
	}
	if count, ok := strings.CutPrefix(text, "every "); ok {
		n, err := strconv.ParseUint(count, 10, 32)
		if err != nil || n == 0 {
			return schedule{}, fmt.Errorf("%q: must be every N with N of at least 1", text)
		}
		return schedule{every: n}, nil
	}
	s, err := cron.ParseStandard(text)
	if err != nil {
		return schedule{}, fmt.Errorf("%q is neither every, every N nor a cron expression: %w", text, err)
	}
	return schedule{cron: s}, nil
}

// at is when the closing of an epoch begins, given when it and the next end; the last result is false if it is not closed at all.
func (s schedule) at(epoch uint64, end, nextEnd time.Time) (time.Time, bool) {
	if s.cron == nil {
		return end, epoch%s.every == 0
	}
	t := s.cron.Next(end.UTC().Add(-time.Second))
	return t, t.Before(nextEnd)
}

// hitsAhead is how many times of a schedule are looked at.
const hitsAhead = 64

// checkAgainst refuses a schedule that closes no epoch of this ledger while its anchors are taken.
func (e *Epochs) checkAgainst(g *ledger.Genesis, now time.Time) error {
	s, err := parseSchedule(e.Close)
	if err != nil || s.cron == nil {
		return err
	}
	hit := g.EpochEnd(0).Add(-time.Second)
	if now.After(hit) {
		hit = now
	}
	for range hitsAhead {
		if hit = s.cron.Next(hit.UTC()); hit.IsZero() {
			return fmt.Errorf("epochs.close: %q never comes", e.Close)
		}
		running, err := g.EpochAt(hit)
		if err != nil {
			return fmt.Errorf("epochs.close: %w", err)
		}
		if running > 0 && hit.Before(g.AnchorDeadline(running-1)) {
			return nil
		}
	}
	return fmt.Errorf("epochs.close: none of the next %d times of %q is within %ds after the end of an epoch, when the ledger takes its anchors: it would close none",
		hitsAhead, e.Close, g.AnchorWindowSeconds)
}
