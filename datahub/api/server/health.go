package server

import (
	"context"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// healthService answers grpc.health.v1: for the node as a whole, and under the names of its services. They serve if every part of the node is ready.
type healthService struct {
	healthv1.UnimplementedHealthServer
	*Server
}

// healthEvery is how often Watch looks.
const healthEvery = 5 * time.Second

var healthNames = map[string]bool{
	"": true, assayv1.FleetService_ServiceDesc.ServiceName: true, assayv1.PolicyService_ServiceDesc.ServiceName: true,
	assayv1.GrantService_ServiceDesc.ServiceName: true, assayv1.RequestService_ServiceDesc.ServiceName: true, assayv1.ProofService_ServiceDesc.ServiceName: true,
	assayv1.AuditService_ServiceDesc.ServiceName: true, assayv1.NodeService_ServiceDesc.ServiceName: true,
	assayv1.QueryService_ServiceDesc.ServiceName: true, assayv1.SessionService_ServiceDesc.ServiceName: true,
}

func (s *healthService) now(ctx context.Context) healthv1.HealthCheckResponse_ServingStatus {
	for _, p := range s.parts.of(ctx) {
		if !p.Ready {
			return healthv1.HealthCheckResponse_NOT_SERVING
		}
	}
	return healthv1.HealthCheckResponse_SERVING
}

// Check says whether the node serves.
func (s *healthService) Check(ctx context.Context, in *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	if !healthNames[in.GetService()] {
		return nil, notFound("unknown service")
	}
	return &healthv1.HealthCheckResponse{Status: s.now(ctx)}, nil
}

// List says so under every name.
func (s *healthService) List(ctx context.Context, _ *healthv1.HealthListRequest) (*healthv1.HealthListResponse, error) {
	m, status := &healthv1.HealthListResponse{Statuses: map[string]*healthv1.HealthCheckResponse{}}, s.now(ctx)
	for name := range healthNames {
		m.Statuses[name] = &healthv1.HealthCheckResponse{Status: status}
	}
	return m, nil
}

// Watch says so whenever it changes.
func (s *healthService) Watch(in *healthv1.HealthCheckRequest, out grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	ctx := out.Context()
	every := time.NewTicker(healthEvery)
	defer every.Stop()
	last := healthv1.HealthCheckResponse_UNKNOWN
	for {
		now := healthv1.HealthCheckResponse_SERVICE_UNKNOWN
		if healthNames[in.GetService()] {
			now = s.now(ctx)
		}
		if now != last {
			if err := out.Send(&healthv1.HealthCheckResponse{Status: now}); err != nil {
				return gone(err)
			}
			last = now
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
	}
}
