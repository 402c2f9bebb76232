package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// Options say which node to call, and as whom. There is either a token or a client certificate.
type Options struct {
	// Address is the node's gRPC address, host:port.
	Address string
	// Roots sign the node's certificate; nil are those of the system. ServerName is the name that it must be for; empty is Address' host.
	Roots      *x509.CertPool
	ServerName string
	// Token gives the token of a person or program.
	Token TokenSource
	// Certificate gives the certificate of a node.
	Certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)
	// TLS, if set, takes the place of Roots, ServerName and Certificate: another organisation's node, as the ledger knows it.
	TLS *tls.Config
	// Deadline is for calls whose context has none; 0 is 30 seconds. Streams have none.
	Deadline time.Duration
	// MaxMessage bounds an answer in bytes; 0 is 8 MiB. Compressed answers are not taken, whatever their length.
	MaxMessage int
}

const (
	defaultDeadline = 30 * time.Second
	// maxMessage bounds an answer: pages and chunks are far smaller.
	maxMessage = 8 << 20
	// maxHeaders bounds an answer's headers, in which an error comes.
	maxHeaders = 256 << 10
	// serviceConfig is for every method, streams up to their first message.
	serviceConfig = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.2s", "maxBackoff": "3s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]}}], "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.2}}`
)

// Client calls one node. It is safe for concurrent use.
type Client struct {
	Fleets   assayv1.FleetServiceClient
	Policies assayv1.PolicyServiceClient
	Grants   assayv1.GrantServiceClient
	Requests assayv1.RequestServiceClient
	Proofs   assayv1.ProofServiceClient
	Audit    assayv1.AuditServiceClient
	Node     assayv1.NodeServiceClient
	Queries  assayv1.QueryServiceClient
	Sessions assayv1.SessionServiceClient

	conn *grpc.ClientConn
}

// Dial makes a client. It connects with the first call, and again whenever the connection breaks.
func Dial(o Options) (*Client, error) {
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	if o.Deadline == 0 {
		o.Deadline = defaultDeadline
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = maxMessage
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithDefaultServiceConfig(serviceConfig), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(o.MaxMessage)),
		grpc.WithMaxHeaderListSize(maxHeaders),
		//lint:ignore SA1019 nothing else comes before the compressors that are registered for the whole program
		grpc.WithDecompressor(notPlain{}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithUnaryInterceptor(unary(o.Deadline)),
	}
	if o.Token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{o.Token}))
	}
	// The resolver is for names that DNS knows, and takes addresses as they are.
	conn, err := grpc.NewClient("dns:///"+o.Address, options...)
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", o.Address, err)
	}
	return &Client{
		Fleets: assayv1.NewFleetServiceClient(conn), Policies: assayv1.NewPolicyServiceClient(conn), Grants: assayv1.NewGrantServiceClient(conn),
		Requests: assayv1.NewRequestServiceClient(conn), Proofs: assayv1.NewProofServiceClient(conn), Audit: assayv1.NewAuditServiceClient(conn),
		Node: assayv1.NewNodeServiceClient(conn), Queries: assayv1.NewQueryServiceClient(conn), Sessions: assayv1.NewSessionServiceClient(conn), conn: conn,
	}, nil
}

// notPlain refuses answers that are compressed: a node sends none, and a small one may be of any length.
type notPlain struct{}

var errNotPlain = errors.New("the answer is compressed")

func (notPlain) Do(io.Reader) ([]byte, error) { return nil, errNotPlain }
func (notPlain) Type() string                 { return "gzip" }

// Close ends the client's calls.
func (c *Client) Close() error { return c.conn.Close() }

func (o *Options) tls() (*tls.Config, error) {
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	certificate := o.Certificate != nil || o.TLS != nil
	if certificate == (o.Token != nil) {
		return nil, errors.New("calling a node: there must be either a token or a certificate")
	}
	if o.TLS == nil {
		return &tls.Config{RootCAs: o.Roots, ServerName: o.ServerName, GetClientCertificate: o.Certificate, MinVersion: tls.VersionTLS13}, nil
	}
	config := o.TLS.Clone()
	config.MinVersion = tls.VersionTLS13
	return config, nil
}

// keyHeader is the metadata of an idempotency key.
const keyHeader = "idempotency-key"

type keyInContext struct{}

// WithKey gives the calls of a context an idempotency key: 1 to 128 letters, digits or -._:. It is for one call, which may be repeated.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyInContext{}, key)
}

// unary gives a call a deadline and, if it changes the ledger, a key.
func unary(deadline time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, deadline)
			defer cancel()
		}
		if assayv1.Changes(method) {
			key, ok := ctx.Value(keyInContext{}).(string)
			if !ok {
				key = NewKey()
			}
			ctx = metadata.AppendToOutgoingContext(ctx, keyHeader, key)
		}
		return invoke(ctx, method, request, answer, conn, options...)
	}
}
