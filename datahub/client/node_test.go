package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	fleetID  = "fleet-a"
	patience = 2 * time.Minute
	question = `{"fleet": "fleet-a", "epoch": 11, "schema": "battery/v1", "cohort": [], "claims": [], "disclose": ["count"], "minimum_coverage": "50", "grant": "whatever-it-is", "purpose": "a loan"}`
)

// node is the lender's, on TLS, in front of an embedded ledger. What it is asked passes through here.
type node struct {
	t       *testing.T
	ledger  *embedded.Ledger
	address string
	roots   *x509.CertPool

	mu     sync.Mutex
	tokens []string
	keys   []string
	// fail is how many calls are to fail before they are carried out, lose how many answers are to be lost; cut ends streams after a message.
	fail, lose, cut atomic.Int32
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newNode(t *testing.T) *node {
	t.Helper()
	g := contracttest.Genesis()
	clock := g.EpochStart(12).Add(time.Hour)
	l := must(embedded.Create(t.TempDir(), g, embedded.Options{Clock: func() time.Time { return clock }}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	n := &node{t: t, ledger: l}
	must(n.book(contracttest.Operator).RegisterFleet(t.Context(), ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))(t)
	granted(t, n.book(contracttest.Operator))
	certificate := n.certify()
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})),
		grpc.UnaryInterceptor(n.unary), grpc.StreamInterceptor(n.stream))
	server.New(server.Options{Book: n.book(contracttest.Lender), Organisation: contracttest.Lender, Genesis: l.Genesis(), Clock: func() time.Time { return clock },
		Caller: func(context.Context) (server.Caller, bool) { return server.Caller{Name: "ada"}, true }}).Register(s)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	n.address = listener.Addr().String()
	go s.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(s.Stop)
	return n
}

// granted grants the lender everything.
func granted(t *testing.T, owner ledger.Book) {
	t.Helper()
	if _, _, err := owner.PublishPolicy(t.Context(), contracttest.PermissivePolicy()); err != nil {
		t.Fatal(err)
	}
	must(owner.Grant(t.Context(), contracttest.Terms(fleetID)))(t)
}

func (n *node) book(org string) ledger.Book {
	n.t.Helper()
	return must(n.ledger.Book(org))(n.t)
}

// certify makes the node's certificate, which the node's roots sign.
func (n *node) certify() tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(n.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))(n.t)
	n.roots = x509.NewCertPool()
	n.roots.AddCert(must(x509.ParseCertificate(der))(n.t))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (n *node) note(ctx context.Context) {
	md, _ := metadata.FromIncomingContext(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tokens = append(n.tokens, md.Get("authorization")...)
	n.keys = append(n.keys, md.Get("idempotency-key")...)
}

var errGone = status.Error(codes.Unavailable, "gone")

func (n *node) unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	n.note(ctx)
	if n.fail.Add(-1) >= 0 {
		return nil, errGone
	}
	answer, err := next(ctx, request)
	if n.lose.Add(-1) >= 0 {
		return nil, errGone
	}
	return answer, err
}

// cutStream ends after its first message.
type cutStream struct {
	grpc.ServerStream
	sent int
}

func (s *cutStream) SendMsg(m any) error {
	if s.sent++; s.sent > 1 {
		return errGone
	}
	return s.ServerStream.SendMsg(m)
}

func (n *node) stream(service any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	n.note(s.Context())
	if n.cut.Add(-1) >= 0 {
		s = &cutStream{ServerStream: s}
	}
	return next(service, s)
}

func (n *node) dial(change func(*client.Options)) *client.Client {
	n.t.Helper()
	o := client.Options{Address: n.address, Roots: n.roots, Token: client.Token("a.b.c")}
	if change != nil {
		change(&o)
	}
	c := must(client.Dial(o))(n.t)
	n.t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
	return c
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
