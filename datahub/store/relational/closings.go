package relational

import (
	"context"
	"database/sql"

	"github.com/assay-net/assay/datahub/store/driver"
)

// PutClosing implements driver.Driver.
func (db *DB) PutClosing(ctx context.Context, c driver.Closing) error {
	_, err := db.exec(ctx, `INSERT INTO closings (fleet, epoch, started, ended, chunks, readings, frames, late)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (fleet, epoch) DO UPDATE SET started = excluded.started, ended = excluded.ended, chunks = excluded.chunks,
		readings = excluded.readings, frames = excluded.frames, late = excluded.late`,
		c.Fleet, int64(c.Epoch), driver.Micros(c.Started), driver.Micros(c.Ended), int64(c.Chunks), int64(c.Readings), int64(c.Frames), int64(c.Late))
	return err
}

// Closings implements driver.Driver.
func (db *DB) Closings(ctx context.Context, fleet string, through uint64, limit int) ([]driver.Closing, error) {
	scan := func(r *sql.Rows, c *driver.Closing) error {
		return r.Scan(&c.Fleet, &c.Epoch, moment{&c.Started}, moment{&c.Ended}, &c.Chunks, &c.Readings, &c.Frames, &c.Late)
	}
	return query(ctx, db, scan, `SELECT fleet, epoch, started, ended, chunks, readings, frames, late FROM closings
		WHERE fleet = $1 AND epoch <= $2 ORDER BY epoch DESC LIMIT $3`, fleet, int64(through), limit)
}

// Unended implements driver.Driver.
func (db *DB) Unended(ctx context.Context, fleet string, first, last uint64) (epoch uint64, there bool, err error) {
	found, err := query(ctx, db, func(r *sql.Rows, n *uint64) error { return r.Scan(n) },
		`SELECT epoch FROM closings WHERE fleet = $1 AND epoch BETWEEN $2 AND $3 AND ended = 0 ORDER BY epoch LIMIT 1`, fleet, int64(first), int64(last))
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	return found[0], true, nil
}

const chunkColumns = "fleet, epoch, number, state, closed, anchor, attestations, attested, enrolled, opening, absent, tx_id, height, error"

// PutChunk implements driver.Driver.
func (db *DB) PutChunk(ctx context.Context, c driver.Chunk) error {
	const put = `INSERT INTO chunks (` + chunkColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (fleet, epoch, number) DO UPDATE SET state = excluded.state, closed = excluded.closed, anchor = excluded.anchor,
		attestations = excluded.attestations, attested = excluded.attested, enrolled = excluded.enrolled, opening = excluded.opening,
		absent = excluded.absent, tx_id = excluded.tx_id, height = excluded.height, error = excluded.error`
	return db.Transact(ctx, func(tx *sql.Tx) error {
		if c.Key != nil {
			if err := db.holdKey(ctx, tx, c.Key); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, put, c.Fleet, int64(c.Epoch), int64(c.Index), string(c.State), driver.Micros(c.Closed), c.Anchor,
			c.Attestations, int64(c.Attested), int64(c.Enrolled), c.SealedOpening, c.SealedAbsent, c.TxID, int64(c.Height), c.Error)
		return err
	})
}

// Chunks implements driver.Driver.
func (db *DB) Chunks(ctx context.Context, fleet string, epoch uint64, index *uint32) ([]driver.Chunk, error) {
	scan := func(r *sql.Rows, c *driver.Chunk) error {
		return r.Scan(&c.Fleet, &c.Epoch, &c.Index, &c.State, moment{&c.Closed}, &c.Anchor, &c.Attestations, &c.Attested,
			&c.Enrolled, &c.SealedOpening, &c.SealedAbsent, &c.TxID, &c.Height, &c.Error)
	}
	const selected = `SELECT ` + chunkColumns + ` FROM chunks WHERE fleet = $1 AND epoch = $2`
	if index != nil {
		return query(ctx, db, scan, selected+` AND number = $3`, fleet, int64(epoch), int64(*index))
	}
	return query(ctx, db, scan, selected+` ORDER BY number`, fleet, int64(epoch))
}
