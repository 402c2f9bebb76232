package relational

import (
	"context"
	"database/sql"

	"github.com/assay-net/assay/datahub/store/driver"
)

// FrameColumns are the columns of a frame, in the order of FrameArgs and ScanFrame.
const FrameColumns = "fleet, device, epoch, sequence, received, kind, readings, late, sealed"

// FrameArgs are a frame's values.
func FrameArgs(f *driver.Frame) []any {
	return []any{f.Fleet, f.Device[:], int64(f.Epoch), int64(f.Sequence), driver.Micros(f.Received), int64(f.Kind), int64(f.Readings), f.Late, f.Sealed}
}

// Row is a row to be scanned.
type Row interface{ Scan(to ...any) error }

// ScanFrame reads a frame.
func ScanFrame(row Row, f *driver.Frame) error {
	return row.Scan(&f.Fleet, deviceID{&f.Device}, &f.Epoch, &f.Sequence, moment{&f.Received}, &f.Kind, &f.Readings, &f.Late, &f.Sealed)
}

// Count implements driver.Driver.
func (db *DB) Count(ctx context.Context, fleet string, epoch uint64) (driver.Count, error) {
	found, err := query(ctx, db, func(r *sql.Rows, c *driver.Count) error { return r.Scan(&c.Frames, &c.Readings, &c.Late) },
		`SELECT frames, readings, late FROM counts WHERE fleet = $1 AND epoch = $2`, fleet, int64(epoch))
	if err != nil || len(found) == 0 {
		return driver.Count{}, err
	}
	return found[0], nil
}

// Latest implements driver.Driver.
func (db *DB) Latest(ctx context.Context, fleet string) (epoch uint64, known bool, err error) {
	found, err := query(ctx, db, func(r *sql.Rows, n *sql.NullInt64) error { return r.Scan(n) },
		`SELECT max(epoch) FROM (SELECT max(epoch) AS epoch FROM counts WHERE fleet = $1
			UNION ALL SELECT max(epoch) FROM closings WHERE fleet = $1) AS newest`, fleet)
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	return uint64(found[0].Int64), found[0].Valid, nil
}
