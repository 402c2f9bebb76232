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

const chunkColumns = "fleet, epoch, number, state, closed, anchor, attestations, attested, enrolled, opening, absent, tx_id, height, error"

// PutChunk implements driver.Driver.
func (db *DB) PutChunk(ctx context.Context, c driver.Chunk) error {
	_, err := db.exec(ctx, `INSERT INTO chunks (`+chunkColumns+`) VALUES `+placeholders(1, 14)+`
		ON CONFLICT (fleet, epoch, number) DO UPDATE SET state = excluded.state, closed = excluded.closed, anchor = excluded.anchor,
		attestations = excluded.attestations, attested = excluded.attested, enrolled = excluded.enrolled, opening = excluded.opening,
		absent = excluded.absent, tx_id = excluded.tx_id, height = excluded.height, error = excluded.error`,
		c.Fleet, int64(c.Epoch), int64(c.Index), string(c.State), driver.Micros(c.Closed), c.Anchor, c.Attestations, int64(c.Attested),
		int64(c.Enrolled), c.SealedOpening, c.SealedAbsent, c.TxID, int64(c.Height), c.Error)
	return err
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
