package relational

import (
	"context"
	"database/sql"
	"slices"

	"github.com/assay-net/assay/datahub/store/driver"
)

const deviceColumns = "id, fleet, chunk, slot, certificate, generation, state, possession, from_epoch, until_epoch, offered"

// replaceDevice ends the statement that writes devices.
const replaceDevice = ` ON CONFLICT (id) DO UPDATE SET fleet = excluded.fleet, chunk = excluded.chunk, slot = excluded.slot,
	certificate = excluded.certificate, generation = excluded.generation, state = excluded.state, possession = excluded.possession,
	from_epoch = excluded.from_epoch, until_epoch = excluded.until_epoch, offered = excluded.offered`

// PutDevices implements driver.Driver. Those that retire are written first, so that others may take their seats.
func (db *DB) PutDevices(ctx context.Context, devices []driver.Device) error {
	sorted := slices.Clone(devices)
	slices.SortStableFunc(sorted, func(a, b driver.Device) int { return order(a.State) - order(b.State) })
	return db.Transact(ctx, func(tx *sql.Tx) error {
		for part := range slices.Chunk(sorted, 50) {
			if err := putDevices(ctx, tx, part); err != nil {
				return err
			}
		}
		return nil
	})
}

func order(s driver.DeviceState) int {
	if s == driver.Retired {
		return 0
	}
	return 1
}

func putDevices(ctx context.Context, tx *sql.Tx, devices []driver.Device) error {
	var args []any
	for i := range devices {
		d := &devices[i]
		args = append(args, d.ID[:], d.Fleet, int64(d.Chunk), int64(d.Slot), d.Certificate, int64(d.Generation), string(d.State),
			d.Possession, int64(d.From), int64(d.Until), driver.Micros(d.Offered))
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO devices (`+deviceColumns+`) VALUES `+placeholders(len(devices), 11)+replaceDevice, args...)
	return err
}

// Devices implements driver.Driver.
func (db *DB) Devices(ctx context.Context) ([]driver.Device, error) {
	scan := func(r *sql.Rows, d *driver.Device) error {
		return r.Scan(deviceID{&d.ID}, &d.Fleet, &d.Chunk, &d.Slot, &d.Certificate, &d.Generation, &d.State, &d.Possession,
			&d.From, &d.Until, moment{&d.Offered}, moment{&d.LastSeen}, &d.Through)
	}
	return query(ctx, db, scan, `SELECT `+deviceColumns+`, coalesce(progress.seen, 0), coalesce(progress.through, 0)
		FROM devices LEFT JOIN progress ON progress.device = devices.id ORDER BY id`)
}
