package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// needed says with ErrCurrent why keys that are to be destroyed are needed still. They are of periods below before.
func (s *Store) needed(ctx context.Context, fleet string, live []driver.Key, before period, o ShredOptions) error {
	current, err := s.currentEpoch(ctx, fleet, o)
	if err != nil {
		return err
	}
	for i := range live {
		if live[i].Last >= current {
			return fmt.Errorf("epoch %d is the current one, its period is that of the epochs %d to %d: %w", current, live[i].First, live[i].Last, ErrCurrent)
		}
	}
	if o.Force {
		return nil
	}
	for i := range live {
		if err := s.stillClosing(ctx, fleet, &live[i], current); err != nil {
			return err
		}
	}
	return s.derivedFrom(ctx, fleet, live, before)
}

func (s *Store) currentEpoch(ctx context.Context, fleet string, o ShredOptions) (uint64, error) {
	if o.Now > 0 {
		return o.Now, nil
	}
	newest, known, err := s.driver.Latest(ctx, fleet)
	if err == nil && !known {
		err = fmt.Errorf("the fleet has no frame and no closing that says which epoch it is: say which: %w", ErrCurrent)
	}
	return newest, err
}

// stillClosing refuses a period of which reports and chunks are still to be written.
func (s *Store) stillClosing(ctx context.Context, fleet string, k *driver.Key, current uint64) error {
	open, there, err := s.driver.Unended(ctx, fleet, k.First, k.Last)
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("the closing of epoch %d has not ended: %w", open, ErrCurrent)
	}
	if current == 0 || current-1 < k.First || current-1 > k.Last {
		return nil
	}
	_, err = s.Closing(ctx, fleet, current-1)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("epoch %d has just ended and is not closed: %w", current-1, ErrCurrent)
	}
	return err
}

// derivedFrom refuses periods that hold the newest snapshot of a device that has frames after it in a period that stays: what these
// frames come to could not be known any more.
func (s *Store) derivedFrom(ctx context.Context, fleet string, live []driver.Key, before period) error {
	doomed := make(map[uint64]bool)
	for i := range live {
		doomed[live[i].Period] = true
	}
	first, _ := s.ring.epochs(before)
	var after commit.DeviceID
	for {
		found, err := s.driver.Overtaken(ctx, fleet, first, after, snapshotPage)
		if err != nil {
			return err
		}
		for i := range found {
			if !doomed[s.ring.period(fleet, found[i].Epoch).number] {
				continue
			}
			if err := s.goesOn(ctx, &found[i], first); err != nil {
				return err
			}
		}
		if len(found) < snapshotPage {
			return nil
		}
		after = found[len(found)-1].Device
	}
}

// goesOn fails with ErrCurrent if a device has frames after a snapshot that are of an epoch from first on.
func (s *Store) goesOn(ctx context.Context, snapshot *driver.Snapshot, first uint64) error {
	for at := snapshot.Sequence; ; {
		frames, err := s.driver.Frames(ctx, snapshot.Device, at, snapshotPage)
		if err != nil {
			return err
		}
		for i := range frames {
			if frames[i].Epoch >= first && frames[i].Fleet == snapshot.Fleet {
				return fmt.Errorf("the newest snapshot of device %s is of epoch %d, and frames from %d on, which stay, go on from it (let an epoch be closed, or force it): %w",
					snapshot.Device, snapshot.Epoch, frames[i].Sequence, ErrCurrent)
			}
		}
		if len(frames) < snapshotPage {
			return nil
		}
		at = frames[len(frames)-1].Sequence
	}
}
