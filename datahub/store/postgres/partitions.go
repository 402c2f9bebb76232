package postgres

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/assay-net/assay/datahub/store/driver"
)

// partition is a run of epochs of a table.
type partition struct {
	table       string
	first, last uint64
}

// name is what the partition's table is called. Only numbers and our own words are in it.
func (p partition) name() string { return fmt.Sprintf("%s_%d_%d", p.table, p.first, p.last) }

// partitions are those that are known to be there, until another process drops one.
type partitions struct {
	mu    sync.Mutex
	known map[partition]bool
}

func (p *partitions) has(one partition) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[one]
}

func (p *partitions) add(one partition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = make(map[partition]bool)
	}
	p.known[one] = true
}

func (p *partitions) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.known)
}

func (d *Driver) partition(table string, epoch uint64) partition {
	span := max(d.span.Load(), 1)
	first := epoch / span * span
	return partition{table, first, first + min(span-1, math.MaxInt64-first)}
}

// ensurePartitions makes the partitions that a batch needs.
func (d *Driver) ensurePartitions(ctx context.Context, b *driver.Batch) error {
	for i := range b.Frames {
		if err := d.ensure(ctx, d.partition("frames", b.Frames[i].Epoch)); err != nil {
			return err
		}
	}
	for i := range b.Reports {
		if err := d.ensure(ctx, d.partition("reports", b.Reports[i].Epoch)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) ensure(ctx context.Context, p partition) error {
	if d.partitions.has(p) {
		return nil
	}
	if err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return makePartition(ctx, tx, p) }); err != nil {
		return fmt.Errorf("making partition %s: %w", p.name(), err)
	}
	d.partitions.add(p)
	return nil
}

// partitionsOf selects the names of a table's partitions.
const partitionsOf = `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass`

// makePartition makes a partition if it is not there, while others wait. It is made apart and attached, which, other than making it in
// its place, does not keep anybody from reading or writing the table meanwhile.
func makePartition(ctx context.Context, tx pgx.Tx, p partition) error {
	if err := lockPartitions(ctx, tx); err != nil {
		return err
	}
	// Asked of the table and not of to_regclass, which answers from a cache that may be older than the lock.
	var there bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (`+partitionsOf+` AND c.relname = $2)`, p.table, p.name()).Scan(&there)
	if err != nil || there {
		return err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s (LIKE %s INCLUDING ALL)`, p.name(), p.table)); err != nil {
		return err
	}
	end := "MAXVALUE"
	if p.last < math.MaxInt64 {
		end = fmt.Sprint(p.last + 1)
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%s)`, p.table, p.name(), p.first, end))
	return err
}

// lockPartitions makes partitions the business of one process at a time, until the transaction ends.
func lockPartitions(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(partitionLock))
	return err
}
