package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// transport is what a handler's context has of a server, for headers.
type transport struct{ method string }

func (t transport) Method() string             { return t.method }
func (transport) SetHeader(metadata.MD) error  { return nil }
func (transport) SendHeader(metadata.MD) error { return nil }
func (transport) SetTrailer(metadata.MD) error { return nil }

func benchGuard(b *testing.B, c *clock) (*Guard, *ecdsa.PrivateKey, ca) {
	b.Helper()
	key, s, n := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), &source{}, &nodes{}
	s.be(nil, jose.JSONWebKey{Key: key.Public(), KeyID: "a"})
	a := newCA(c, nil)
	n.be(nil, a.record())
	return must(New(Options{
		Organisation: ledger.Organisation{ID: "owner", Roles: []ledger.Role{ledger.RoleOwner}}, Issuers: []Issuer{{URL: "https://i.example", Keys: s.keys}},
		Nodes: n.list, Limits: Limits{Rate: 1e6, Burst: 1e6, Calls: 1e6}, Now: c.now,
	})), key, a
}

// callThrough is admission and interceptor around a handler that does nothing.
func callThrough(b *testing.B, g *Guard, ctx context.Context, md metadata.MD, method string, request proto.Message) {
	info := &grpc.UnaryServerInfo{FullMethod: method}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	ctx = grpc.NewContextWithServerTransportStream(ctx, transport{method})
	b.ReportAllocs()
	for b.Loop() {
		stream, end := context.WithCancel(ctx)
		in, err := g.admit(stream, &tap.Info{FullMethodName: method, Header: md})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := g.unary(in, request, info, handler); err != nil {
			b.Fatal(err)
		}
		end()
	}
}

func BenchmarkPerson(b *testing.B) {
	c := newClock()
	g, key, _ := benchGuard(b, c)
	md := metadata.Pairs(AuthorizationHeader, Bearer(signed(b, jose.ES256, key, "a", c, nil)))
	callThrough(b, g, b.Context(), md, assayv1.NodeService_GetStatus_FullMethodName, &assayv1.GetStatusRequest{})
}

func BenchmarkPersonWithMessage(b *testing.B) {
	c := newClock()
	g, key, _ := benchGuard(b, c)
	md := metadata.Pairs(AuthorizationHeader, Bearer(signed(b, jose.ES256, key, "a", c, nil)))
	callThrough(b, g, b.Context(), md, assayv1.RequestService_ListRequests_FullMethodName,
		&assayv1.ListRequestsRequest{Owner: "owner", Requester: "lender", Fleet: "north", PageSize: 50, PageToken: strings.Repeat("a", 64)})
}

func BenchmarkPeer(b *testing.B) {
	c := newClock()
	g, _, a := benchGuard(b, c)
	state := tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, PeerCertificates: a.leaf(c, time.Hour)}
	ctx := peer.NewContext(b.Context(), &peer.Peer{AuthInfo: credentials.TLSInfo{State: state}})
	callThrough(b, g, ctx, metadata.MD{}, assayv1.NodeService_GetStatus_FullMethodName, &assayv1.GetStatusRequest{})
}

// BenchmarkToken is a token that was not seen before.
func BenchmarkToken(b *testing.B) {
	c := newClock()
	g, key, _ := benchGuard(b, c)
	token := signed(b, jose.ES256, key, "a", c, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.tokens.check(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
