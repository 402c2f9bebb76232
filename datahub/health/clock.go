package health

import (
	"errors"
	"fmt"
)

var (
	// ErrNoReadings says that no reading of the epoch has been taken.
	ErrNoReadings = errors.New("no reading of the epoch has been taken")
	// ErrNotKept says that the epoch is older than the last one that ended with readings: its figures are gone.
	ErrNotKept = errors.New("the figures of the epoch are no longer kept")
)

// noEpoch is the epoch of a time before epoch 0.
const noEpoch = -1

// epochClock divides Unix time into epochs.
type epochClock struct{ zeroMicros, lengthMicros int64 }

func newEpochClock(zeroSeconds, lengthSeconds int64) (*epochClock, error) {
	const latest, longest = maxTestMicros / 1_000_000, 366 * 86_400
	if zeroSeconds < 0 || zeroSeconds > latest {
		return nil, fmt.Errorf("epoch zero %d: must be 0 to %d seconds since 1970", zeroSeconds, int64(latest))
	}
	if lengthSeconds < 1 || lengthSeconds > longest {
		return nil, fmt.Errorf("epoch length %d: must be 1 to %d seconds", lengthSeconds, longest)
	}
	return &epochClock{zeroSeconds * 1_000_000, lengthSeconds * 1_000_000}, nil
}

func (c *epochClock) at(timeMicros int64) int64 {
	if timeMicros < c.zeroMicros {
		return noEpoch
	}
	return (timeMicros - c.zeroMicros) / c.lengthMicros
}

// start is the first microsecond of an epoch that at returned, or of the one after.
func (c *epochClock) start(epoch int64) int64 { return c.zeroMicros + epoch*c.lengthMicros }

// last is the last epoch that a reading can be of.
func (c *epochClock) last() int64 { return c.at(maxTestMicros) }

// bounded is an epoch as the clock counts, those beyond the last one being the last one.
func (c *epochClock) bounded(epoch uint64) int64 {
	return int64(min(epoch, uint64(max(c.last(), 0))))
}

// epochs keeps the figures F of the epoch that ended last beside those of the epoch that is running, which the series itself holds.
type epochs[F any] struct {
	clock *epochClock
	// running is the epoch that the latest reading is of, or the one after the last that was closed.
	running int64
	// ended, if it is known, is the latest epoch with readings before the running one. Once closed its figures stay as they are.
	ended struct {
		known, closed bool
		epoch         int64
		figures       F
	}
}

// roll makes a later epoch the running one. freeze returns the figures of the one before, if it had any readings.
func (e *epochs[F]) roll(to int64, readings bool, freeze func() F) {
	if readings {
		e.ended.known, e.ended.closed = true, false
		e.ended.epoch, e.ended.figures = e.running, freeze()
	}
	e.running = to
}

// settle fixes the figures of every epoch up to the closed one.
func (e *epochs[F]) settle(closed int64) {
	if e.ended.known && e.ended.epoch <= closed {
		e.ended.closed = true
	}
}

// find tells where the figures of an epoch are: among those that ended, else in the running one.
func (e *epochs[F]) find(epoch int64, readings bool) (ended bool, err error) {
	switch {
	case epoch == e.running && readings:
		return false, nil
	case e.ended.known && epoch == e.ended.epoch:
		return true, nil
	case e.ended.known && epoch < e.ended.epoch:
		return false, ErrNotKept
	}
	return false, ErrNoReadings
}

// open says that an ended epoch still takes late readings.
func (e *epochs[F]) open(epoch int64) bool {
	return e.ended.known && !e.ended.closed && e.ended.epoch == epoch
}

// walk writes or reads all but the clock.
func (e *epochs[F]) walk(s *state, figures func(*F)) {
	s.signed(&e.running, 0, e.clock.last()+1)
	s.flag(&e.ended.known)
	if !e.ended.known {
		return
	}
	s.flag(&e.ended.closed)
	s.signed(&e.ended.epoch, 0, e.clock.last())
	s.check(e.ended.epoch < e.running, "an epoch ended after the running one")
	figures(&e.ended.figures)
}
