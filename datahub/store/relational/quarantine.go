package relational

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

const quarantineColumns = "id, fleet, device, subject, epoch, received, reason, detail, size, sealed, replay, acknowledged, plain"

// The statements that write quarantined frames and keep within bounds those that were not acknowledged. The others are nowhere else, and
// are not dropped to make room.
const (
	PutQuarantined = `INSERT INTO quarantine (` + quarantineColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	TrimDevice     = `DELETE FROM quarantine WHERE NOT acknowledged AND device = $1 AND id <=
		(SELECT id FROM quarantine WHERE NOT acknowledged AND device = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`
	TrimAll = `DELETE FROM quarantine WHERE NOT acknowledged AND id <=
		(SELECT id FROM quarantine WHERE NOT acknowledged ORDER BY id DESC LIMIT 1 OFFSET $1)`
)

// QuarantinedArgs are the values of PutQuarantined.
func QuarantinedArgs(q *driver.Quarantined) []any {
	return []any{q.ID, q.Fleet, q.Device[:], q.Subject, int64(q.Epoch), driver.Micros(q.Received), q.Reason, q.Detail, int64(q.Size), q.Sealed, q.Replay,
		q.Acknowledged, q.Plain}
}

// HasQuarantined implements driver.Driver.
func (db *DB) HasQuarantined(ctx context.Context, id string) ([]byte, error) {
	found, err := query(ctx, db, func(r *sql.Rows, b *[]byte) error { return r.Scan(b) }, `SELECT sealed FROM quarantine WHERE id = $1`, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Quarantine implements driver.Driver.
func (db *DB) Quarantine(ctx context.Context, f driver.Filter) ([]driver.Quarantined, error) {
	scan := func(r *sql.Rows, q *driver.Quarantined) error {
		return r.Scan(&q.ID, &q.Fleet, deviceID{&q.Device}, &q.Subject, &q.Epoch, moment{&q.Received}, &q.Reason, &q.Detail,
			&q.Size, &q.Sealed, &q.Replay, &q.Acknowledged, &q.Plain)
	}
	where, args := conditions(&f)
	args = append(args, f.Limit)
	return query(ctx, db, scan, fmt.Sprintf(`SELECT %s FROM quarantine %s ORDER BY id LIMIT $%d`, quarantineColumns, where, len(args)), args...)
}

// MarkQuarantine implements driver.Driver.
func (db *DB) MarkQuarantine(ctx context.Context, f driver.Filter) (int, error) {
	where, args := conditions(&f)
	return db.exec(ctx, `UPDATE quarantine SET replay = TRUE `+where, args...)
}

// DeleteQuarantine implements driver.Driver.
func (db *DB) DeleteQuarantine(ctx context.Context, ids []string) (int, error) {
	deleted := 0
	for part := range slices.Chunk(ids, 500) {
		where, args := conditions(&driver.Filter{IDs: part})
		n, err := db.exec(ctx, `DELETE FROM quarantine `+where, args...)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// conditions writes a filter as SQL.
func conditions(f *driver.Filter) (where string, args []any) {
	var all []string
	add := func(condition string, arg any) {
		args = append(args, arg)
		all = append(all, fmt.Sprintf(condition, len(args)))
	}
	switch {
	case len(f.IDs) > 0:
		for _, id := range f.IDs {
			args = append(args, id)
		}
		all = append(all, "id IN "+placeholders(1, len(f.IDs)))
	case f.IDs != nil:
		all = append(all, "FALSE")
	}
	if f.Fleet != "" {
		add("fleet = $%d", f.Fleet)
	}
	if f.Device != nil {
		add("device = $%d", f.Device[:])
	}
	if f.Reason != "" {
		add("reason = $%d", f.Reason)
	}
	if f.After != "" {
		add("id > $%d", f.After)
	}
	if f.Marked {
		all = append(all, "replay")
	}
	if len(all) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(all, " AND "), args
}

// Acknowledged implements driver.Driver.
func (db *DB) Acknowledged(ctx context.Context) (map[commit.DeviceID]int, error) {
	type count struct {
		device commit.DeviceID
		rows   int
	}
	scan := func(r *sql.Rows, c *count) error { return r.Scan(deviceID{&c.device}, &c.rows) }
	counts, err := query(ctx, db, scan, `SELECT device, count(*) FROM quarantine WHERE acknowledged GROUP BY device`)
	if err != nil {
		return nil, err
	}
	out := make(map[commit.DeviceID]int, len(counts))
	for i := range counts {
		out[counts[i].device] = counts[i].rows
	}
	return out, nil
}

// QuarantinedDevices are the devices of quarantined frames that were not acknowledged, each once.
func QuarantinedDevices(rows []driver.Quarantined) []commit.DeviceID {
	seen := make(map[commit.DeviceID]bool)
	var out []commit.DeviceID
	for i := range rows {
		if id := rows[i].Device; !seen[id] && !rows[i].Acknowledged {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
