package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
	"github.com/assay-net/assay/zk/commit"
)

const selectFrames = `SELECT ` + relational.FrameColumns + ` FROM frames `

// Frames implements driver.Driver.
func (d *Driver) Frames(ctx context.Context, device commit.DeviceID, after uint64, limit int) ([]driver.Frame, error) {
	rows, err := d.pool.Query(ctx, selectFrames+`WHERE device = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`, device[:], int64(after), limit)
	if err != nil {
		return nil, failure(err)
	}
	out, err := pgx.CollectRows(rows, scanFrame)
	return out, failure(err)
}

func scanFrame(row pgx.CollectableRow) (f driver.Frame, err error) {
	err = relational.ScanFrame(row, &f)
	return f, err
}

// sender is a transaction or the pool.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// framesAt looks frames up in one round trip.
func framesAt(ctx context.Context, db sender, ids []driver.FrameID) (out []driver.Frame, err error) {
	var q pgx.Batch
	for _, id := range ids {
		q.Queue(selectFrames+`WHERE device = $1 AND sequence = $2`, id.Device[:], int64(id.Sequence)).Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, scanFrame)
			out = append(out, found...)
			return err
		})
	}
	err = db.SendBatch(ctx, &q).Close()
	return out, err
}

// FramesAt implements driver.Driver.
func (d *Driver) FramesAt(ctx context.Context, ids []driver.FrameID) ([]driver.Frame, error) {
	out, err := framesAt(ctx, d.pool, ids)
	return out, failure(err)
}
