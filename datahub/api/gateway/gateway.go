package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"

	"github.com/assay-net/assay/datahub/api/access"
)

// Options say where to listen, and what is served.
type Options struct {
	// Listen is the address of REST and the page, GRPC that of gRPC, as host:port. A port of 0 is one that is free. Without Listen there is no REST.
	Listen, GRPC string
	// Certificate gives the node's certificate, for every handshake.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Guard decides every call.
	Guard *access.Guard
	// Register puts the services on a server. It is called for two servers: that of the network, and that behind REST.
	Register func(grpc.ServiceRegistrar)
	// Issuer answers below IssuerPath, if the node has an issuer of its own. It is for anyone.
	Issuer     http.Handler
	IssuerPath string
	// Bounds are those of connections and time.
	Bounds Bounds
	// Log takes what went wrong; nil is nowhere.
	Log *slog.Logger
}

// Gateway is the two listeners. Close or Serve ends them.
type Gateway struct {
	bounds        Bounds
	rest, network net.Listener
	inside        *memory
	public        *grpc.Server // on the network
	private       *grpc.Server // behind REST
	toPrivate     *grpc.ClientConn
	http          *http.Server
}

// New listens, and serves nothing until Serve.
func New(o Options) (*Gateway, error) {
	if o.Guard == nil || o.Register == nil || o.Certificate == nil {
		return nil, errors.New("gateway: guard, register and certificate are required")
	}
	if err := o.Bounds.complete(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{bounds: o.Bounds, inside: newMemory()}
	if err := g.servers(&o); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	if err := g.listen(&o); err != nil {
		_ = g.toPrivate.Close()
		return nil, fmt.Errorf("gateway: %w", err)
	}
	return g, nil
}

func (g *Gateway) servers(o *Options) error {
	g.public = grpc.NewServer(append(o.Guard.ServerOptions(), g.bounds.network(o.Certificate)...)...)
	g.private = grpc.NewServer(append(o.Guard.ServerOptions(), grpc.MaxHeaderListSize(maxHeaders), grpc.Creds(insecure.NewCredentials()))...)
	for _, s := range []*grpc.Server{g.public, g.private} {
		o.Register(o.Guard.Registrar(s))
		if err := o.Guard.Check(s.GetServiceInfo()); err != nil {
			return err
		}
	}
	var err error
	g.toPrivate, err = grpc.NewClient("passthrough:memory", grpc.WithContextDialer(g.inside.dial), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig())
	if err != nil {
		return err
	}
	handler, err := newFront(o, g.toPrivate)
	if err != nil {
		return err
	}
	g.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: g.bounds.Headers, IdleTimeout: g.bounds.Idle, MaxHeaderBytes: maxHeaders,
		// Handshakes of strangers fail all day long.
		ErrorLog: log.New(quiet{o.Log}, "", 0),
		// One protocol, whose every connection carries one request at a time.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		// OPTIONS * comes to the front as everything does.
		DisableGeneralOptionsHandler: true,
		// The guard knows who sent a request as it does by gRPC.
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return peer.NewContext(ctx, &peer.Peer{Addr: c.RemoteAddr()})
		},
	}
	return nil
}

func (g *Gateway) listen(o *Options) error {
	network, err := net.Listen("tcp", o.GRPC)
	if err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	g.network = newBounded(network, g.bounds.Connections, g.bounds.PerHost)
	if o.Listen == "" {
		return nil
	}
	rest, err := net.Listen("tcp", o.Listen)
	if err != nil {
		_ = network.Close() // nobody was served
		return fmt.Errorf("listen: %w", err)
	}
	config := &tls.Config{GetCertificate: o.Certificate, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	g.rest = tls.NewListener(newBounded(rest, g.bounds.Connections, g.bounds.PerHost), config)
	return nil
}

// network are the options of the server on the network.
func (b *Bounds) network(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) []grpc.ServerOption {
	return []grpc.ServerOption{
		// A peer's certificate is asked for, and verified with every call: the CAs on the ledger change while connections last.
		grpc.Creds(credentials.NewTLS(&tls.Config{
			GetCertificate: certificate, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
			VerifyConnection: modest,
		})),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(4 * window),
		grpc.ConnectionTimeout(b.Headers),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: b.Idle, MaxConnectionAge: b.Age, MaxConnectionAgeGrace: b.Age, Time: b.Idle / 2, Timeout: b.Headers,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}),
	}
}

// modest refuses a client who shows more certificates than a peer's chain has: they are kept for as long as the connection is.
func modest(s tls.ConnectionState) error {
	size := 0
	for _, c := range s.PeerCertificates {
		size += len(c.Raw)
	}
	if len(s.PeerCertificates) > access.MaxChain || size > maxCertificates {
		return fmt.Errorf("the client shows %d certificates of %d bytes, at most %d of %d", len(s.PeerCertificates), size, access.MaxChain, maxCertificates)
	}
	return nil
}

// REST is the address that REST listens on, nil if it does not.
func (g *Gateway) REST() net.Addr {
	if g.rest == nil {
		return nil
	}
	return g.rest.Addr()
}

// GRPC is the address that gRPC listens on.
func (g *Gateway) GRPC() net.Addr { return g.network.Addr() }

// Serve serves until the context ends, then lets what is under way end for a few seconds. It may be called once.
func (g *Gateway) Serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serving("grpc", g.public.Serve(g.network), grpc.ErrServerStopped) })
	group.Go(func() error {
		return serving("the server behind rest", g.private.Serve(g.inside), grpc.ErrServerStopped)
	})
	if g.rest != nil {
		group.Go(func() error { return serving("rest", g.http.Serve(g.rest), http.ErrServerClosed) })
	}
	group.Go(func() error {
		<-ctx.Done()
		g.stop()
		return nil
	})
	return group.Wait()
}

func serving(what string, err, usual error) error {
	if err == nil || errors.Is(err, usual) {
		return nil
	}
	return fmt.Errorf("gateway: %s: %w", what, err)
}

func (g *Gateway) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), g.bounds.Stop)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		g.public.GracefulStop()
	}()
	if err := g.http.Shutdown(ctx); err != nil {
		_ = g.http.Close() // what is under way does not end
	}
	select {
	case <-stopped:
	case <-ctx.Done():
		g.public.Stop()
	}
	_ = g.toPrivate.Close() // its calls are over
	g.private.Stop()
}

// Close ends a gateway that was never served.
func (g *Gateway) Close() {
	g.public.Stop()
	g.private.Stop()
	_ = g.toPrivate.Close() // there was no call
	_ = g.http.Close()
	if g.rest != nil {
		_ = g.rest.Close()
	}
	_ = g.network.Close()
}

// quiet logs what the HTTP server has to say.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(p []byte) (int, error) {
	q.log.Debug("rest", "message", string(p))
	return len(p), nil
}
