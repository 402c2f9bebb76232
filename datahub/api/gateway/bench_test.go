package gateway_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
)

func unlimited(o *access.Options, g *gateway.Options) {
	everything(o, g)
	o.Limits = access.Limits{Rate: 1e6, Burst: 1e6, Calls: 1e6}
	o.Log, g.Log = nil, nil
}

func BenchmarkGRPC(b *testing.B) {
	w := newWorld(b, unlimited)
	ctx, client := with(w.token(access.Viewer)), assayv1.NewNodeServiceClient(w.dial(nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.GetStatus(ctx, &assayv1.GetStatusRequest{}); err != nil {
			b.Fatal(err)
		}
	}
	w.services.take()
}

// BenchmarkGRPCUnguarded is the same without a guard, for comparison.
func BenchmarkGRPCUnguarded(b *testing.B) {
	w := newWorld(b, unlimited)
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{GetCertificate: must(w.authority.Server("127.0.0.1")), MinVersion: tls.VersionTLS13})))
	assayv1.RegisterNodeServiceServer(server, answering{})
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn := must(grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(tlsCredentials(&tls.Config{RootCAs: w.authority.Pool()}))))
	defer conn.Close()
	ctx, client := with(w.token(access.Viewer)), assayv1.NewNodeServiceClient(conn)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.GetStatus(ctx, &assayv1.GetStatusRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}

type answering struct {
	assayv1.UnimplementedNodeServiceServer
}

func (answering) GetStatus(context.Context, *assayv1.GetStatusRequest) (*assayv1.GetStatusResponse, error) {
	return &assayv1.GetStatusResponse{}, nil
}

func BenchmarkREST(b *testing.B) {
	w := newWorld(b, unlimited)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.authority.Pool()}}}
	request := must(http.NewRequest(http.MethodGet, w.url("/v1/status"), nil))
	request.Header.Set("Authorization", access.Bearer(w.token(access.Viewer)))
	b.ReportAllocs()
	for b.Loop() {
		response, err := client.Do(request)
		if err != nil || response.StatusCode != http.StatusOK {
			b.Fatal(response, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	client.CloseIdleConnections()
	w.services.take()
}
