package chaincode

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxGRPCMessage is what peers send and take.
	maxGRPCMessage = 100 << 20
	// maxStreams bounds the calls of one connection. A peer has one stream, on which all its calls come.
	maxStreams = 16
	// drainTime is how long calls that are running have when the service stops.
	drainTime = 5 * time.Second
)

// Options say where a service listens and to whom.
type Options struct {
	// PackageID is the id of the chaincode package, by which peers know the service.
	PackageID string
	// Address is host:port; port 0 chooses a free one.
	Address string
	// TLS may be nil on a loopback address, for a machine that is all one's own.
	TLS *TLS
}

// TLS is a service's side of the connection, in PEM.
type TLS struct {
	Certificate, Key []byte
	// ClientRoots issue the client certificates of peers. Whoever has one is believed to be this organisation's peer.
	ClientRoots []byte
}

// Service serves one organisation's contract to its peers.
type Service struct {
	listener net.Listener
	server   *grpc.Server
	calls    *calls
}

// Listen opens the address. Calls wait until Serve.
func Listen(cc shim.Chaincode, o Options) (*Service, error) {
	if o.PackageID == "" {
		return nil, errors.New("contract service: package id is missing")
	}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxGRPCMessage), grpc.MaxSendMsgSize(maxGRPCMessage), grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(5 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute, PermitWithoutStream: true}),
	}
	if o.TLS != nil {
		config, err := o.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("contract service: %w", err)
		}
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	} else if err := requireLoopback(o.Address); err != nil {
		return nil, fmt.Errorf("contract service: %w", err)
	}
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("contract service: %w", err)
	}
	s := &Service{listener: listener, server: grpc.NewServer(options...), calls: &calls{Chaincode: cc}}
	peer.RegisterChaincodeServer(s.server, &shim.ChaincodeServer{CCID: o.PackageID, CC: s.calls})
	return s, nil
}

// Address is where the service listens.
func (s *Service) Address() string { return s.listener.Addr().String() }

// Serve answers calls until the context ends. Calls that are running then may finish, those that come are refused.
func (s *Service) Serve(ctx context.Context) error {
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		s.calls.drain()
		s.server.Stop()
	})
	err := s.server.Serve(s.listener)
	if !stop() {
		<-stopped
		return nil
	}
	return fmt.Errorf("contract service: %w", err)
}

// requireLoopback takes nothing but a literal address: what a name stands for changes.
func requireLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("address %s: without TLS it must be a loopback address such as 127.0.0.1", address)
	}
	return nil
}

func (t *TLS) config() (*tls.Config, error) {
	pair, err := tls.X509KeyPair(t.Certificate, t.Key)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate and key: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(t.ClientRoots) {
		return nil, errors.New("TLS client roots: no certificate in PEM")
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
	}, nil
}

// calls lets the calls that run finish before the service stops.
type calls struct {
	shim.Chaincode
	running sync.RWMutex // read by each call
}

// Invoke refuses calls once drain has begun.
func (c *calls) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	if !c.running.TryRLock() {
		return shim.Error("the contract's service is stopping")
	}
	defer c.running.RUnlock()
	return c.Chaincode.Invoke(stub)
}

func (c *calls) drain() {
	done := make(chan struct{})
	go func() {
		c.running.Lock() // never unlocked
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainTime):
	}
}
