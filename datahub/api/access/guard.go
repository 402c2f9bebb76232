package access

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Options say whose node it is, and whom it believes.
type Options struct {
	// Organisation is the node's own, with its roles.
	Organisation ledger.Organisation
	// Audience is what tokens must be for; empty is Audience(Organisation.ID).
	Audience string
	// Issuers are those whose tokens are accepted, at most MaxIssuers. Without any, no person may call.
	Issuers []Issuer
	// Nodes reads the ledger's record of nodes and their CAs. If it is nil, no peer may call.
	Nodes func(context.Context) ([]ledger.NodeRecord, error)
	// Party says whether an organisation asked a request or answers it. If it is nil, no peer may call what needs it.
	Party func(ctx context.Context, request commit.Digest, organisation string) (bool, error)
	// Limits are per principal, or per host.
	Limits Limits
	// Observe is called at the end of every call; it may be nil.
	Observe func(Observation)
	// Log takes what went wrong; nil is nowhere.
	Log *slog.Logger
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Observation is a call that ended.
type Observation struct {
	// Method is the full name, always one of the table's, or "" if the call was of none.
	Method    string
	Principal Principal
	Code      codes.Code
	Duration  time.Duration
}

// Guard decides who may call what. It is safe for concurrent use.
type Guard struct {
	own      ledger.Organisation
	tokens   *tokens
	peers    *peers
	attempts *attempts
	party    func(context.Context, commit.Digest, string) (bool, error)
	limits   Limits
	shares   *shares
	observe  func(Observation)
	log      *slog.Logger
	now      func() time.Time
	// again is how often the token of a stream is looked at.
	again time.Duration
}

// New makes a guard. It asks nobody yet: issuers and the ledger are asked when the first call needs them.
func New(o Options) (*Guard, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	t, err := newTokens(&o)
	if err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	return &Guard{
		own: o.Organisation, tokens: t, peers: newPeers(&o), attempts: newAttempts(o.Limits.Failures, o.Now), party: o.Party, limits: o.Limits,
		shares: newShares(o.Limits), observe: o.Observe, log: o.Log, now: o.Now, again: tokenAgain,
	}, nil
}

func (o *Options) complete() error {
	if err := ledger.CheckID("organisation", o.Organisation.ID); err != nil {
		return err
	}
	if o.Audience == "" {
		o.Audience = Audience(o.Organisation.ID)
	}
	if err := ledger.CheckText("audience", o.Audience, MaxAudience, true); err != nil {
		return err
	}
	if o.Observe == nil {
		o.Observe = func(Observation) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o.Limits.complete()
}

// NodesChanged says that the ledger told of a node, so that what is kept of its record is read again before it is used, and at once if a peer's call is under way.
func (g *Guard) NodesChanged() {
	if g.peers.changedNow() {
		go g.peers.again()
	}
}

func (g *Guard) person(ctx context.Context, authorization []string) (Principal, error) {
	token, err := bearer(authorization)
	if err != nil {
		return Principal{}, unauthenticated(err)
	}
	p, err := g.tokens.verify(ctx, g.attempts, token)
	if err != nil {
		return Principal{}, unauthenticated(err)
	}
	return p, nil
}

// ServerOptions are what a grpc.Server needs, whose services are registered by Registrar; all of it, or the server refuses every call.
func (g *Guard) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.InTapHandle(g.admit),
		grpc.ChainUnaryInterceptor(g.unary),
		grpc.ChainStreamInterceptor(g.stream),
		grpc.MaxRecvMsgSize(LargestRequest()),
		grpc.ForceServerCodecV2(newCodec()),
		//lint:ignore SA1019 nothing else comes before the compressors that are registered for the whole program
		grpc.RPCDecompressor(notPlain{}),
	}
}
