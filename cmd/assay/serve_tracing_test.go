package main

import (
	"context"
	"net"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/assay-net/assay/datahub/node"
)

// spans is a collector that keeps the names of spans.
type spans struct {
	collector.UnimplementedTraceServiceServer
	names chan string
}

func (s spans) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.names <- span.GetName()
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func TestSpansReachACollector(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := spans{names: make(chan string, 8)}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, s)
	go server.Serve(listener) //nolint:errcheck // it is stopped below
	defer server.Stop()
	provider, flush, err := newTracing(t.Context(), node.Tracing{Endpoint: listener.Addr().String(), Insecure: true, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, span := provider.Tracer("test").Start(t.Context(), "close epoch")
	span.End()
	flush()
	select {
	case name := <-s.names:
		if name != "close epoch" {
			t.Errorf("the collector got %q", name)
		}
	case <-time.After(10 * time.Second):
		t.Error("the collector got nothing")
	}
}
