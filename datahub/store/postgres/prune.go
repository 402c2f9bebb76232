package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
)

// Prune implements driver.Driver.
func (d *Driver) Prune(ctx context.Context, fleet string, before uint64) (driver.Pruned, error) {
	out, err := d.prune(ctx, fleet, before)
	return out, failure(err)
}

func (d *Driver) prune(ctx context.Context, fleet string, before uint64) (out driver.Pruned, err error) {
	all, err := d.framePartitions(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range all {
		if p.first >= before {
			continue
		}
		n, err := d.prunePartition(ctx, p, fleet, before)
		out.Frames += n
		if err != nil {
			return out, fmt.Errorf("partition %s: %w", p.name(), err)
		}
	}
	for _, table := range []struct {
		name string
		n    *uint64
	}{{"snapshots", &out.Snapshots}, {"quarantine", &out.Quarantined}} {
		tag, err := d.pool.Exec(ctx, `DELETE FROM `+table.name+` WHERE fleet = $1 AND epoch < $2`, fleet, int64(before))
		if err != nil {
			return out, err
		}
		*table.n = uint64(tag.RowsAffected())
	}
	return out, nil
}

// framePartitions lists the partitions of frames.
func (d *Driver) framePartitions(ctx context.Context) ([]partition, error) {
	rows, err := d.pool.Query(ctx, partitionsOf, "frames")
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	var out []partition
	for _, name := range names {
		p := partition{table: "frames"}
		if _, err := fmt.Sscanf(name, "frames_%d_%d", &p.first, &p.last); err != nil || p.name() != name {
			continue // not one of ours
		}
		out = append(out, p)
	}
	return out, nil
}

// prunePartition drops a partition if all that it holds is to go, and deletes rows otherwise.
func (d *Driver) prunePartition(ctx context.Context, p partition, fleet string, before uint64) (frames uint64, err error) {
	if p.last < before {
		alone, err := d.alone(ctx, p, fleet)
		if err != nil {
			return 0, err
		}
		if alone {
			frames, dropped, err := d.drop(ctx, p, fleet)
			if err != nil || dropped {
				return frames, err
			}
		}
	}
	return d.deleteFrames(ctx, p, fleet, before)
}

// alone reports whether no other fleet has frames in a partition.
func (d *Driver) alone(ctx context.Context, p partition, fleet string) (alone bool, err error) {
	err = d.pool.QueryRow(ctx, othersAbsent, fleet, int64(p.first), int64(p.last)).Scan(&alone)
	return alone, err
}

const othersAbsent = `SELECT NOT EXISTS (SELECT 1 FROM counts WHERE fleet <> $1 AND epoch BETWEEN $2 AND $3 AND NOT pruned)`

// drop drops a partition, unless another fleet came in between. It needs the table for itself for a moment, and gives way if it does
// not get that soon, since whoever comes after it has to wait too.
func (d *Driver) drop(ctx context.Context, p partition, fleet string) (frames uint64, dropped bool, err error) {
	attempt := func(tx pgx.Tx) error {
		if err := lockPartitions(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '1s'`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `LOCK TABLE frames IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, othersAbsent, fleet, int64(p.first), int64(p.last)).Scan(&dropped); err != nil || !dropped {
			return err
		}
		if _, err := tx.Exec(ctx, `DROP TABLE IF EXISTS `+p.name()); err != nil {
			return err
		}
		frames, err = notePruned(ctx, tx, fleet, p.first, p.last)
		return err
	}
	busy := func(err error) bool { return again(err) || hasCode(err, "55P03") }
	err = relational.Repeat(ctx, busy, func() error { return pgx.BeginFunc(ctx, d.pool, attempt) })
	return frames, dropped, err
}

// deleteFrames deletes a fleet's frames from a partition that others use too.
func (d *Driver) deleteFrames(ctx context.Context, p partition, fleet string, before uint64) (frames uint64, err error) {
	last := min(p.last, before-1)
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM `+p.name()+` WHERE fleet = $1 AND epoch <= $2`, fleet, int64(last))
		if err != nil {
			return err
		}
		frames = uint64(tag.RowsAffected())
		_, err = notePruned(ctx, tx, fleet, p.first, last)
		return err
	})
	return frames, err
}

// notePruned returns how many frames there were that nobody pruned yet.
func notePruned(ctx context.Context, tx pgx.Tx, fleet string, first, last uint64) (frames uint64, err error) {
	var n int64
	err = tx.QueryRow(ctx, `WITH now AS (UPDATE counts SET pruned = TRUE WHERE fleet = $1 AND epoch BETWEEN $2 AND $3 AND NOT pruned RETURNING frames)
		SELECT coalesce(sum(frames), 0)::bigint FROM now`, fleet, int64(first), int64(last)).Scan(&n)
	return uint64(n), err
}
