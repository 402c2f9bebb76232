package chaincode

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const packageID = "assay_1:abc"

// end is a certificate with its key, for one end of a connection.
type end struct{ certificate, key []byte }

func newEnd(t *testing.T) end {
	t.Helper()
	c, key := certificate(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.IsCA, c.BasicConstraintsValid = true, true // its own root
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return end{c, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})}
}

// serve runs a service until the test's end.
func serve(t *testing.T, cc shim.Chaincode, o Options) *Service {
	t.Helper()
	s, err := Listen(cc, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return s
}

// connect connects as a peer does and reads what the service registers as.
func connect(t *testing.T, s *Service, creds credentials.TransportCredentials) (peer.Chaincode_ConnectClient, error) {
	t.Helper()
	conn, err := grpc.NewClient(s.Address(), grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) //nolint:errcheck // the test is over
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	stream, err := peer.NewChaincodeClient(conn).Connect(ctx)
	if err != nil {
		return nil, err
	}
	m, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	var id peer.ChaincodeID
	if err := proto.Unmarshal(m.GetPayload(), &id); err != nil || m.GetType() != peer.ChaincodeMessage_REGISTER || id.GetName() != packageID {
		return nil, errors.New("the service did not register as its package")
	}
	return stream, nil
}

func TestOnlyThePeerConnects(t *testing.T) {
	w := newWorld(t)
	server, client, stranger := newEnd(t), newEnd(t), newEnd(t)
	s := serve(t, w, Options{PackageID: packageID, Address: "127.0.0.1:0",
		TLS: &TLS{Certificate: server.certificate, Key: server.key, ClientRoots: client.certificate}})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.certificate)
	with := func(e end) credentials.TransportCredentials {
		pair, err := tls.X509KeyPair(e.certificate, e.key)
		if err != nil {
			t.Fatal(err)
		}
		return credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	}
	if _, err := connect(t, s, with(client)); err != nil {
		t.Errorf("the peer: %v", err)
	}
	for name, creds := range map[string]credentials.TransportCredentials{
		"no certificate":        credentials.NewTLS(&tls.Config{RootCAs: roots}),
		"another CA's":          with(stranger),
		"the service's own":     with(server),
		"no TLS":                insecure.NewCredentials(),
		"an old version of TLS": credentials.NewTLS(&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}),
	} {
		if _, err := connect(t, s, creds); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	w := newWorld(t)
	e := newEnd(t)
	for name, test := range map[string]struct {
		o    Options
		want string
	}{
		"no id":           {Options{Address: "127.0.0.1:0"}, "package id"},
		"all addresses":   {Options{PackageID: "x", Address: "0.0.0.0:0"}, "must be a loopback address"},
		"no host":         {Options{PackageID: "x", Address: ":0"}, "must be a loopback address"},
		"a name":          {Options{PackageID: "x", Address: "localhost:0"}, "must be a loopback address"},
		"no port":         {Options{PackageID: "x", Address: "127.0.0.1"}, "missing port"},
		"no client roots": {Options{PackageID: "x", Address: "127.0.0.1:0", TLS: &TLS{Certificate: e.certificate, Key: e.key}}, "client roots"},
		"no key":          {Options{PackageID: "x", Address: "127.0.0.1:0", TLS: &TLS{Certificate: e.certificate, ClientRoots: e.certificate}}, "certificate and key"},
	} {
		if _, err := Listen(w, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// invoke sends a query as a peer does and returns the response.
func invoke(t *testing.T, stream peer.Chaincode_ConnectClient, w *world, txID string) *peer.Response {
	t.Helper()
	input := &peer.ChaincodeInput{Args: [][]byte{[]byte(ledger.QueryOrganisations), []byte(w.genesis.ID().String()), []byte("{}")}}
	message := &peer.ChaincodeMessage{
		Type: peer.ChaincodeMessage_TRANSACTION, Txid: txID, ChannelId: "assay", Payload: must(proto.Marshal(input)),
		Proposal: &peer.SignedProposal{ProposalBytes: must(proto.Marshal(&peer.Proposal{
			Header: must(proto.Marshal(&common.Header{
				ChannelHeader: must(proto.Marshal(&common.ChannelHeader{
					Type: int32(common.HeaderType_ENDORSER_TRANSACTION), TxId: txID, ChannelId: "assay", Timestamp: timestamppb.New(now),
				})),
				SignatureHeader: must(proto.Marshal(&common.SignatureHeader{Creator: creatorOf(t, "lender", clientCertificate(t, nil))})),
			})),
			Payload: must(proto.Marshal(&peer.ChaincodeProposalPayload{
				Input: must(proto.Marshal(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
					ChaincodeId: &peer.ChaincodeID{Name: "assay"}, Input: input,
				}})),
			})),
		}))},
	}
	if err := stream.Send(message); err != nil {
		t.Fatal(err)
	}
	m, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if m.GetType() != peer.ChaincodeMessage_COMPLETED {
		t.Fatalf("%s: %s", m.GetType(), m.GetPayload())
	}
	var r peer.Response
	if err := proto.Unmarshal(m.GetPayload(), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func ready(t *testing.T, stream peer.Chaincode_ConnectClient) {
	t.Helper()
	for _, kind := range []peer.ChaincodeMessage_Type{peer.ChaincodeMessage_REGISTERED, peer.ChaincodeMessage_READY} {
		if err := stream.Send(&peer.ChaincodeMessage{Type: kind}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQueryOverAConnection(t *testing.T) {
	w := newWorld(t)
	stream, err := connect(t, serve(t, w, Options{PackageID: packageID, Address: "127.0.0.1:0"}), insecure.NewCredentials())
	if err != nil {
		t.Fatal(err)
	}
	ready(t, stream)
	r := invoke(t, stream, w, strings.Repeat("cd", 32))
	if _, err := ledger.Decode[[]ledger.Organisation]("organisations", r.GetPayload(), 8<<10); err != nil || r.GetStatus() != shim.OK {
		t.Errorf("%d %s, %v", r.GetStatus(), r.GetMessage(), err)
	}
}

// waiting is a contract whose calls last until they are let go.
type waiting struct {
	shim.Chaincode
	begun, release chan struct{}
}

func (w *waiting) Invoke(shim.ChaincodeStubInterface) *peer.Response {
	w.begun <- struct{}{}
	<-w.release
	return shim.Success(nil)
}

func TestStoppingLetsCallsFinish(t *testing.T) {
	inner := &waiting{begun: make(chan struct{}), release: make(chan struct{})}
	c := &calls{Chaincode: inner}
	answers := make(chan *peer.Response)
	go func() { answers <- c.Invoke(nil) }()
	<-inner.begun
	drained := make(chan struct{})
	go func() { c.drain(); close(drained) }()
	deadline := time.Now().Add(10 * time.Second)
	for c.running.TryRLock() { // until drain has begun
		c.running.RUnlock()
		if time.Now().After(deadline) {
			t.Fatal("drain did not begin")
		}
	}
	if r := c.Invoke(nil); r.GetStatus() != shim.ERROR || !strings.Contains(r.GetMessage(), "stopping") {
		t.Errorf("a call that came late: %v", r)
	}
	select {
	case <-drained:
		t.Error("the service stopped while a call ran")
	default:
	}
	close(inner.release)
	if r := <-answers; r.GetStatus() != shim.OK {
		t.Errorf("the call that ran: %v", r)
	}
	<-drained
}
