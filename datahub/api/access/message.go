package access

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// examine looks for what the message's descriptor cannot rule out. A field that this node does not know is refused: it may be the one that limits what is asked.
func examine(message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return internal()
	}
	if field, ok := unknownField(m.ProtoReflect(), ""); ok {
		return RefuseWith(codes.InvalidArgument, ReasonInvalid, "message: a field that this node does not know",
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: "not known"}}})
	}
	return nil
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
