// Package relational is the SQL that the drivers have in common: everything but writing batches and pruning, whose speed depends on
// how a database likes it. The statements are in the dialect that SQLite and PostgreSQL share.
package relational

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// DB implements the larger part of driver.Driver.
type DB struct {
	Read, Write *sql.DB
	// Failure makes a database's error one of package driver's where it is one.
	Failure func(error) error
	// Again says that a transaction failed only because of another one, so that it may be run again.
	Again func(error) bool
	// ForShare ends a query of one row that nobody may change before the transaction ends, where that is not so anyway.
	ForShare string
}

// attempts bounds how often a transaction is run again.
const attempts = 10

// Transact runs a transaction, again if it only lost against another.
func (db *DB) Transact(ctx context.Context, do func(*sql.Tx) error) error {
	return Repeat(ctx, db.Again, func() error { return db.Failure(db.once(ctx, do)) })
}

// Repeat runs a transaction again, after a short while, as long as it only lost against another.
func Repeat(ctx context.Context, again func(error) bool, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if err == nil || n == attempts || !again(err) {
			return err
		}
		select {
		case <-time.After(time.Duration(1+rand.IntN(n*10)) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (db *DB) once(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // an error for one that is over
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exec runs one statement that changes rows, and returns how many.
func (db *DB) exec(ctx context.Context, statement string, args ...any) (int, error) {
	var changed int64
	err := db.Transact(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return int(changed), err
}

// query reads rows. The rows that scan is given are valid until it returns.
func query[R any](ctx context.Context, db *DB, scan func(*sql.Rows, *R) error, statement string, args ...any) ([]R, error) {
	rows, err := db.Read.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, db.Failure(err)
	}
	out, err := collect(rows, scan)
	return out, db.Failure(err)
}

func collect[R any](rows *sql.Rows, scan func(*sql.Rows, *R) error) ([]R, error) {
	defer rows.Close()
	var out []R
	for rows.Next() {
		var r R
		if err := scan(rows, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// deviceID scans a device's ID.
type deviceID struct{ to *commit.DeviceID }

func (d deviceID) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(d.to) {
		return fmt.Errorf("device of type %T and %d bytes, must have %d", src, len(b), len(d.to))
	}
	copy(d.to[:], b)
	return nil
}

// moment scans a time.
type moment struct{ to *time.Time }

func (m moment) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("time of type %T, must be an integer", src)
	}
	*m.to = driver.FromMicros(n)
	return nil
}

// placeholders writes "($1,$2),($3,$4)" for rows of so many columns.
func placeholders(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("),(")
		default:
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteString(")")
	return b.String()
}
