package wire_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

// fabrics finds a message or enumeration of Fabric's by its name without a package.
func fabrics(t *testing.T, name protoreflect.FullName) protoreflect.Descriptor {
	t.Helper()
	files := []protoreflect.FileDescriptor{
		(&peer.Transaction{}).ProtoReflect().Descriptor().ParentFile(), (&peer.ChaincodeProposalPayload{}).ProtoReflect().Descriptor().ParentFile(),
		(&peer.ChaincodeSpec{}).ProtoReflect().Descriptor().ParentFile(), (&peer.Response{}).ProtoReflect().Descriptor().ParentFile(),
		(&peer.ChaincodeEvent{}).ProtoReflect().Descriptor().ParentFile(), (&peer.ApplicationPolicy{}).ProtoReflect().Descriptor().ParentFile(),
		(&peer.CollectionConfig{}).ProtoReflect().Descriptor().ParentFile(), (&lifecycle.StateData{}).ProtoReflect().Descriptor().ParentFile(),
		(&lifecycle.ChaincodeValidationInfo{}).ProtoReflect().Descriptor().ParentFile(), (&orderer.ConsensusType{}).ProtoReflect().Descriptor().ParentFile(),
	}
	for _, f := range files {
		if m := f.Messages().ByName(protoreflect.Name(name)); m != nil {
			return m
		}
		if e := f.Enums().ByName(protoreflect.Name(name)); e != nil {
			return e
		}
	}
	t.Fatalf("Fabric has no %s", name)
	return nil
}

// Fields, numbers, types and values are Fabric's, of every message and enumeration.
func TestMessagesAreFabrics(t *testing.T) {
	f := wire.File_assay_fabric_proto
	if fabric := (&peer.Transaction{}).ProtoReflect().Descriptor().ParentFile(); f.Syntax() != fabric.Syntax() || f.Syntax() != protoreflect.Proto3 {
		t.Errorf("syntax is %v, Fabric's %v: with it goes whether text has to be UTF-8", f.Syntax(), fabric.Syntax())
	}
	for i := range f.Messages().Len() {
		m := f.Messages().Get(i)
		want := protodesc.ToDescriptorProto(fabrics(t, protoreflect.FullName(m.Name())).(protoreflect.MessageDescriptor))
		got := protodesc.ToDescriptorProto(m)
		if diff := cmp.Diff(local(want), local(got), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", m.Name(), diff)
		}
	}
	for i := range f.Enums().Len() {
		e := f.Enums().Get(i)
		want := protodesc.ToEnumDescriptorProto(fabrics(t, protoreflect.FullName(e.Name())).(protoreflect.EnumDescriptor))
		if diff := cmp.Diff(want, protodesc.ToEnumDescriptorProto(e), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", e.Name(), diff)
		}
	}
	if f.Messages().Len() < 20 || f.Enums().Len() != 1 {
		t.Errorf("%d messages, %d enumerations", f.Messages().Len(), f.Enums().Len())
	}
}

// pair is a message here and Fabric's of the same name, both empty.
func pair(t *testing.T, m protoreflect.MessageDescriptor) (ours, theirs proto.Message) {
	t.Helper()
	for i, d := range []protoreflect.MessageDescriptor{m, fabrics(t, protoreflect.FullName(m.Name())).(protoreflect.MessageDescriptor)} {
		kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			ours = kind.New().Interface()
		} else {
			theirs = kind.New().Interface()
		}
	}
	return ours, theirs
}

// Whatever bytes come, every message takes what Fabric's takes and makes the same of it: fields that are not known, that come twice or are of another type, text that is not UTF-8,
// of alternatives the last, and parts that are merged.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"\x0a\x02\x0a\x00\x0a\x02\x12\x00\x12\x03a/b\x0a\x00", "\x0a\x02\xff\xfe\x12\x01a\x12\x01b\x1a\x03\x0a\x01x\x1a\x03\x12\x01y", "\x08\x01\x08\x02\x10\xff\x01\xf8\x07\x01\xfb\x07\xfc\x07",
		"\x0a\x04\x0a\x02\x0a\x00", "\x0b\x0c", "\x12\x08\x0a\x01k\x12\x01v\x10\x01", "\x0a\x80\x00", "\x80",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all := wire.File_assay_fabric_proto.Messages()
		for i := range all.Len() {
			ours, theirs := pair(t, all.Get(i))
			got, want := proto.Unmarshal(b, ours), proto.Unmarshal(b, theirs)
			if (got == nil) != (want == nil) {
				t.Fatalf("%s: %v, Fabric's: %v", all.Get(i).Name(), got, want)
			}
			if got != nil {
				continue
			}
			deterministic := proto.MarshalOptions{Deterministic: true}
			again, err := deterministic.Marshal(ours)
			fabric, failed := deterministic.Marshal(theirs)
			if err != nil || failed != nil || !bytes.Equal(again, fabric) {
				t.Fatalf("%s: %x, %v, Fabric's: %x, %v", all.Get(i).Name(), again, err, fabric, failed)
			}
		}
	})
}

// local takes the packages off the names of types that are in one of those that were brought together.
func local(m *descriptorpb.DescriptorProto) *descriptorpb.DescriptorProto {
	for _, f := range m.Field {
		parts := strings.Split(f.GetTypeName(), ".")
		if len(parts) > 2 && slices.Contains([]string{"protos", "lifecycle", "orderer"}, parts[1]) {
			f.TypeName = proto.String(strings.Join(parts[2:], "."))
		} else if len(parts) > 3 && parts[1] == "assay" && parts[2] == "fabric" {
			f.TypeName = proto.String(strings.Join(parts[3:], "."))
		}
	}
	for _, nested := range m.NestedType {
		local(nested)
	}
	return m
}
