package sqlite

import (
	"context"
	"database/sql"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
)

// pruneRows is how many rows are deleted in one transaction, so that batches do not wait for long.
const pruneRows = 2000

// Prune implements driver.Driver.
func (d *Driver) Prune(ctx context.Context, fleet string, before uint64) (out driver.Pruned, err error) {
	if out.Frames, out.KeptFrames, err = d.pruneFrames(ctx, fleet, before); err != nil {
		return out, err
	}
	if out.Snapshots, err = d.pruneTable(ctx, "snapshots", relational.Superseded, fleet, before); err != nil {
		return out, err
	}
	if err := d.Read.QueryRowContext(ctx, relational.OldSnapshots, fleet, int64(before)).Scan(&out.KeptSnapshots); err != nil {
		return out, failure(err)
	}
	out.Quarantined, err = d.pruneTable(ctx, "quarantine", "TRUE", fleet, before)
	return out, err
}

func (d *Driver) pruneTable(ctx context.Context, table, which, fleet string, before uint64) (total uint64, err error) {
	for {
		var n int64
		err := d.Transact(ctx, func(tx *sql.Tx) (err error) {
			n, err = changed(tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE rowid IN
				(SELECT rowid FROM `+table+` s WHERE fleet = $1 AND epoch < $2 AND `+which+` LIMIT $3)`, fleet, int64(before), pruneRows))
			return err
		})
		total += uint64(n)
		if err != nil || n < pruneRows {
			return total, err
		}
	}
}

// pruneFrames goes through the frames in the order in which they came, up to the last one that may have to go.
func (d *Driver) pruneFrames(ctx context.Context, fleet string, before uint64) (total, kept uint64, err error) {
	var last sql.NullInt64
	err = d.Read.QueryRowContext(ctx, `SELECT max(last_frame) FROM counts WHERE fleet = $1 AND epoch < $2`, fleet, int64(before)).Scan(&last)
	if err != nil {
		return 0, 0, failure(err)
	}
	for after := int64(0); after < last.Int64; {
		err := d.Transact(ctx, func(tx *sql.Tx) error {
			through, n, left, err := pruneSome(ctx, tx, fleet, before, after, last.Int64)
			if err != nil {
				return err
			}
			after, total, kept = through, total+n, kept+left
			return nil
		})
		if err != nil {
			return total, kept, err
		}
	}
	return total, kept, nil
}

// pruneSome deletes some of the frames after one and up to last, and returns up to which it went, how many it deleted, and how many
// it kept.
func pruneSome(ctx context.Context, tx *sql.Tx, fleet string, before uint64, after, last int64) (through int64, n, kept uint64, err error) {
	var end sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT max(id) FROM (SELECT id FROM frames WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3)`,
		after, last, pruneRows).Scan(&end)
	if err != nil || !end.Valid {
		return last, 0, 0, err
	}
	const old = ` FROM frames AS f WHERE f.id > $1 AND f.id <= $2 AND f.fleet = $3 AND f.epoch < $4`
	const chosen = old + ` AND f.sequence <= ` + relational.Covered
	args := []any{after, end.Int64, fleet, int64(before)}
	if _, err := tx.ExecContext(ctx, `DELETE FROM frame_index WHERE (device, sequence) IN (SELECT device, sequence`+chosen+`)`, args...); err != nil {
		return 0, 0, 0, err
	}
	deleted, err := changed(tx.ExecContext(ctx, `DELETE`+chosen, args...))
	if err != nil {
		return 0, 0, 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*)`+old, args...).Scan(&kept)
	return end.Int64, uint64(deleted), kept, err
}
