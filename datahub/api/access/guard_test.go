package access

import (
	"context"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func newGuard(t testing.TB, change ...func(*Options)) *Guard {
	t.Helper()
	o := Options{Organisation: ledger.Organisation{ID: "owner", Roles: []ledger.Role{ledger.RoleOwner}}}
	for _, fn := range change {
		fn(&o)
	}
	return must(New(o))
}

// A server that was given the interceptors and not the rest refuses, rather than serving whom nobody looked at.
func TestInterceptorsAloneRefuse(t *testing.T) {
	g := newGuard(t)
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(g.unary), grpc.ChainStreamInterceptor(g.stream))
	healthv1.RegisterHealthServer(server, healthv1.UnimplementedHealthServer{})
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn := must(grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer conn.Close()
	_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if status.Code(err) != codes.Internal {
		t.Errorf("a call: %v", err)
	}
	stream := must(healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{}))
	if _, err := stream.Recv(); status.Code(err) != codes.Internal {
		t.Errorf("a stream: %v", err)
	}
}

// What was admitted as one method is not let through as another.
func TestAdmissionIsOfOneMethod(t *testing.T) {
	g := newGuard(t)
	ctx := must(g.admit(t.Context(), &tap.Info{FullMethodName: healthv1.Health_Check_FullMethodName, Header: metadata.MD{}}))
	if _, err := g.admitted(ctx, healthv1.Health_Check_FullMethodName); err != nil {
		t.Error(err)
	}
	if _, err := g.admitted(ctx, assayv1.NodeService_GetStatus_FullMethodName); status.Code(err) != codes.Internal {
		t.Errorf("as another: %v", err)
	}
	for _, ctx := range []context.Context{ctx, t.Context()} {
		if p, ok := From(ctx); ok {
			t.Errorf("a principal before a call was let through: %+v", p)
		}
	}
}

func TestCheck(t *testing.T) {
	g := newGuard(t)
	for name, c := range map[string]struct {
		services map[string]grpc.ServiceInfo
		want     string
	}{
		"good":            {map[string]grpc.ServiceInfo{"assay.v1.NodeService": {Methods: []grpc.MethodInfo{{Name: "GetStatus"}}}}, ""},
		"unknown":         {map[string]grpc.ServiceInfo{"assay.v1.NodeService": {Methods: []grpc.MethodInfo{{Name: "Destroy"}}}}, "no rule"},
		"another service": {map[string]grpc.ServiceInfo{"grpc.reflection.v1.ServerReflection": {Methods: []grpc.MethodInfo{{Name: "ServerReflectionInfo", IsClientStream: true, IsServerStream: true}}}}, "no rule"},
		"takes a stream":  {map[string]grpc.ServiceInfo{"assay.v1.NodeService": {Methods: []grpc.MethodInfo{{Name: "GetStatus", IsClientStream: true}}}}, "takes a stream"},
		"is a stream":     {map[string]grpc.ServiceInfo{"assay.v1.NodeService": {Methods: []grpc.MethodInfo{{Name: "GetStatus", IsServerStream: true}}}}, "stream"},
	} {
		err := g.Check(c.services)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestUnknownFieldsAreFoundAtAnyDepth(t *testing.T) {
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 12_345, protowire.VarintType), 1)
	in := func(m proto.Message) proto.Message { m.ProtoReflect().SetUnknown(unknown); return m }
	for name, c := range map[string]struct {
		message proto.Message
		want    string
	}{
		"none":      {&assayv1.CreateGrantRequest{Terms: &assayv1.GrantTerms{Id: "a"}}, ""},
		"at first":  {in(&assayv1.CreateGrantRequest{}), "12345"},
		"within":    {&assayv1.CreateGrantRequest{Terms: in(&assayv1.GrantTerms{}).(*assayv1.GrantTerms)}, "terms.12345"},
		"in a list": {&assayv1.ListFleetsResponse{Fleets: []*assayv1.Fleet{{}, in(&assayv1.Fleet{}).(*assayv1.Fleet)}}, "fleets.12345"},
	} {
		where, found := unknownField(c.message.ProtoReflect(), "")
		if found != (c.want != "") || where != c.want {
			t.Errorf("%s: got %q, want %q", name, where, c.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		md   metadata.MD
		want codes.Code
		id   string // "" is one of the node's own
	}{
		"none":        {metadata.MD{}, codes.OK, ""},
		"a key":       {metadata.Pairs(IdempotencyHeader, "a-Z.0_9:"), codes.OK, ""},
		"two keys":    {metadata.Pairs(IdempotencyHeader, "a", IdempotencyHeader, "a"), codes.InvalidArgument, ""},
		"an empty":    {metadata.Pairs(IdempotencyHeader, ""), codes.InvalidArgument, ""},
		"a space":     {metadata.Pairs(IdempotencyHeader, "a b"), codes.InvalidArgument, ""},
		"a long":      {metadata.Pairs(IdempotencyHeader, strings.Repeat("a", MaxHeader+1)), codes.InvalidArgument, ""},
		"a longest":   {metadata.Pairs(IdempotencyHeader, strings.Repeat("a", MaxHeader)), codes.OK, ""},
		"an id":       {metadata.Pairs(RequestIDHeader, "a-Z.0_9:"), codes.OK, "a-Z.0_9:"},
		"a bad id":    {metadata.Pairs(RequestIDHeader, "x\ny"), codes.InvalidArgument, ""},
		"a second id": {metadata.Pairs(RequestIDHeader, "x", RequestIDHeader, "y"), codes.InvalidArgument, ""},
	} {
		call := &call{}
		err := call.readHeaders(c.md)
		if status.Code(err) != c.want || err == nil && (call.id == "" || c.id != "" && call.id != c.id) {
			t.Errorf("%s: got %q, %v", name, call.id, err)
		}
	}
}

func TestRolesOfATokenAreKnownOnes(t *testing.T) {
	for _, r := range Roles() {
		if got, err := ParseRole(string(r)); err != nil || got != r {
			t.Errorf("%s: %v", r, err)
		}
	}
	if _, err := ParseRole("root"); err == nil {
		t.Error("an unknown role was taken")
	}
}

func TestPrincipalsAreNamedWithoutTheirTokens(t *testing.T) {
	for p, want := range map[*Principal]string{
		{Kind: Person, Subject: "ada", Organisation: "owner", TokenID: "secret"}: "person ada of owner",
		{Kind: Peer, Organisation: "lender"}:                                     "node of lender",
		{Kind: Anonymous}:                                                        "anonymous",
		{}:                                                                       "nobody",
	} {
		if p.String() != want {
			t.Errorf("got %q, want %q", p.String(), want)
		}
	}
	admin := Principal{Kind: Person, Roles: []Role{Administrator}}
	peer := Principal{Kind: Peer, Roles: []Role{Administrator}}
	if !admin.HasAny(Auditor) || peer.HasAny(Auditor) || (Principal{}).HasAny() {
		t.Error("roles")
	}
}

func TestLargestRequest(t *testing.T) {
	if LargestRequest() != proof {
		t.Errorf("%d", LargestRequest())
	}
}
