package relational

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/assay-net/assay/datahub/store/driver"
)

const keyColumns = "fleet, period, first_epoch, last_epoch, created, doomed, shredded, wrapped"

const keySelected = `SELECT ` + keyColumns + ` FROM data_keys WHERE fleet = $1`

func scanKey(r *sql.Rows, k *driver.Key) error {
	return r.Scan(&k.Fleet, &k.Period, &k.First, &k.Last, moment{&k.Created}, &k.Doomed, moment{&k.Shredded}, &k.Wrapped)
}

// AddKey implements driver.Driver.
func (db *DB) AddKey(ctx context.Context, k driver.Key) (driver.Key, error) {
	_, err := db.exec(ctx, `INSERT INTO data_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (fleet, period) DO NOTHING`,
		k.Fleet, int64(k.Period), int64(k.First), int64(k.Last), driver.Micros(k.Created), k.Doomed, driver.Micros(k.Shredded), k.Wrapped)
	if err != nil {
		return driver.Key{}, err
	}
	found, err := db.Keys(ctx, k.Fleet, &k.Period)
	if err != nil {
		return driver.Key{}, err
	}
	if len(found) == 0 {
		return driver.Key{}, fmt.Errorf("the data key of fleet %q, period %d, is gone", k.Fleet, k.Period)
	}
	return found[0], nil
}

// Keys implements driver.Driver.
func (db *DB) Keys(ctx context.Context, fleet string, period *uint64) ([]driver.Key, error) {
	if period != nil {
		return query(ctx, db, scanKey, keySelected+` AND period = $2`, fleet, int64(*period))
	}
	return query(ctx, db, scanKey, keySelected+` ORDER BY period`, fleet)
}

// DoomKeys implements driver.Driver.
func (db *DB) DoomKeys(ctx context.Context, fleet string, before uint64) error {
	return db.Transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE data_keys SET doomed = TRUE WHERE fleet = $1 AND period < $2`, fleet, int64(before))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE settings SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'dooms'`)
		return err
	})
}

// Dooms implements driver.Driver.
func (db *DB) Dooms(ctx context.Context) (uint64, error) {
	all, err := db.settings(ctx)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(all["dooms"], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("setting dooms: %w", err)
	}
	return n, nil
}

// ShredKey implements driver.Driver.
func (db *DB) ShredKey(ctx context.Context, fleet string, period uint64, at time.Time) error {
	_, err := db.exec(ctx, `UPDATE data_keys SET doomed = TRUE, wrapped = NULL, shredded = $3 WHERE fleet = $1 AND period = $2`,
		fleet, int64(period), driver.Micros(at))
	return err
}
