package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
	"github.com/assay-net/assay/zk/commit"
)

// statements are those that run for each row of a batch.
type statements struct{ key, frame, mark, count, snapshot, quarantined, report *sql.Stmt }

func (s *statements) prepare(ctx context.Context, db *sql.DB) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.key, relational.KeyInUse},
		{&s.frame, `INSERT INTO frames (` + relational.FrameColumns + `, id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`},
		{&s.mark, `INSERT INTO progress (device, through, head, seen) VALUES ($1, $2, $3, $4) ON CONFLICT (device) DO UPDATE SET
			through = max(through, excluded.through), head = max(head, excluded.head), seen = max(seen, excluded.seen) WHERE head < $5`},
		{&s.count, `INSERT INTO counts (fleet, epoch, frames, readings, late, last_frame) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (fleet, epoch) DO UPDATE SET frames = frames + excluded.frames, readings = readings + excluded.readings,
			late = late + excluded.late, last_frame = excluded.last_frame`},
		{&s.snapshot, relational.PutSnapshot},
		{&s.quarantined, relational.PutQuarantined},
		{&s.report, relational.PutReport},
	} {
		var err error
		if *p.to, err = db.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

func (s *statements) close() error {
	var err error
	for _, p := range []*sql.Stmt{s.key, s.frame, s.mark, s.count, s.snapshot, s.quarantined, s.report} {
		if p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	return err
}

// Commit implements driver.Driver.
func (d *Driver) Commit(ctx context.Context, b *driver.Batch) (dropped int, err error) {
	marks, err := relational.Marks(b)
	if err != nil {
		return 0, err
	}
	err = d.Transact(ctx, func(tx *sql.Tx) error {
		dropped = 0
		if err := d.checkKeys(ctx, tx, b.Keys); err != nil {
			return err
		}
		if err := d.putMarks(ctx, tx, marks, b.Frames); err != nil {
			return err
		}
		if err := d.putFrames(ctx, tx, b.Frames); err != nil {
			return err
		}
		for i := range b.Snapshots {
			if _, err := tx.StmtContext(ctx, d.statements.snapshot).ExecContext(ctx, relational.SnapshotArgs(&b.Snapshots[i])...); err != nil {
				return err
			}
		}
		for i := range b.Reports {
			args, err := relational.ReportArgs(&b.Reports[i])
			if err != nil {
				return err
			}
			if _, err := tx.StmtContext(ctx, d.statements.report).ExecContext(ctx, args...); err != nil {
				return err
			}
		}
		dropped, err = d.putQuarantined(ctx, tx, b)
		return err
	})
	if err != nil {
		return 0, err
	}
	return dropped, nil
}

// checkKeys refuses a batch that is sealed under a key that is lost or doomed. Only this transaction writes, so that it stays.
func (d *Driver) checkKeys(ctx context.Context, tx *sql.Tx, keys []driver.KeyUse) error {
	for i := range keys {
		var one int
		err := tx.StmtContext(ctx, d.statements.key).QueryRowContext(ctx, relational.KeyArgs(&keys[i])...).Scan(&one)
		if err := relational.KeyFound(&keys[i], err, sql.ErrNoRows); err != nil {
			return err
		}
	}
	return nil
}

// putMarks moves devices on, and refuses a frame that is stored: one with a sequence above every stored one of its device is new, and
// others are looked up.
func (d *Driver) putMarks(ctx context.Context, tx *sql.Tx, marks []relational.Mark, frames []driver.Frame) error {
	put := tx.StmtContext(ctx, d.statements.mark)
	suspect := make(map[commit.DeviceID]bool)
	for i := range marks {
		m := &marks[i]
		below := int64(math.MaxInt64)
		if m.Head > 0 {
			below = int64(m.Low)
		}
		moved, err := changed(put.ExecContext(ctx, m.Device[:], int64(m.Through), int64(m.Head), m.Seen, below))
		if err != nil {
			return err
		}
		if moved > 0 {
			continue
		}
		suspect[m.Device] = true
		if _, err := put.ExecContext(ctx, m.Device[:], int64(m.Through), int64(m.Head), m.Seen, int64(math.MaxInt64)); err != nil {
			return err
		}
	}
	if len(suspect) == 0 {
		return nil
	}
	return refuseStored(ctx, tx, frames, suspect)
}

func refuseStored(ctx context.Context, tx *sql.Tx, frames []driver.Frame, of map[commit.DeviceID]bool) error {
	var ids []driver.FrameID
	for i := range frames {
		if of[frames[i].Device] {
			ids = append(ids, driver.FrameID{Device: frames[i].Device, Sequence: frames[i].Sequence})
		}
	}
	there, err := framesAt(ctx, tx, ids)
	if err == nil && len(there) > 0 {
		err = fmt.Errorf("frame %d of device %s: %w", there[0].Sequence, there[0].Device, driver.ErrConflict)
	}
	return err
}

func changed(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// putFrames appends frames. Only this transaction writes, so that nobody else takes their IDs.
func (d *Driver) putFrames(ctx context.Context, tx *sql.Tx, frames []driver.Frame) error {
	if len(frames) == 0 {
		return nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `UPDATE cursor SET last = last + $1 RETURNING last`, len(frames)).Scan(&last); err != nil {
		return err
	}
	insert := tx.StmtContext(ctx, d.statements.frame)
	for i := range frames {
		id := last - int64(len(frames)-1-i)
		if _, err := insert.ExecContext(ctx, append(relational.FrameArgs(&frames[i]), id)...); err != nil {
			return err
		}
	}
	tallies := relational.Tallies(frames)
	for i := range tallies {
		if _, err := tx.StmtContext(ctx, d.statements.count).ExecContext(ctx, append(tallies[i].Args(), last)...); err != nil {
			return err
		}
	}
	return index(ctx, tx, false)
}

func (d *Driver) putQuarantined(ctx context.Context, tx *sql.Tx, b *driver.Batch) (dropped int, err error) {
	if len(b.Quarantine) == 0 {
		return 0, nil
	}
	for i := range b.Quarantine {
		if _, err := tx.StmtContext(ctx, d.statements.quarantined).ExecContext(ctx, relational.QuarantinedArgs(&b.Quarantine[i])...); err != nil {
			return 0, err
		}
	}
	trim := func(statement string, args ...any) error {
		n, err := changed(tx.ExecContext(ctx, statement, args...))
		dropped += int(n)
		return err
	}
	for _, device := range relational.QuarantinedDevices(b.Quarantine) {
		if err := trim(relational.TrimDevice, device[:], b.QuarantinePerDevice); err != nil {
			return 0, err
		}
	}
	return dropped, trim(relational.TrimAll, b.QuarantineTotal)
}
