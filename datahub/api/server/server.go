package server

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Options are what a node gives its interface.
type Options struct {
	// Book is the organisation's access to the ledger.
	Book ledger.Book
	// Organisation is whose node it is, one of Genesis.
	Organisation string
	Genesis      *ledger.Genesis
	// Caller says who makes the call of a context, and false if nobody knows: [Guarded], behind the guard of package access. A call of nobody's is refused, and so is
	// every call if there is no Caller, but for those of grpc.health.v1.
	Caller func(context.Context) (Caller, bool)
	// Progress tells of proofs that this node is making. Nil on nodes that make none.
	Progress ProgressSource
	// Evidence makes files of evidence. Without it, GetEvidence is UNIMPLEMENTED.
	Evidence EvidenceSource
	// Queries is the node's part in queries on encrypted data. Nil on nodes that take none: they ask nothing, have no result and give no item.
	Queries Queries
	// Parts says how the node's parts are. It is asked every two seconds at most, whoever asks for the node's health. Nil: there are none to tell of.
	Parts func(context.Context) []Part
	// Logger is told of what goes wrong beneath; nil discards it.
	Logger *slog.Logger
	// Clock is time.Now if nil.
	Clock func() time.Time
}

// Caller is who makes a call.
type Caller struct {
	// Name tells callers apart: an idempotency key is its caller's own.
	Name string
	// Peer is the organisation whose node calls, empty for the organisation's own people and programs.
	Peer string
	// Administrator may read what the parts of the node say of themselves: where they are, and as whom the node calls them.
	Administrator bool
}

// own reports whether it is one of the organisation's people and programs.
func (c Caller) own() bool { return c.Peer == "" && c.Name != "" }

// Guarded is the caller that a guard let through, if they showed who they are.
func Guarded(ctx context.Context) (Caller, bool) {
	p, ok := access.From(ctx)
	switch {
	case ok && p.Kind == access.Peer && p.Organisation != "":
		return Caller{Name: p.Organisation, Peer: p.Organisation}, true
	case ok && p.Kind == access.Person:
		return Caller{Name: p.Issuer + "\x00" + p.Subject, Administrator: p.HasAny(access.Administrator)}, true
	}
	return Caller{}, false
}

// errNobody is a call that came past whoever says who calls.
var errNobody = refuse(codes.Unauthenticated, access.ReasonUnauthenticated, "it is not known who calls")

// caller is who makes a call. One who is not named is nobody, whatever else is said of them.
func (s *Server) caller(ctx context.Context) (Caller, error) {
	if s.Caller == nil {
		return Caller{}, errNobody
	}
	c, ok := s.Caller(ctx)
	if !ok || c.Name == "" {
		return Caller{}, errNobody
	}
	return c, nil
}

// ProgressSource tells how far proofs have come.
type ProgressSource interface {
	// Watch gives the progress of a request until stop is called. The source drops what is not received; it may close the channel when there is nothing more.
	Watch(request commit.Digest) (updates <-chan Progress, stop func())
}

// Progress is how far a proof has come.
type Progress struct {
	Stage       string
	Done, Total int
}

// EvidenceSource makes the evidence of a request: one file, at most MaxEvidence bytes.
type EvidenceSource interface {
	Evidence(ctx context.Context, request commit.Digest) ([]byte, error)
}

// MaxEvidence bounds a file of evidence.
const MaxEvidence = 256 << 20

// Part is a part of the node.
type Part struct {
	Name   string
	Ready  bool
	Detail string
}

// Server answers the calls of assay.v1.
type Server struct {
	Options
	keys    *keyTable
	changes *changes
	rings   keyrings
	parts   *partsCache
	// loads bounds how many bundles and files of evidence are being made at once, checks how many bundles are being verified, items how many items of sessions are being read.
	loads, checks, items *semaphore.Weighted
}

const (
	loadsAtOnce  = 4
	checksAtOnce = 2
	itemsAtOnce  = 16
)

// New makes a server. It does nothing until a call comes.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Server{
		Options: o, keys: newKeyTable(o.Clock), changes: newChanges(o.Book, o.Logger), parts: newPartsCache(o.Parts, o.Clock),
		loads: semaphore.NewWeighted(loadsAtOnce), checks: semaphore.NewWeighted(checksAtOnce),
		items: semaphore.NewWeighted(itemsAtOnce),
	}
}

// Register registers the services of assay.v1, and grpc.health.v1. Their handlers get valid messages alone and return nothing but statuses.
func (s *Server) Register(to grpc.ServiceRegistrar) {
	r := registrar{to: to, server: s}
	assayv1.RegisterFleetServiceServer(r, &fleetService{Server: s})
	assayv1.RegisterPolicyServiceServer(r, &policyService{Server: s})
	assayv1.RegisterGrantServiceServer(r, &grantService{Server: s})
	assayv1.RegisterRequestServiceServer(r, &requestService{Server: s})
	assayv1.RegisterProofServiceServer(r, &proofService{Server: s})
	assayv1.RegisterAuditServiceServer(r, &auditService{Server: s})
	assayv1.RegisterNodeServiceServer(r, &nodeService{Server: s})
	assayv1.RegisterQueryServiceServer(r, &queryService{Server: s})
	assayv1.RegisterSessionServiceServer(r, &sessionService{Server: s})
	healthv1.RegisterHealthServer(registrar{to: to, server: s, anybody: true}, &healthService{Server: s})
}
