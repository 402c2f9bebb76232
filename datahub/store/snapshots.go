package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// snapshotPage is how many snapshots are read at once.
const snapshotPage = 256

// Snapshots goes through each device's newest snapshot, by device. Those whose key is shredded are among them, without their state: what
// a device had come to is lost then. It ends with an error if one cannot be read. What is committed meanwhile may or may not be seen.
func (s *Store) Snapshots(ctx context.Context, fleet string) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		var after commit.DeviceID
		for {
			rows, err := s.driver.Snapshots(ctx, fleet, after, snapshotPage)
			if err != nil {
				yield(Snapshot{}, fmt.Errorf("reading snapshots of fleet %q: %w", fleet, err))
				return
			}
			for i := range rows {
				if !s.yieldSnapshot(ctx, &rows[i], yield) {
					return
				}
			}
			if len(rows) < snapshotPage {
				return
			}
			after = rows[len(rows)-1].Device
		}
	}
}

// yieldSnapshot reports whether to go on.
func (s *Store) yieldSnapshot(ctx context.Context, row *driver.Snapshot, yield func(Snapshot, error) bool) bool {
	state, shredded, err := s.open(ctx, snapshotPlace(row), row.Sealed)
	if err != nil {
		yield(Snapshot{}, err)
		return false
	}
	return yield(Snapshot{Fleet: row.Fleet, Device: row.Device, Epoch: row.Epoch, Sequence: row.Sequence, State: state, Shredded: shredded}, nil)
}

func snapshotPlace(r *driver.Snapshot) place {
	return place{snapshotBody, r.Fleet, r.Device, r.Epoch, binary.BigEndian.AppendUint64(nil, r.Sequence)}
}

func (s *Store) sealSnapshots(ctx context.Context, b *Batch, used *usedKeys, out *driver.Batch) error {
	type id struct {
		fleet  string
		device commit.DeviceID
		epoch  uint64
	}
	newest := merge(b.Snapshots, func(s *Snapshot) any { return id{s.Fleet, s.Device, s.Epoch} }, func(into, s *Snapshot) {
		if s.Sequence >= into.Sequence {
			*into = *s
		}
	})
	for i := range newest {
		key, err := used.of(ctx, newest[i].Fleet, newest[i].Epoch)
		if err != nil {
			return err
		}
		row := driver.Snapshot{Fleet: newest[i].Fleet, Device: newest[i].Device, Epoch: newest[i].Epoch, Sequence: newest[i].Sequence}
		row.Sealed = seal(key, snapshotPlace(&row), newest[i].State)
		out.Snapshots = append(out.Snapshots, row)
	}
	return nil
}
