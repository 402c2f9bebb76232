package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
	"github.com/assay-net/assay/zk/commit"
)

// maxUnindexed is how many frames are looked through at most. Looking through them takes some milliseconds.
const maxUnindexed = 8192

// afterIndex chooses the frames that are not in frame_index yet.
const afterIndex = `id > (SELECT indexed FROM cursor)`

// Frames implements driver.Driver.
func (d *Driver) Frames(ctx context.Context, device commit.DeviceID, after uint64, limit int) ([]driver.Frame, error) {
	rows, err := d.Read.QueryContext(ctx, `SELECT `+relational.FrameColumns+` FROM frames WHERE `+afterIndex+` AND device = $1 AND sequence > $2
		UNION ALL SELECT f.fleet, f.device, f.epoch, f.sequence, f.received, f.kind, f.readings, f.late, f.sealed
		FROM frame_index i JOIN frames f ON f.id = i.frame WHERE i.device = $1 AND i.sequence > $2
		ORDER BY sequence LIMIT $3`, device[:], int64(after), limit)
	if err != nil {
		return nil, failure(err)
	}
	out, err := collect(rows)
	return out, failure(err)
}

func collect(rows *sql.Rows) ([]driver.Frame, error) {
	defer rows.Close()
	var out []driver.Frame
	for rows.Next() {
		var f driver.Frame
		if err := relational.ScanFrame(rows, &f); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// FramesAt implements driver.Driver.
func (d *Driver) FramesAt(ctx context.Context, ids []driver.FrameID) ([]driver.Frame, error) {
	tx, err := d.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, failure(err)
	}
	defer tx.Rollback() // it has changed nothing
	out, err := framesAt(ctx, tx, ids)
	return out, failure(err)
}

func framesAt(ctx context.Context, tx *sql.Tx, ids []driver.FrameID) ([]driver.Frame, error) {
	var out []driver.Frame
	for part := range slices.Chunk(ids, 500) {
		wanted, args := wantedFrames(part)
		rows, err := tx.QueryContext(ctx, wanted+`SELECT `+relational.FrameColumns+` FROM frames WHERE `+afterIndex+`
			AND (device, sequence) IN wanted
			UNION ALL SELECT f.fleet, f.device, f.epoch, f.sequence, f.received, f.kind, f.readings, f.late, f.sealed
			FROM wanted w CROSS JOIN frame_index i ON i.device = w.device AND i.sequence = w.sequence JOIN frames f ON f.id = i.frame`, args...)
		if err != nil {
			return nil, err
		}
		found, err := collect(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// wantedFrames writes frames as a table.
func wantedFrames(ids []driver.FrameID) (with string, args []any) {
	var b strings.Builder
	b.WriteString("WITH wanted (device, sequence) AS (VALUES ")
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(?,?)") // thousands of $1 take SQLite long: it looks each up among those before it
		args = append(args, id.Device[:], int64(id.Sequence))
	}
	b.WriteString(") ")
	return b.String(), args
}

// index indexes the frames that are not yet, if they are many or all is set.
func index(ctx context.Context, tx *sql.Tx, all bool) error {
	var last, indexed int64
	if err := tx.QueryRowContext(ctx, `SELECT last, indexed FROM cursor`).Scan(&last, &indexed); err != nil {
		return err
	}
	if last == indexed || !all && last-indexed < maxUnindexed {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO frame_index (device, sequence, frame) SELECT device, sequence, id FROM frames
		WHERE id > $1 ORDER BY device, sequence`, indexed)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE cursor SET indexed = last`)
	return err
}
