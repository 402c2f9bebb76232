package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
)

// What goes wrong within is told to the log and not to the caller.
func TestFaultsAreNotTold(t *testing.T) {
	const secret = "the-secret-of-the-node"
	for name, c := range map[string]struct {
		handle func() error
		want   codes.Code
		told   string
	}{
		"a panic":           {func() error { panic(secret) }, codes.Internal, "internal error"},
		"a panic of nil":    {func() error { return errors.New((*access.Principal)(nil).Subject) }, codes.Internal, "internal error"},
		"an error":          {func() error { return errors.New(secret) }, codes.Internal, "internal error"},
		"another's status":  {func() error { return fmt.Errorf("%s: %w", secret, status.Error(codes.NotFound, secret)) }, codes.Internal, "internal error"},
		"a status":          {func() error { return status.Error(codes.NotFound, "no such fleet") }, codes.NotFound, "no such fleet"},
		"a context's error": {func() error { return fmt.Errorf("%s: %w", secret, context.Canceled) }, codes.Canceled, ""},
	} {
		w := newWorld(t, everything)
		w.services.on(func(context.Context, string, func() error) error { return c.handle() })
		for _, method1 := range []string{status1, assayv1.RequestService_WatchRequest_FullMethodName} {
			m := method(method1)
			err := call(with(w.token(access.Viewer)), w.dial(nil), m, valid(m))
			wantCode(t, name, err, c.want)
			f := forms(m)[0]
			a := w.rest(f.verb, f.path, w.token(access.Viewer), "")
			if c.want != codes.Canceled && (strings.Contains(err.Error(), secret) || strings.Contains(a.body, secret) || !strings.Contains(a.body, c.told)) {
				t.Errorf("%s: told %v, %s", name, err, a.body)
			}
			if strings.Contains(a.body, "goroutine") || a.code == http.StatusOK {
				t.Errorf("%s: %d %s", name, a.code, a.body)
			}
		}
		w.services.on(nil)
		wantCode(t, name+": afterwards", w.statusAs(access.Viewer), codes.OK)
	}
}
