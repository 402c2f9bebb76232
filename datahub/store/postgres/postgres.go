// Package postgres keeps a store in a PostgreSQL database, version 13 or later, through pgx.
//
// A transaction is on the server's disk when it returns: synchronous_commit is set for the session, and Open warns of a server that
// runs with fsync off. Frames and reports are partitioned by the epochs that share a data key; partitions are made when the first row
// of theirs comes and dropped when they are pruned. A query for a device looks into every partition, so that some hundreds of them
// are fine and many thousands are not: choose the epochs per key accordingly, and prune.
//
// The connection must be to the server itself or to a pooler in session mode: statements are prepared.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The advisory locks of a database.
const (
	migrationLock = 0x6173736179_01
	partitionLock = 0x6173736179_02
)

const oldestServer = 13_00_00

// forShare keeps a row from being changed until the transaction ends.
const forShare = ` FOR SHARE`

// Driver is a database of a server.
type Driver struct {
	relational.DB
	pool       *pgxpool.Pool
	span       atomic.Uint64 // epochs in a partition
	partitions partitions
}

var _ driver.Driver = (*Driver)(nil)

// Open opens a database, which must be there.
func Open(ctx context.Context, url string, connections int, log *slog.Logger) (*Driver, error) {
	d, err := open(ctx, url, connections, log)
	if err != nil {
		return nil, fmt.Errorf("opening the PostgreSQL database: %w", failure(err))
	}
	return d, nil
}

func open(ctx context.Context, url string, connections int, log *slog.Logger) (*Driver, error) {
	c, err := config(url, connections)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, c.ConnConfig, log); err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	d := &Driver{pool: pool, DB: relational.DB{Read: db, Write: db, Failure: failure, Again: again, ForShare: forShare}}
	return d, nil
}

// config sets what the promises need. A connection that is silent is given up after half a minute.
func config(url string, connections int) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(url) // leaves a password out of its errors
	if err != nil {
		return nil, err
	}
	if err := checkTransport(url, &c.ConnConfig.Config); err != nil {
		return nil, err
	}
	c.MaxConns = int32(min(connections, 1000))
	c.MaxConnIdleTime = 5 * time.Minute
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4}}
	c.ConnConfig.DialFunc = dialer.DialContext
	for name, value := range map[string]string{
		"application_name":                    "assay",
		"synchronous_commit":                  "on",
		"lock_timeout":                        "20s",
		"idle_in_transaction_session_timeout": "60s",
	} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	return c, nil
}

// migrate applies migrations while it holds a lock of the database, over connections of its own.
func migrate(ctx context.Context, c *pgx.ConnConfig, log *slog.Logger) error {
	lock, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer lock.Close(context.WithoutCancel(ctx)) // which gives the lock back
	if err := inspect(ctx, lock, log); err != nil {
		return err
	}
	if _, err := lock.Exec(ctx, "SET lock_timeout = '60s'"); err != nil {
		return err
	}
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("waiting for another process to migrate it: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*c)
	return errors.Join(relational.Migrate(ctx, goose.DialectPostgres, db, files), db.Close())
}

func inspect(ctx context.Context, conn *pgx.Conn, log *slog.Logger) error {
	var version int
	var fsync string
	err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, current_setting('fsync')").Scan(&version, &fsync)
	if err != nil {
		return err
	}
	if version < oldestServer {
		return fmt.Errorf("the server's version is %d, must be %d or later", version/10_000, oldestServer/10_000)
	}
	if fsync != "on" {
		log.WarnContext(ctx, "the PostgreSQL server runs with fsync off: acknowledged data is lost when its machine crashes")
	}
	return nil
}

// Identity implements driver.Driver. Partitions are as long as the periods of keys.
func (d *Driver) Identity(ctx context.Context, proposal driver.Identity) (driver.Identity, error) {
	id, err := d.DB.Identity(ctx, proposal)
	d.span.Store(id.EpochsPerKey)
	return id, err
}

// Close implements driver.Driver.
func (d *Driver) Close() error {
	err := d.Read.Close()
	d.pool.Close()
	return err
}
