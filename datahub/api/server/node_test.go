package server_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

func TestStatusOfANode(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	n := w.node(operator, func(o *server.Options) {
		o.Parts = func(context.Context) []server.Part {
			return []server.Part{{Name: "broker", Ready: true, Detail: "3 devices"}}
		}
	})
	s := must(n.status().GetStatus(w.call(), &assayv1.GetStatusRequest{}))(t)
	g := contracttest.Genesis()
	if s.GetOrganisation() != operator || s.GetRoles()[0] != "owner" || s.GetLedger() != w.ledger.ID().String() || !s.GetReachable() || s.GetHeight() == 0 ||
		s.GetEpoch() != 12 || s.GetEpochStart().AsTime() != g.EpochStart(12) || len(s.GetParts()) != 1 || s.GetParts()[0].GetDetail() != "3 devices" {
		t.Errorf("status is %v", s)
	}
	if s := must(n.status().GetStatus(w.call(peerHeader, lender), &assayv1.GetStatusRequest{}))(t); len(s.GetParts()) != 0 {
		t.Errorf("another organisation's node is told of the parts: %v", s)
	}
	defer n.book.outage()()
	if s := must(n.status().GetStatus(w.call(), &assayv1.GetStatusRequest{}))(t); s.GetReachable() || s.GetOrganisation() != operator || s.GetHeight() != 0 {
		t.Errorf("without a ledger, status is %v", s)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	var down atomic.Bool
	n := w.node(operator, func(o *server.Options) {
		o.Parts = func(context.Context) []server.Part { return []server.Part{{Name: "broker", Ready: !down.Load()}} }
	})
	health := healthv1.NewHealthClient(n)
	check := func(service string) healthv1.HealthCheckResponse_ServingStatus {
		t.Helper()
		return must(health.Check(w.call(), &healthv1.HealthCheckRequest{Service: service}))(t).GetStatus()
	}
	if check("") != healthv1.HealthCheckResponse_SERVING || check("assay.v1.RequestService") != healthv1.HealthCheckResponse_SERVING {
		t.Error("does not serve")
	}
	stream := must(health.Watch(w.call(), &healthv1.HealthCheckRequest{}))(t)
	if m := must(stream.Recv())(t); m.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("watched is %v", m)
	}
	down.Store(true)
	w.clock.Add(2)
	if check("") != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Error("serves with a part that is down")
	}
	if all := must(health.List(w.call(), &healthv1.HealthListRequest{}))(t).GetStatuses(); len(all) != 10 || all[""].GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("listed are %v", all)
	}
	_, err := health.Check(w.call(), &healthv1.HealthCheckRequest{Service: "assay.v1.Nothing"})
	refused(t, err, codes.NotFound, "", "unknown")
}

// Whoever asks for the node's health, and how often, its parts are looked at once in a while.
func TestPartsAreLookedAtOnce(t *testing.T) {
	w := newWorld(t)
	var looks atomic.Int64
	n := w.node(operator, func(o *server.Options) {
		o.Parts = func(context.Context) []server.Part { looks.Add(1); return []server.Part{{Name: "broker", Ready: true}} }
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := healthv1.NewHealthClient(n).Check(w.call(), &healthv1.HealthCheckRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if looks.Load() != 1 {
		t.Errorf("%d looks", looks.Load())
	}
}

// What a part that is down says of itself holds names of hosts and users, so it is for administrators.
func TestDetailsOfPartsAreForAdministrators(t *testing.T) {
	w := newWorld(t)
	for _, administrator := range []bool{false, true} {
		n := w.node(operator, func(o *server.Options) {
			o.Parts = func(context.Context) []server.Part {
				return []server.Part{{Name: "store", Detail: "dial tcp 10.1.2.3"}}
			}
			o.Caller = func(context.Context) (server.Caller, bool) {
				return server.Caller{Name: "ada", Administrator: administrator}, true
			}
		})
		s := must(n.status().GetStatus(w.call(), &assayv1.GetStatusRequest{}))(t)
		if got := s.GetParts()[0].GetDetail() == "dial tcp 10.1.2.3"; got != administrator || s.GetParts()[0].GetReady() {
			t.Errorf("administrator %t is told %q", administrator, s.GetParts()[0].GetDetail())
		}
	}
}

// A call of which nobody says who makes it is nobody's, not the organisation's own.
func TestCallsOfNobodyAreRefused(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	id := w.asked(1).String()
	for name, caller := range map[string]func(context.Context) (server.Caller, bool){
		"no source":     nil,
		"not known":     func(context.Context) (server.Caller, bool) { return server.Caller{Name: "ada"}, false },
		"without name":  func(context.Context) (server.Caller, bool) { return server.Caller{}, true },
		"behind no one": server.Guarded,
	} {
		n := w.node(operator, func(o *server.Options) { o.Caller = caller })
		_, err := n.requests().GetRequest(w.call(), &assayv1.GetRequestRequest{Request: id})
		refused(t, err, codes.Unauthenticated, "unauthenticated", "who calls")
		_, err = n.status().GetStatus(w.call(), &assayv1.GetStatusRequest{})
		refused(t, err, codes.Unauthenticated, "unauthenticated", "who calls")
		_, err = n.fleets().ListFleets(w.call(), &assayv1.ListFleetsRequest{})
		refused(t, err, codes.Unauthenticated, "unauthenticated", "who calls")
		_, err = must(n.requests().WatchRequest(w.call(), &assayv1.WatchRequestRequest{Request: id}))(t).Recv()
		refused(t, err, codes.Unauthenticated, "unauthenticated", "who calls")
		if _, err := healthv1.NewHealthClient(n).Check(w.call(), &healthv1.HealthCheckRequest{}); err != nil {
			t.Errorf("%s: health: %v", name, err)
		}
	}
}
