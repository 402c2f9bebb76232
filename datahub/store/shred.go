package store

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/store/driver"
)

// Keys returns the data keys of a fleet by period, those that are shredded among them.
func (s *Store) Keys(ctx context.Context, fleet string) ([]DataKey, error) {
	rows, err := s.driver.Keys(ctx, fleet, nil)
	if err != nil {
		return nil, fmt.Errorf("listing the data keys of fleet %q: %w", fleet, err)
	}
	out := make([]DataKey, len(rows))
	for i := range rows {
		out[i] = dataKey(&rows[i])
	}
	return out, nil
}

func dataKey(k *driver.Key) DataKey {
	return DataKey{Fleet: k.Fleet, Period: k.Period, First: k.First, Last: k.Last, Created: k.Created, Shredded: k.Shredded}
}

// Shred destroys the data keys of a fleet's periods that are over before an epoch, and returns those that it destroyed. What was
// written under them is unreadable from then on here, within five seconds in every other process, and in every backup. It refuses,
// with ErrCurrent and before anything is destroyed, if a period before that epoch is not over: one that holds the newest epoch of
// which the fleet has a frame or a closing.
//
// The wrapping key is destroyed in the key store first, the wrapped key in the database then. If it is broken off in between, or the
// key store fails, those keys are not used any more and Keys does not call them shredded: calling Shred again goes on.
func (s *Store) Shred(ctx context.Context, fleet string, beforeEpoch uint64) ([]DataKey, error) {
	rows, err := s.doom(ctx, fleet, beforeEpoch)
	if err != nil {
		return nil, fmt.Errorf("shredding fleet %q before epoch %d: %w", fleet, beforeEpoch, err)
	}
	var out []DataKey
	for i := range rows {
		if err := s.shredKey(ctx, &rows[i]); err != nil {
			return out, fmt.Errorf("shredding fleet %q, period %d: %w", fleet, rows[i].Period, err)
		}
		out = append(out, dataKey(&rows[i]))
	}
	return out, nil
}

// doom marks the keys to be destroyed, so that no process uses them any more, and returns those that are not destroyed yet.
func (s *Store) doom(ctx context.Context, fleet string, beforeEpoch uint64) ([]driver.Key, error) {
	current, known, err := s.driver.Latest(ctx, fleet)
	if err != nil || !known {
		return nil, err
	}
	before, newest := s.ring.period(fleet, beforeEpoch), s.ring.period(fleet, current)
	if before.number > newest.number {
		first, last := s.ring.epochs(newest)
		return nil, fmt.Errorf("epoch %d is the newest, its period is that of the epochs %d to %d: %w", current, first, last, ErrCurrent)
	}
	if err := s.driver.DoomKeys(ctx, fleet, before.number); err != nil {
		return nil, err
	}
	if err := s.ring.check(ctx, true); err != nil {
		return nil, err
	}
	rows, err := s.driver.Keys(ctx, fleet, nil)
	var left []driver.Key
	for _, k := range rows {
		if k.Doomed && k.Shredded.IsZero() {
			left = append(left, k)
		}
	}
	return left, err
}

func (s *Store) shredKey(ctx context.Context, k *driver.Key) error {
	if err := s.keys.Destroy(ctx, s.ring.wrappingKey(period{k.Fleet, k.Period})); err != nil {
		return fmt.Errorf("destroying its wrapping key: %w", err)
	}
	k.Shredded = time.Now().UTC().Truncate(time.Microsecond)
	if err := s.driver.ShredKey(ctx, k.Fleet, k.Period, k.Shredded); err != nil {
		return err
	}
	s.metrics.shredded.Inc()
	s.options.Logger.InfoContext(ctx, "data key shredded", "fleet", k.Fleet, "period", k.Period, "first_epoch", k.First, "last_epoch", k.Last)
	return nil
}
