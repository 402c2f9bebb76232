package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/keys"
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

// Fleets returns the fleets of which there are data keys, also those that are in no configuration any more; "" is that of frames that
// were quarantined before their fleet was known.
func (s *Store) Fleets(ctx context.Context) ([]string, error) {
	out, err := s.driver.Fleets(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing fleets: %w", err)
	}
	return out, nil
}

// ShredOptions say what may be shredded.
type ShredOptions struct {
	// Now is the ledger's epoch. 0 is not known: the newest epoch of which the fleet has a frame or a closing counts then, so that a
	// fleet that has fallen silent keeps its last period.
	Now uint64
	// Force also shreds epochs that are being closed, and snapshots that derivations go on from: batches with reports of such an epoch
	// fail from then on, and such devices' totals begin at zero when the node starts next.
	Force bool
}

// Shred destroys the data keys of a fleet's periods that end before an epoch, and returns those that it destroyed. What was
// written under them is unreadable from then on here, within five seconds in every other process, and in every backup.
//
// It refuses, with ErrCurrent and before anything is destroyed, if one of those periods is not over, and unless it is forced also if
// the closing of one of its epochs has not ended, if it holds the epoch before the current one and that was not closed, or if it holds
// a device's newest snapshot and there are frames of the device after it that stay. A device that has sent nothing since its snapshot
// does not count: its totals are lost. A period whose wrapping key the key store has not is noted as shredded in any case, as after
// a backup was restored.
//
// A period's wrapped key is opened before its wrapping key is destroyed: a row that was altered, or is another database's, destroys
// nothing. The wrapping key is destroyed in the key store first, the wrapped key in the database then. If it is broken off in between,
// or the key store fails, those keys are not used any more and Keys does not call them shredded: calling Shred again goes on.
func (s *Store) Shred(ctx context.Context, fleet string, beforeEpoch uint64, o ShredOptions) ([]DataKey, error) {
	fail := func(err error) error {
		return fmt.Errorf("shredding fleet %q before epoch %d: %w", fleet, beforeEpoch, err)
	}
	chosen, refusal, err := s.choose(ctx, fleet, beforeEpoch, o)
	if err != nil {
		return nil, fail(err)
	}
	var out []DataKey
	if len(chosen) > 0 {
		if err := s.doom(ctx, fleet, chosen); err != nil {
			return nil, fail(err)
		}
	}
	for i := range chosen {
		if err := s.shredKey(ctx, &chosen[i]); err != nil {
			return out, fmt.Errorf("shredding fleet %q, period %d: %w", fleet, chosen[i].Period, err)
		}
		out = append(out, dataKey(&chosen[i]))
	}
	if refusal != nil {
		return out, fail(refusal)
	}
	return out, nil
}

// choose returns the keys to be destroyed, and why others are not.
func (s *Store) choose(ctx context.Context, fleet string, beforeEpoch uint64, o ShredOptions) (chosen []driver.Key, refusal, err error) {
	if err := checkNumber("shredding", "epoch", beforeEpoch); err != nil {
		return nil, nil, err
	}
	before := s.ring.period(fleet, beforeEpoch)
	rows, err := s.driver.Keys(ctx, fleet, nil)
	if err != nil {
		return nil, nil, err
	}
	var live []driver.Key
	for _, k := range rows {
		if k.Period >= before.number || !k.Shredded.IsZero() {
			continue
		}
		there, err := s.ring.verify(ctx, &k)
		if err != nil {
			return nil, nil, fmt.Errorf("period %d: %w", k.Period, err)
		}
		if there {
			live = append(live, k)
		} else {
			chosen = append(chosen, k)
		}
	}
	if len(live) == 0 {
		return chosen, nil, nil
	}
	if err := s.needed(ctx, fleet, live, before, o); errors.Is(err, ErrCurrent) {
		return chosen, err, nil
	} else if err != nil {
		return nil, nil, err
	}
	return append(chosen, live...), nil, nil
}

// verify opens a key that is to be destroyed, and reports whether the key store has its wrapping key. It fails if the row is not one
// that this database wrote with this key store.
func (r *keyring) verify(ctx context.Context, k *driver.Key) (there bool, err error) {
	if err := r.prove(ctx); err != nil {
		return false, err
	}
	p := period{k.Fleet, k.Period}
	if first, last := r.epochs(p); k.First != first || k.Last != last {
		return false, fmt.Errorf("the database says that it is of the epochs %d to %d, must be %d to %d: %w", k.First, k.Last, first, last, ErrTampered)
	}
	plain, err := r.keys.Unwrap(ctx, r.wrappingKey(p), k.Wrapped, r.context(p))
	clear(plain)
	if errors.Is(err, keys.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("opening the key that is to be destroyed: %w", err)
	}
	return true, nil
}

// doom marks the keys to be destroyed, so that no process uses them any more.
func (s *Store) doom(ctx context.Context, fleet string, chosen []driver.Key) error {
	periods := make([]uint64, len(chosen))
	for i := range chosen {
		periods[i] = chosen[i].Period
	}
	if err := s.driver.DoomKeys(ctx, fleet, periods); err != nil {
		return err
	}
	return s.ring.check(ctx, true)
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
