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
		n, kept, err := d.prunePartition(ctx, p, fleet, before)
		out.Frames, out.KeptFrames = out.Frames+n, out.KeptFrames+kept
		if err != nil {
			return out, fmt.Errorf("partition %s: %w", p.name(), err)
		}
	}
	for _, table := range []struct {
		name string
		n    *uint64
	}{{"snapshots s WHERE " + relational.Superseded + " AND", &out.Snapshots}, {"quarantine WHERE", &out.Quarantined}} {
		tag, err := d.pool.Exec(ctx, `DELETE FROM `+table.name+` fleet = $1 AND epoch < $2`, fleet, int64(before))
		if err != nil {
			return out, err
		}
		*table.n = uint64(tag.RowsAffected())
	}
	return out, d.pool.QueryRow(ctx, relational.OldSnapshots, fleet, int64(before)).Scan(&out.KeptSnapshots)
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
func (d *Driver) prunePartition(ctx context.Context, p partition, fleet string, before uint64) (frames, kept uint64, err error) {
	if p.last < before {
		frames, dropped, err := d.dropIfOver(ctx, p, fleet)
		if err != nil || dropped {
			return frames, 0, unlessDropped(err)
		}
	}
	frames, kept, err = d.deleteFrames(ctx, p, fleet, before)
	return frames, kept, unlessDropped(err)
}

// unlessDropped forgives that another process has dropped the partition.
func unlessDropped(err error) error {
	if hasCode(err, "42P01") {
		return nil
	}
	return err
}

// dropIfOver drops a partition if no other fleet has frames in it and none of the fleet's is to be kept. What is in it is looked
// through while others read and write; when it is dropped it must be the same still.
func (d *Driver) dropIfOver(ctx context.Context, p partition, fleet string) (frames uint64, dropped bool, err error) {
	before, err := seen(ctx, d.pool, p, fleet)
	if err != nil || before.others {
		return 0, false, err
	}
	var keep bool
	err = d.pool.QueryRow(ctx, `SELECT coalesce(sum(f.n), 0)::bigint, coalesce(bool_or(f.sequence > `+relational.Covered+`), FALSE)
		FROM (SELECT $1::text AS fleet, device, count(*) AS n, max(sequence) AS sequence FROM `+p.name()+` GROUP BY device) f`, fleet).Scan(&frames, &keep)
	if err != nil || keep {
		return 0, false, err
	}
	dropped, err = d.drop(ctx, p, fleet, before)
	return frames, dropped, err
}

// received is what was counted in a partition's epochs: frames of the fleet, and whether others have any that are not pruned.
type received struct {
	frames int64
	others bool
}

// queryer is the pool or a transaction.
type queryer interface {
	QueryRow(ctx context.Context, statement string, args ...any) pgx.Row
}

func seen(ctx context.Context, db queryer, p partition, fleet string) (r received, err error) {
	err = db.QueryRow(ctx, `SELECT coalesce(sum(frames) FILTER (WHERE fleet = $1), 0)::bigint, coalesce(bool_or(fleet <> $1 AND NOT pruned), FALSE)
		FROM counts WHERE epoch BETWEEN $2 AND $3`, fleet, int64(p.first), int64(p.last)).Scan(&r.frames, &r.others)
	return r, err
}

// drop drops a partition, unless something was added to it since it was looked at. It needs the table for itself for a moment, and
// gives way if it does not get that soon, since whoever comes after it has to wait too.
func (d *Driver) drop(ctx context.Context, p partition, fleet string, before received) (dropped bool, err error) {
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
		now, err := seen(ctx, tx, p, fleet)
		if dropped = err == nil && now == before; !dropped {
			return err
		}
		if _, err := tx.Exec(ctx, `DROP TABLE IF EXISTS `+p.name()); err != nil {
			return err
		}
		return notePruned(ctx, tx, fleet, p.first, p.last, nil)
	}
	busy := func(err error) bool { return again(err) || hasCode(err, "55P03") }
	err = relational.Repeat(ctx, busy, func() error { return pgx.BeginFunc(ctx, d.pool, attempt) })
	return dropped && err == nil, err
}

// deleteFrames deletes a fleet's frames from a partition that is not to be dropped. It locks the counts of their epochs before it looks,
// so that a batch that adds to one of them is either seen or comes after it was noted that the epoch is pruned; and the table before
// the counts, as everybody does.
func (d *Driver) deleteFrames(ctx context.Context, p partition, fleet string, before uint64) (frames, kept uint64, err error) {
	last := min(p.last, before-1)
	attempt := func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE `+p.name()+` IN ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT 1 FROM counts WHERE fleet = $1 AND epoch BETWEEN $2 AND $3 ORDER BY epoch FOR UPDATE`, fleet, int64(p.first), int64(last))
		if err != nil {
			return err
		}
		const old = ` FROM %s f WHERE f.fleet = $1 AND f.epoch <= $2`
		tag, err := tx.Exec(ctx, fmt.Sprintf(`DELETE`+old+` AND f.sequence <= `+relational.Covered, p.name()), fleet, int64(last))
		if err != nil {
			return err
		}
		frames = uint64(tag.RowsAffected())
		left := []int64{}
		err = tx.QueryRow(ctx, fmt.Sprintf(`SELECT count(*), coalesce(array_agg(DISTINCT f.epoch), '{}')`+old, p.name()), fleet, int64(last)).Scan(&kept, &left)
		if err != nil {
			return err
		}
		return notePruned(ctx, tx, fleet, p.first, last, left)
	}
	err = relational.Repeat(ctx, again, func() error { return pgx.BeginFunc(ctx, d.pool, attempt) })
	return frames, kept, err
}

// notePruned notes that a fleet has no frames any more in a run of epochs but for some.
func notePruned(ctx context.Context, tx pgx.Tx, fleet string, first, last uint64, but []int64) error {
	_, err := tx.Exec(ctx, `UPDATE counts SET pruned = TRUE WHERE fleet = $1 AND epoch BETWEEN $2 AND $3 AND NOT pruned AND epoch <> ALL(coalesce($4::bigint[], '{}'))`,
		fleet, int64(first), int64(last), but)
	return err
}
