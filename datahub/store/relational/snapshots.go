package relational

import (
	"context"
	"database/sql"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// PutSnapshot writes a snapshot.
const PutSnapshot = `INSERT INTO snapshots (fleet, epoch, device, sequence, sealed) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (fleet, epoch, device) DO UPDATE SET sequence = excluded.sequence, sealed = excluded.sealed`

// SnapshotArgs are the values of PutSnapshot.
func SnapshotArgs(s *driver.Snapshot) []any {
	return []any{s.Fleet, int64(s.Epoch), s.Device[:], int64(s.Sequence), s.Sealed}
}

// Snapshots implements driver.Driver.
func (db *DB) Snapshots(ctx context.Context, fleet string, epoch *uint64, after commit.DeviceID, limit int) ([]driver.Snapshot, error) {
	scan := func(r *sql.Rows, s *driver.Snapshot) error {
		return r.Scan(&s.Fleet, &s.Epoch, deviceID{&s.Device}, &s.Sequence, &s.Sealed)
	}
	const selected = `SELECT fleet, epoch, device, sequence, sealed FROM snapshots s WHERE fleet = $1 AND device > $2 AND epoch = `
	if epoch != nil {
		return query(ctx, db, scan, selected+`$4 ORDER BY device LIMIT $3`, fleet, after[:], limit, int64(*epoch))
	}
	return query(ctx, db, scan, selected+`(SELECT max(n.epoch) FROM snapshots n WHERE n.fleet = s.fleet AND n.device = s.device)
		ORDER BY device LIMIT $3`, fleet, after[:], limit)
}
