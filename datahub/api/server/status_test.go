package server_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
)

// refused checks an error's code, the reason of its ErrorInfo unless it is empty, and that it says something.
func refused(t *testing.T, err error, code codes.Code, reason, text string) *status.Status {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != code || !strings.Contains(s.Message(), text) {
		t.Errorf("got %v %q, want %v and %q", s.Code(), s.Message(), code, text)
		return s
	}
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			if info.GetDomain() != access.Domain || reason != "" && info.GetReason() != reason {
				t.Errorf("error info is %v, want reason %q", info, reason)
			}
			return s
		}
	}
	t.Errorf("%v has no ErrorInfo", s)
	return s
}

// fieldsOf are the fields that a BadRequest names.
func fieldsOf(s *status.Status) []string {
	var fields []string
	for _, d := range s.Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	slices.Sort(fields)
	return fields
}
