package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// ReasonExists is a reason of an ErrorInfo besides the ledger's codes and those of package access.
const ReasonExists = "already_exists"

const (
	// maxMessage bounds a status' message, which travels in a header.
	maxMessage = 4 << 10
	// maxViolations bounds the fields that a BadRequest names.
	maxViolations = 16
)

// errFault is a fault of this program.
var errFault = errors.New("the call could not be served")

// refusal is a no that was made here, with its status. Errors of clients beneath may have a status too, which is none of the caller's business.
type refusal struct{ status *status.Status }

func (r *refusal) Error() string              { return r.status.Message() }
func (r *refusal) GRPCStatus() *status.Status { return r.status }

// Validate holds a message to the bounds in its descriptor. Its error is a status that names every field, up to a number.
func Validate(m proto.Message) error {
	err := protovalidate.Validate(m)
	var violated *protovalidate.ValidationError
	if err == nil {
		return nil
	}
	if !errors.As(err, &violated) {
		return fmt.Errorf("%w: %w", errFault, err)
	}
	var fields []*errdetails.BadRequest_FieldViolation
	for _, v := range violated.Violations[:min(len(violated.Violations), maxViolations)] {
		fields = append(fields, &errdetails.BadRequest_FieldViolation{Field: protovalidate.FieldPathString(v.Proto.GetField()), Description: v.Proto.GetMessage()})
	}
	return badRequest(fields...)
}

// invalid is a malformed call whose fault is in one field.
func invalid(field string, err error) error {
	return badRequest(&errdetails.BadRequest_FieldViolation{Field: field, Description: clip(err.Error())})
}

func badRequest(fields ...*errdetails.BadRequest_FieldViolation) error {
	var text []string
	for _, f := range fields {
		text = append(text, f.Field+": "+f.Description)
	}
	return refuse(codes.InvalidArgument, access.ReasonInvalid, strings.Join(text, "; "), &errdetails.BadRequest{FieldViolations: fields})
}

// exists says that it was done already, in another way.
func exists(message string) error { return refuse(codes.AlreadyExists, ReasonExists, message) }

func notFound(message string) error {
	return refuse(codes.NotFound, string(ledger.NotFound), message)
}

func refuse(code codes.Code, reason, message string, more ...protoadapt.MessageV1) error {
	return &refusal{status.Convert(access.RefuseWith(code, reason, clip(message), more...))}
}

// gone is the error of a stream whose caller takes no more.
func gone(err error) error { return &refusal{status.Convert(err)} }

// codeOf says how the ledger's codes look to a caller.
var codeOf = map[ledger.Code]codes.Code{
	ledger.NotFound: codes.NotFound, ledger.Forbidden: codes.PermissionDenied, ledger.Invalid: codes.InvalidArgument,
	ledger.Conflict: codes.Aborted, ledger.Expired: codes.FailedPrecondition, ledger.NotEndorsed: codes.FailedPrecondition,
	ledger.AlreadyRecorded: codes.AlreadyExists,
}

// status makes a status of whatever a handler returned.
func (s *Server) status(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	var ours *refusal
	var refused *ledger.Refusal
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &refused):
		code, ok := codeOf[refused.Code]
		if !ok {
			code = codes.Unknown
		}
		return refuse(code, string(refused.Code), refused.Message)
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, errFault):
		s.Logger.ErrorContext(ctx, "a call could not be served", "method", method, "error", err)
		return refuse(codes.Internal, access.ReasonInternal, errFault.Error())
	}
	s.Logger.WarnContext(ctx, "a call found no ledger", "method", method, "error", err)
	return refuse(codes.Unavailable, access.ReasonUnavailable, "the ledger cannot be reached or gave no answer: try the same call again")
}

func clip(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "") + "…"
}
