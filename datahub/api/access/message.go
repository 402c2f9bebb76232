package access

import (
	"errors"
	"fmt"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// examine bounds and validates a message. A field that this node does not know is refused: it may be the one that limits what is asked.
func (g *Guard) examine(r *Rule, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return internal()
	}
	if size := proto.Size(m); size > r.MaxRequest {
		return Refuse(codes.ResourceExhausted, ReasonTooLarge, "the message has %d bytes, at most %d", size, r.MaxRequest)
	}
	if field, ok := unknownField(m.ProtoReflect(), ""); ok {
		return badRequest("message: a field that this node does not know", &errdetails.BadRequest_FieldViolation{Field: field, Description: "not known"})
	}
	err := g.validator.Validate(m)
	var invalid *protovalidate.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return violations(invalid)
	}
	g.log.Error("a message cannot be validated", "message", string(m.ProtoReflect().Descriptor().FullName()), "error", err)
	return internal()
}

// maxViolations bounds the answer to a message that is wrong throughout.
const maxViolations = 32

func violations(e *protovalidate.ValidationError) error {
	var fields []*errdetails.BadRequest_FieldViolation
	for _, v := range e.Violations {
		if len(fields) == maxViolations {
			break
		}
		fields = append(fields, &errdetails.BadRequest_FieldViolation{
			Field: protovalidate.FieldPathString(v.Proto.GetField()), Description: v.Proto.GetMessage(), Reason: v.Proto.GetRuleId(),
		})
	}
	message := "message: not valid"
	if len(fields) > 0 {
		message = fmt.Sprintf("%s: %s", fields[0].Field, fields[0].Description)
	}
	return badRequest(message, fields...)
}

func badRequest(message string, fields ...*errdetails.BadRequest_FieldViolation) error {
	return refuseWith(codes.InvalidArgument, ReasonInvalid, message, &errdetails.BadRequest{FieldViolations: fields})
}

// unknownField finds a message in which there are fields without a name, and gives its path and the first one's number.
func unknownField(m protoreflect.Message, path string) (string, bool) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		return fmt.Sprintf("%s%d", path, firstNumber(unknown)), true
	}
	found, where := false, ""
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() == nil {
			return true
		}
		at := path + string(f.Name()) + "."
		switch {
		case f.IsMap():
			if f.MapValue().Message() == nil {
				return true
			}
			v.Map().Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
				where, found = unknownField(value.Message(), at)
				return !found
			})
		case f.IsList():
			for i := 0; i < v.List().Len() && !found; i++ {
				where, found = unknownField(v.List().Get(i).Message(), at)
			}
		default:
			where, found = unknownField(v.Message(), at)
		}
		return !found
	})
	return where, found
}

func firstNumber(unknown protoreflect.RawFields) int32 {
	number, _, n := protowire.ConsumeTag(unknown)
	if n < 0 {
		return 0
	}
	return int32(number)
}
