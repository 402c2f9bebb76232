package main

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
)

const (
	fileName  = "assay/fabric.proto"
	protoName = "assay.fabric"
	goPackage = "github.com/assay-net/assay/fabricnet/audit/wire"
	common    = "github.com/hyperledger/fabric-protos-go-apiv2/common"
)

// roots are the messages that are read. Those in their fields come with them.
var roots = []proto.Message{
	&peer.Transaction{}, &peer.ChaincodeProposalPayload{}, &peer.ChaincodeInvocationSpec{}, &peer.ProposalResponsePayload{}, &peer.ChaincodeHeaderExtension{},
	&peer.ChaincodeAction{}, &peer.ChaincodeEvent{}, &peer.ApplicationPolicy{}, &peer.CollectionConfigPackage{},
	&lifecycle.StateMetadata{}, &lifecycle.StateData{}, &lifecycle.ChaincodeValidationInfo{}, &orderer.ConsensusType{},
}

// taken are messages and enumerations on their way into one file.
type taken struct {
	file *descriptorpb.FileDescriptorProto
	seen map[protoreflect.FullName]bool
	// kept are the files whose messages stay where they are.
	kept map[string]protoreflect.FileDescriptor
}

// messages is the file: Fabric's messages, in another package.
func messages() *taken {
	t := &taken{
		file: &descriptorpb.FileDescriptorProto{
			Name: proto.String(fileName), Package: proto.String(protoName), Syntax: proto.String("proto3"), Options: &descriptorpb.FileOptions{GoPackage: proto.String(goPackage)},
		},
		seen: map[protoreflect.FullName]bool{}, kept: map[string]protoreflect.FileDescriptor{},
	}
	t.enum(peer.TxValidationCode(0).Descriptor())
	for _, m := range roots {
		t.message(m.ProtoReflect().Descriptor())
	}
	for path := range t.kept {
		t.file.Dependency = append(t.file.Dependency, path)
	}
	slices.Sort(t.file.Dependency)
	return t
}

// stays reports whether a file's messages are used where they are, because its Go package has no service.
func stays(f protoreflect.FileDescriptor) bool {
	return f.Options().(*descriptorpb.FileOptions).GetGoPackage() == common
}

func (t *taken) message(m protoreflect.MessageDescriptor) {
	if stays(m.ParentFile()) {
		t.kept[m.ParentFile().Path()] = m.ParentFile()
		return
	}
	if t.seen[m.FullName()] {
		return
	}
	t.seen[m.FullName()] = true
	if outer, nested := m.Parent().(protoreflect.MessageDescriptor); nested {
		t.message(outer)
	} else {
		d := protodesc.ToDescriptorProto(m)
		rename(d)
		t.file.MessageType = append(t.file.MessageType, d)
	}
	t.fields(m)
}

// fields takes what a message and the messages in it refer to.
func (t *taken) fields(m protoreflect.MessageDescriptor) {
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if f.Message() != nil {
			t.message(f.Message())
		}
		if f.Enum() != nil {
			t.enum(f.Enum())
		}
	}
}

func (t *taken) enum(e protoreflect.EnumDescriptor) {
	outer, nested := e.Parent().(protoreflect.MessageDescriptor)
	switch {
	case nested:
		t.message(outer)
	case !t.seen[e.FullName()]:
		t.seen[e.FullName()] = true
		t.file.EnumType = append(t.file.EnumType, protodesc.ToEnumDescriptorProto(e))
	}
}

// rename lets a message's fields refer to the messages here.
func rename(m *descriptorpb.DescriptorProto) {
	for _, f := range m.Field {
		for _, from := range []string{"protos", "lifecycle", "orderer"} {
			if rest, ok := strings.CutPrefix(f.GetTypeName(), "."+from+"."); ok {
				f.TypeName = proto.String(fmt.Sprintf(".%s.%s", protoName, rest))
			}
		}
	}
	for _, nested := range m.NestedType {
		rename(nested)
	}
}
