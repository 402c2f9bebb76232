package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is that of every ErrorInfo.
const Domain = "assay"

// Reasons in the ErrorInfo of what this package refuses. Those of the ledger's refusals are the ledger's codes.
const (
	ReasonUnauthenticated = "unauthenticated"
	ReasonForbidden       = "forbidden"
	ReasonInvalid         = "invalid"
	ReasonTooLarge        = "too_large"
	ReasonTooMany         = "too_many"
	ReasonUnavailable     = "unavailable"
	ReasonInternal        = "internal"
)

// Refuse makes a google.rpc.Status with an ErrorInfo.
func Refuse(code codes.Code, reason, format string, args ...any) error {
	return RefuseWith(code, reason, fmt.Sprintf(format, args...))
}

// RefuseWith is Refuse with more details behind the ErrorInfo.
func RefuseWith(code codes.Code, reason, message string, more ...protoadapt.MessageV1) error {
	s := status.New(code, message)
	details := append([]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: Domain}}, more...)
	if with, err := s.WithDetails(details...); err == nil {
		s = with
	}
	return s.Err()
}

// unauthenticated tells a caller what is wrong with what they showed, that it cannot be known now, or that it was not looked at.
func unauthenticated(err error) error {
	switch {
	case status.Code(err) == codes.ResourceExhausted:
		return err
	case undecided(err):
		return RefuseWith(codes.Unavailable, ReasonUnavailable, err.Error(), &errdetails.RetryInfo{RetryDelay: durationpb.New(keysWait)})
	}
	return Refuse(codes.Unauthenticated, ReasonUnauthenticated, "%v", err)
}

func tooMany(wait time.Duration, format string, args ...any) error {
	return RefuseWith(codes.ResourceExhausted, ReasonTooMany, fmt.Sprintf(format, args...), &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
}

func internal() error { return Refuse(codes.Internal, ReasonInternal, "internal error") }

// presentable keeps what a handler says on purpose, a status, and says nothing of other errors.
func presentable(err error) error {
	if err == nil {
		return nil
	}
	// One that is only wrapped is another service's, such as a peer's of the ledger, and says what it says to the node.
	if _, ok := err.(interface{ GRPCStatus() *status.Status }); ok {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return status.FromContextError(err).Err()
	}
	return internal()
}
