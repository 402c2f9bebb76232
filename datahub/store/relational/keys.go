package relational

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
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

// KeyInUse finds the key that something is sealed under.
const KeyInUse = `SELECT 1 FROM data_keys WHERE fleet = $1 AND period = $2 AND wrapped = $3 AND NOT doomed`

// KeyArgs are the values of KeyInUse.
func KeyArgs(k *driver.KeyUse) []any { return []any{k.Fleet, int64(k.Period), k.Wrapped} }

// KeyFound makes an error of having found nothing, none being what a driver calls that.
func KeyFound(k *driver.KeyUse, err, none error) error {
	if errors.Is(err, none) {
		return fmt.Errorf("fleet %q, period %d: %w", k.Fleet, k.Period, driver.ErrKey)
	}
	return err
}

// holdKey sees to it that a key is there until the transaction ends.
func (db *DB) holdKey(ctx context.Context, tx *sql.Tx, k *driver.KeyUse) error {
	var one int
	return KeyFound(k, tx.QueryRowContext(ctx, KeyInUse+db.ForShare, KeyArgs(k)...).Scan(&one), sql.ErrNoRows)
}

// Fleets implements driver.Driver.
func (db *DB) Fleets(ctx context.Context) ([]string, error) {
	scan := func(r *sql.Rows, s *string) error { return r.Scan(s) }
	return query(ctx, db, scan, `SELECT DISTINCT fleet FROM data_keys ORDER BY fleet`)
}

// DoomKeys implements driver.Driver. What it leaves in the settings is random: a number would come back when the database is restored.
func (db *DB) DoomKeys(ctx context.Context, fleet string, periods []uint64) error {
	return db.Transact(ctx, func(tx *sql.Tx) error {
		for _, p := range periods {
			if _, err := tx.ExecContext(ctx, `UPDATE data_keys SET doomed = TRUE WHERE fleet = $1 AND period = $2`, fleet, int64(p)); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE settings SET value = $1 WHERE name = 'dooms'`, rand.Text())
		return err
	})
}

// Dooms implements driver.Driver.
func (db *DB) Dooms(ctx context.Context) (string, error) {
	all, err := db.settings(ctx)
	if err != nil {
		return "", err
	}
	if all["dooms"] == "" {
		return "", errors.New("setting dooms is missing")
	}
	return all["dooms"], nil
}

// ShredKey implements driver.Driver.
func (db *DB) ShredKey(ctx context.Context, fleet string, period uint64, at time.Time) error {
	_, err := db.exec(ctx, `UPDATE data_keys SET doomed = TRUE, wrapped = NULL, shredded = $3 WHERE fleet = $1 AND period = $2`,
		fleet, int64(period), driver.Micros(at))
	return err
}
