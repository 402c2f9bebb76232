package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
)

// moveMarks moves devices on, all in one statement. Their rows are there and locked.
const moveMarks = `UPDATE progress AS p SET through = greatest(p.through, m.through), head = greatest(p.head, m.head), seen = greatest(p.seen, m.seen)
	FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[]) AS m(device, through, head, seen) WHERE p.device = m.device`

const addCount = `INSERT INTO counts (fleet, epoch, frames, readings, late) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (fleet, epoch) DO UPDATE SET frames = counts.frames + excluded.frames,
	readings = counts.readings + excluded.readings, late = counts.late + excluded.late, pruned = FALSE`

// putRest writes all of a batch but its frames, in one round trip.
func putRest(ctx context.Context, tx pgx.Tx, marks []relational.Mark, b *driver.Batch) (dropped int, err error) {
	var q pgx.Batch
	queueMarks(&q, marks)
	tallies := relational.Tallies(b.Frames)
	for i := range tallies {
		q.Queue(addCount, tallies[i].Args()...)
	}
	for i := range b.Snapshots {
		q.Queue(relational.PutSnapshot, relational.SnapshotArgs(&b.Snapshots[i])...)
	}
	for i := range b.Reports {
		args, err := relational.ReportArgs(&b.Reports[i])
		if err != nil {
			return 0, err
		}
		q.Queue(relational.PutReport, args...)
	}
	queueQuarantine(&q, b, &dropped)
	if q.Len() == 0 {
		return 0, nil
	}
	err = tx.SendBatch(ctx, &q).Close()
	return dropped, err
}

func queueMarks(q *pgx.Batch, marks []relational.Mark) {
	if len(marks) == 0 {
		return
	}
	devices := make([][]byte, len(marks))
	through, heads, seen := make([]int64, len(marks)), make([]int64, len(marks)), make([]int64, len(marks))
	for i := range marks {
		m := &marks[i]
		devices[i], through[i], heads[i], seen[i] = m.Device[:], int64(m.Through), int64(m.Head), m.Seen
	}
	q.Queue(moveMarks, devices, through, heads, seen)
}

func queueQuarantine(q *pgx.Batch, b *driver.Batch, dropped *int) {
	if len(b.Quarantine) == 0 {
		return
	}
	for i := range b.Quarantine {
		q.Queue(relational.PutQuarantined, relational.QuarantinedArgs(&b.Quarantine[i])...)
	}
	count := func(tag pgconn.CommandTag) error {
		*dropped += int(tag.RowsAffected())
		return nil
	}
	for _, device := range relational.QuarantinedDevices(b.Quarantine) {
		q.Queue(relational.TrimDevice, device[:], b.QuarantinePerDevice).Exec(count)
	}
	q.Queue(relational.TrimAll, b.QuarantineTotal).Exec(count)
}
