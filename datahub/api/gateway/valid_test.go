package gateway_test

import (
	"context"
	"crypto/tls"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

var digest = strings.Repeat("0a", 32)

// valid is a message of a method that passes validation.
func valid(m protoreflect.MethodDescriptor) proto.Message {
	if message, ok := validMessages()[fullName(m)]; ok {
		return message
	}
	in := newMessage(m.Input())
	fields := in.ProtoReflect().Descriptor().Fields()
	for name, value := range map[protoreflect.Name]string{"request": digest, "query": digest, "session": digest, "fleet": "north", "owner": "owner", "grant": "g-1"} {
		f := fields.ByName(name)
		if f != nil && f.Kind() == protoreflect.StringKind && !f.IsList() && f.ContainingOneof() == nil {
			in.ProtoReflect().Set(f, protoreflect.ValueOfString(value))
		}
	}
	return in
}

func validMessages() map[string]proto.Message {
	return map[string]proto.Message{
		assayv1.PolicyService_PublishPolicy_FullMethodName:  &assayv1.PublishPolicyRequest{Text: "permit"},
		assayv1.PolicyService_CheckPolicy_FullMethodName:    &assayv1.CheckPolicyRequest{Text: "permit"},
		assayv1.PolicyService_ExplainRequest_FullMethodName: &assayv1.ExplainRequestRequest{Subject: &assayv1.ExplainRequestRequest_Request{Request: digest}},
		assayv1.GrantService_CreateGrant_FullMethodName: &assayv1.CreateGrantRequest{Terms: &assayv1.GrantTerms{
			Id: "g-1", Grantee: "lender", Fleets: []string{"north"}, Purposes: []string{"lending"}, Actions: []string{"prove"}, Answers: 1,
			NotBefore: timestamppb.Now(), NotAfter: timestamppb.Now(),
		}},
		assayv1.GrantService_RevokeGrant_FullMethodName:     &assayv1.RevokeGrantRequest{Grant: "g-1", Reason: "over"},
		assayv1.RequestService_CreateRequest_FullMethodName: &assayv1.CreateRequestRequest{Statement: "{}"},
		assayv1.RequestService_RefuseRequest_FullMethodName: &assayv1.RefuseRequestRequest{Request: digest, Reasons: []string{"no"}},
		assayv1.QueryService_CreateQuery_FullMethodName:     &assayv1.CreateQueryRequest{Query: "{}", Model: "{}"},
		assayv1.QueryService_RefuseQuery_FullMethodName:     &assayv1.RefuseQueryRequest{Query: digest, Reasons: []string{"no"}},
		assayv1.SessionService_FetchItem_FullMethodName:     &assayv1.FetchItemRequest{Session: digest, Item: "input of owner", Size: 1},
		assayv1.ProofService_VerifyBundle_FullMethodName:    &assayv1.VerifyBundleRequest{Bundle: []byte{1}},
	}
}

// form is how a call looks in REST: verb, path with values in it, and body.
type form struct{ verb, path, body string }

var values = strings.NewReplacer("{request}", digest, "{query}", digest, "{session}", digest, "{fleet}", "north", "{owner}", "owner", "{grant}", "g-1", "{digest}", digest, "{epoch}", "7")

// forms are all that a method has.
func forms(m protoreflect.MethodDescriptor) []form {
	rule, ok := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return nil
	}
	var all []form
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		f := form{verb: "GET", path: values.Replace(r.GetGet())}
		if p := r.GetPost(); p != "" {
			f = form{verb: "POST", path: values.Replace(p), body: bodyOf(m, r.GetBody())}
		}
		all = append(all, f)
	}
	return all
}

func bodyOf(m protoreflect.MethodDescriptor, field string) string {
	message := valid(m).ProtoReflect()
	if field != "*" && field != "" {
		message = message.Get(message.Descriptor().Fields().ByName(protoreflect.Name(field))).Message()
	}
	return string(must(protojson.Marshal(message.Interface())))
}

func headerOf(md *metadata.MD) grpc.CallOption { return grpc.Header(md) }

var streamDesc = &grpc.StreamDesc{ServerStreams: true}

func tlsCredentials(c *tls.Config) credentials.TransportCredentials { return credentials.NewTLS(c) }

// smuggled are headers by which someone could try to be a peer, or another.
var smuggled = []string{
	"Grpc-Metadata-Authorization", "Grpc-Metadata-Peer", "Grpc-Metadata-X-Forwarded-For", "Grpcgateway-Authorization", "Grpc-Metadata-Grpcgateway-Authorization",
	"X-Forwarded-Client-Cert", "X-Forwarded-For", "X-Forwarded-User", "X-Remote-User", "X-Ssl-Client-Cert", "X-Ssl-Client-S-Dn", "X-Peer", "X-Organisation",
	"Grpc-Metadata-Organisation", "Forwarded", "Grpc-Metadata-Bin", "Grpc-Metadata-Principal-Bin", "Proxy-Authorization", "X-Authorization", "Authorization-",
}

func appendMetadata(ctx context.Context, pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}
