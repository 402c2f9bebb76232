// Package sqlite keeps a store in a file, through SQLite in Go.
//
// The file is in the mode of a write-ahead log with synchronous=FULL: a transaction is on the disk when it returns. One connection of
// a process writes; readers beside it do not wait for it. Other processes may read and write the same file, on the same machine and
// not over a network file system: a writer waits up to ten seconds for another one, and is then told driver.ErrUnavailable.
//
// The file, its log and the log's index are readable by their owner only.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/relational"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockWait is how long Open waits for another process that migrates.
const lockWait = time.Minute

// Driver is a file.
type Driver struct {
	relational.DB
	statements statements
}

var _ driver.Driver = (*Driver)(nil)

// Open opens the database in a file, which is made if it is not there. The directory must be.
func Open(ctx context.Context, path string, readers int) (*Driver, error) {
	d, err := open(ctx, path, readers)
	if err != nil {
		return nil, fmt.Errorf("opening the SQLite database %q: %w", path, failure(err))
	}
	return d, nil
}

func open(ctx context.Context, path string, readers int) (*Driver, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", source(path, "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	write.SetMaxIdleConns(1)
	read, err := sql.Open("sqlite", source(path, "_query_only=1"))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	d := &Driver{DB: relational.DB{Read: read, Write: write, Failure: failure, Again: again}}
	if err := d.prepare(ctx, path); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// create makes the file for its owner only; SQLite gives the files beside it the same mode. A file that is there is not opened:
// closing it would release the locks that another connection of this process holds on it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// source is the file as a URI. The log may have 16 MiB before it is written back, so that this is not done after each batch.
func source(path, more string) string {
	u := url.URL{Scheme: "file", Path: path}
	return u.String() + "?_busy_timeout=10000&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-32768)" +
		"&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(67108864)&_dqs=0&" + more
}

func (d *Driver) prepare(ctx context.Context, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	limited, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if _, err := lock.TryLockContext(limited, 20*time.Millisecond); err != nil {
		return fmt.Errorf("waiting for another process to migrate it: %w", err)
	}
	defer lock.Close()
	if err := relational.Migrate(ctx, goose.DialectSQLite3, d.Write, files); err != nil {
		return err
	}
	// A program that starts reads a lot by device. It can do without the index, if there is no space for it.
	err = d.Transact(ctx, func(tx *sql.Tx) error { return index(ctx, tx, true) })
	if err != nil && !errors.Is(err, driver.ErrFull) && !errors.Is(err, driver.ErrUnavailable) {
		return err
	}
	return d.statements.prepare(ctx, d.Write)
}

// Close implements driver.Driver.
func (d *Driver) Close() error {
	return errors.Join(d.statements.close(), d.Read.Close(), d.Write.Close())
}
