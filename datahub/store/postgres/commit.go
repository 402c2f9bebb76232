package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
	"github.com/assay-net/assay/zk/commit"
)

// Commit implements driver.Driver.
func (d *Driver) Commit(ctx context.Context, b *driver.Batch) (dropped int, err error) {
	for attempt := 0; ; attempt++ {
		if err := d.ensurePartitions(ctx, b); err != nil {
			return 0, failure(err)
		}
		err := relational.Repeat(ctx, again, func() error {
			dropped, err = d.commit(ctx, b)
			return failure(err)
		})
		if attempt < 3 && noPartition(err) { // another process dropped it
			d.partitions.forget()
			continue
		}
		if err != nil {
			return 0, err
		}
		return dropped, nil
	}
}

func (d *Driver) commit(ctx context.Context, b *driver.Batch) (dropped int, err error) {
	marks, err := relational.Marks(b)
	if err != nil {
		return 0, err
	}
	tx, err := d.pool.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // nothing to do for one that is over
	if err := checkHeads(ctx, tx, marks, b); err != nil {
		return 0, err
	}
	if len(b.Frames) > 0 {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"frames"}, frameColumns, &frameRows{left: b.Frames}); err != nil {
			return 0, err
		}
	}
	if dropped, err = putRest(ctx, tx, marks, b); err != nil {
		return 0, err
	}
	return dropped, tx.Commit(ctx)
}

var frameColumns = []string{"fleet", "device", "epoch", "sequence", "received", "kind", "readings", "late", "sealed"}

// frameRows hands frames to COPY.
type frameRows struct {
	left []driver.Frame
	row  []any
}

func (r *frameRows) Next() bool {
	if len(r.left) == 0 {
		return false
	}
	r.row, r.left = relational.FrameArgs(&r.left[0]), r.left[1:]
	return true
}

func (r *frameRows) Values() ([]any, error) { return r.row, nil }
func (r *frameRows) Err() error             { return nil }

// checkHeads locks the devices of a batch, so that another batch of theirs waits, and refuses a frame that is stored. The index sees
// to that within a partition only; a sequence above every stored one of its device is new in any.
//
// In the same round trip it locks the keys of the batch, so that none is doomed before the batch is written, and refuses a batch that is
// sealed under a key that is lost or doomed.
func checkHeads(ctx context.Context, tx pgx.Tx, marks []relational.Mark, b *driver.Batch) error {
	devices := make([][]byte, len(marks))
	for i := range marks {
		devices[i] = marks[i].Device[:]
	}
	heads, err := lockHeads(ctx, tx, devices, b.Keys)
	if err != nil {
		return err
	}
	if len(heads) < len(marks) {
		_, err := tx.Exec(ctx, `INSERT INTO progress (device, through, head, seen) SELECT device, 0, 0, 0 FROM unnest($1::bytea[]) AS d(device)
			ON CONFLICT (device) DO NOTHING`, devices)
		if err != nil {
			return err
		}
		if heads, err = lockHeads(ctx, tx, devices, nil); err != nil {
			return err
		}
	}
	var suspects []driver.FrameID
	for i := range b.Frames {
		if f := &b.Frames[i]; f.Sequence <= heads[f.Device] {
			suspects = append(suspects, driver.FrameID{Device: f.Device, Sequence: f.Sequence})
		}
	}
	if len(suspects) == 0 {
		return nil
	}
	there, err := framesAt(ctx, tx, suspects)
	if err == nil && len(there) > 0 {
		err = fmt.Errorf("frame %d of device %s: %w", there[0].Sequence, there[0].Device, driver.ErrConflict)
	}
	return err
}

func lockHeads(ctx context.Context, tx pgx.Tx, devices [][]byte, keys []driver.KeyUse) (map[commit.DeviceID]uint64, error) {
	var q pgx.Batch
	for i := range keys {
		q.Queue(relational.KeyInUse+forShare, relational.KeyArgs(&keys[i])...).QueryRow(func(row pgx.Row) error {
			var one int
			return relational.KeyFound(&keys[i], row.Scan(&one), pgx.ErrNoRows)
		})
	}
	heads := make(map[commit.DeviceID]uint64, len(devices))
	lock := q.Queue(`SELECT device, head FROM progress WHERE device = ANY($1) ORDER BY device FOR UPDATE`, devices)
	lock.Query(func(rows pgx.Rows) error {
		var device []byte
		var head int64
		_, err := pgx.ForEachRow(rows, []any{&device, &head}, func() error {
			heads[commit.DeviceID(device)] = uint64(head)
			return nil
		})
		return err
	})
	err := tx.SendBatch(ctx, &q).Close()
	return heads, err
}
