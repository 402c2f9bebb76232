package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/profile"
)

// MaxMessage bounds a message from or to a peer. A block is one.
const MaxMessage = 100 << 20

// Dial prepares a TLS connection to a peer. It is made when it is needed, and made anew when it breaks.
func Dial(e profile.Endpoint) (*grpc.ClientConn, error) {
	roots, err := durable.ReadFile(e.TLSRoots, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("reading TLS roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		return nil, fmt.Errorf("reading TLS roots %s: no certificate in it", e.TLSRoots)
	}
	conn, err := grpc.NewClient(e.Address,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: e.ServerName, MinVersion: tls.VersionTLS12})),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		// A peer takes pings at most once a minute and breaks the connection otherwise.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 2 * time.Minute, Timeout: 20 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connecting to peer %s: %w", e.Address, err)
	}
	return conn, nil
}

// reach waits until the peer's gateway service answers. What it is asked is nothing, which it says is invalid.
func reach(ctx context.Context, conn *grpc.ClientConn, address string) error {
	pause := pause{}
	for {
		_, err := fabric.NewGatewayClient(conn).Evaluate(ctx, &fabric.EvaluateRequest{})
		switch status.Code(err) {
		case codes.InvalidArgument:
			return nil
		case codes.Unavailable:
			if pause.wait(ctx) == nil {
				continue
			}
		}
		return fmt.Errorf("connecting to peer %s: %w", address, err)
	}
}
