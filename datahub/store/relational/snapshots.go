package relational

import (
	"context"
	"database/sql"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// PutSnapshot writes a snapshot, unless there is one of a later sequence.
const PutSnapshot = `INSERT INTO snapshots (fleet, epoch, device, sequence, sealed) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (fleet, epoch, device) DO UPDATE SET sequence = excluded.sequence, sealed = excluded.sealed
	WHERE excluded.sequence >= snapshots.sequence`

// Covered is the sequence up to which the newest snapshot of a frame's device stands for its frames.
const Covered = `coalesce((SELECT n.sequence FROM snapshots n WHERE n.fleet = f.fleet AND n.device = f.device ORDER BY n.epoch DESC LIMIT 1), 0)`

// Superseded says of a snapshot s that there is a newer one of its device.
const Superseded = `s.epoch < (SELECT max(n.epoch) FROM snapshots n WHERE n.fleet = s.fleet AND n.device = s.device)`

// OldSnapshots counts a fleet's snapshots of old epochs.
const OldSnapshots = `SELECT count(*) FROM snapshots WHERE fleet = $1 AND epoch < $2`

// SnapshotArgs are the values of PutSnapshot.
func SnapshotArgs(s *driver.Snapshot) []any {
	return []any{s.Fleet, int64(s.Epoch), s.Device[:], int64(s.Sequence), s.Sealed}
}

// Snapshots implements driver.Driver.
func (db *DB) Snapshots(ctx context.Context, fleet string, after commit.DeviceID, limit int) ([]driver.Snapshot, error) {
	scan := func(r *sql.Rows, s *driver.Snapshot) error {
		return r.Scan(&s.Fleet, &s.Epoch, deviceID{&s.Device}, &s.Sequence, &s.Sealed)
	}
	return query(ctx, db, scan, `SELECT fleet, epoch, device, sequence, sealed FROM snapshots s
		WHERE fleet = $1 AND device > $2 AND epoch = (SELECT max(n.epoch) FROM snapshots n WHERE n.fleet = s.fleet AND n.device = s.device)
		ORDER BY device LIMIT $3`, fleet, after[:], limit)
}

// Overtaken implements driver.Driver.
func (db *DB) Overtaken(ctx context.Context, fleet string, before uint64, after commit.DeviceID, limit int) ([]driver.Snapshot, error) {
	scan := func(r *sql.Rows, s *driver.Snapshot) error {
		return r.Scan(&s.Fleet, &s.Epoch, deviceID{&s.Device}, &s.Sequence)
	}
	return query(ctx, db, scan, `SELECT s.fleet, s.epoch, s.device, s.sequence FROM snapshots s
		JOIN progress p ON p.device = s.device AND p.head > s.sequence
		WHERE s.fleet = $1 AND s.device > $2 AND s.epoch < $3 AND NOT `+Superseded+` ORDER BY s.device LIMIT $4`,
		fleet, after[:], int64(before), limit)
}
