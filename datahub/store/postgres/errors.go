package postgres

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/assay-net/assay/datahub/store/driver"
)

// failure makes PostgreSQL's and the network's errors the driver's.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func kindOf(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return kindOfCode(answer.Code)
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return driver.ErrUnavailable
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err) {
		return driver.ErrUnavailable
	}
	return nil
}

// kindOfCode tells codes apart: https://www.postgresql.org/docs/current/errcodes-appendix.html
func kindOfCode(code string) error {
	switch code {
	case "23505": // unique_violation
		return driver.ErrConflict
	case "53100": // disk_full
		return driver.ErrFull
	case "57P01", "57P02", "57P03", "57P05", // shut down, crashed, starting up, idle for too long
		"57014", "55P03", "25P03", // timeouts of a statement, a lock, a transaction
		"25006",          // read-only: a standby
		"40001", "40P01", // lost against another transaction, each time
		"58030": // io_error
		return driver.ErrUnavailable
	}
	if strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") { // connection exceptions, insufficient resources
		return driver.ErrUnavailable
	}
	return nil
}

// again says that a transaction only lost against another one.
func again(err error) bool { return hasCode(err, "40001") || hasCode(err, "40P01") }

// noPartition says that there is no partition for a row.
func noPartition(err error) bool { return hasCode(err, "23514") }

func hasCode(err error, code string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == code
}
