package relational

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/assay-net/assay/datahub/store/driver"
)

// Identity implements driver.Driver.
func (db *DB) Identity(ctx context.Context, proposal driver.Identity) (driver.Identity, error) {
	all, err := db.settings(ctx)
	if err != nil {
		return driver.Identity{}, err
	}
	if all["id"] == "" {
		if err := db.propose(ctx, proposal); err != nil {
			return driver.Identity{}, err
		}
		if all, err = db.settings(ctx); err != nil {
			return driver.Identity{}, err
		}
	}
	epochs, err := strconv.ParseUint(all["epochs_per_key"], 10, 63)
	if err != nil || epochs == 0 {
		return driver.Identity{}, fmt.Errorf("setting epochs_per_key is %q, must be a positive number", all["epochs_per_key"])
	}
	canary, err := hex.DecodeString(all["canary"])
	if err != nil {
		return driver.Identity{}, fmt.Errorf("setting canary: %w", err)
	}
	return driver.Identity{ID: all["id"], EpochsPerKey: epochs, Canary: canary}, nil
}

// SetCanary implements driver.Driver.
func (db *DB) SetCanary(ctx context.Context, canary []byte) ([]byte, error) {
	_, err := db.exec(ctx, `INSERT INTO settings (name, value) VALUES ('canary', $1) ON CONFLICT (name) DO NOTHING`, hex.EncodeToString(canary))
	if err != nil {
		return nil, err
	}
	all, err := db.settings(ctx)
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(all["canary"])
}

// propose writes an identity if there is none, both parts of it or none.
func (db *DB) propose(ctx context.Context, proposal driver.Identity) error {
	return db.Transact(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('id', $1) ON CONFLICT (name) DO NOTHING`, proposal.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('epochs_per_key', $1)`, strconv.FormatUint(proposal.EpochsPerKey, 10))
		return err
	})
}

func (db *DB) settings(ctx context.Context) (map[string]string, error) {
	type setting struct{ name, value string }
	rows, err := query(ctx, db, func(r *sql.Rows, s *setting) error { return r.Scan(&s.name, &s.value) }, `SELECT name, value FROM settings`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(rows))
	for _, s := range rows {
		all[s.name] = s.value
	}
	return all, nil
}

// Check implements driver.Driver.
func (db *DB) Check(ctx context.Context) error {
	_, err := db.settings(ctx)
	return err
}
