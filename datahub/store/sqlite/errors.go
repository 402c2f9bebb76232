package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/assay-net/assay/datahub/store/driver"
)

// failure makes SQLite's errors, and those of making the file, the driver's.
func failure(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", driver.ErrFull, err)
	}
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if kind := kindOf(e.Code()); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// kindOf tells result codes apart: https://www.sqlite.org/rescode.html
func kindOf(code int) error {
	switch code {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return driver.ErrConflict
	case lib.SQLITE_IOERR_SHMSIZE: // no space for the index of the write-ahead log
		return driver.ErrFull
	}
	switch code & 0xff {
	case lib.SQLITE_FULL:
		return driver.ErrFull
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN:
		return driver.ErrUnavailable
	}
	return nil
}

// again: the busy timeout has waited already.
func again(error) bool { return false }
