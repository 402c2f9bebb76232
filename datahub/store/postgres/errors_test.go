package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/assay-net/assay/datahub/store/driver"
)

func TestFailuresAreToldApart(t *testing.T) {
	code := func(c string) error { return fmt.Errorf("doing: %w", &pgconn.PgError{Code: c}) }
	for _, c := range []struct {
		err  error
		want error
	}{
		{code("23505"), driver.ErrConflict},
		{code("53100"), driver.ErrFull},
		{code("53300"), driver.ErrUnavailable},
		{code("53200"), driver.ErrUnavailable},
		{code("57P01"), driver.ErrUnavailable},
		{code("57P02"), driver.ErrUnavailable},
		{code("57P03"), driver.ErrUnavailable},
		{code("08006"), driver.ErrUnavailable},
		{code("08P01"), driver.ErrUnavailable},
		{code("25006"), driver.ErrUnavailable},
		{code("40001"), driver.ErrUnavailable},
		{code("40P01"), driver.ErrUnavailable},
		{code("55P03"), driver.ErrUnavailable},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, driver.ErrUnavailable},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), driver.ErrUnavailable},
		{net.ErrClosed, driver.ErrUnavailable},
		{code("42P01"), nil},
		{code("28P01"), nil},
		{code("3D000"), nil},
		{code(""), nil},
		{context.Canceled, nil},
		{fmt.Errorf("timeout: %w", context.DeadlineExceeded), nil},
		{errors.New("something else"), nil},
	} {
		got := failure(c.err)
		if !errors.Is(got, c.err) {
			t.Errorf("%v became %v", c.err, got)
		}
		for _, kind := range []error{driver.ErrConflict, driver.ErrFull, driver.ErrUnavailable} {
			if errors.Is(got, kind) != (kind == c.want) {
				t.Errorf("%v is taken for %v: %t", c.err, kind, errors.Is(got, kind))
			}
		}
	}
	if failure(nil) != nil {
		t.Error("success became a failure")
	}
}
