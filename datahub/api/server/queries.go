package server

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// Queries is a node's part in queries on encrypted data, beside what of them is on the ledger: what a *party.Manager does.
type Queries interface {
	// KeepModel keeps the model of a score before it is asked, sealed. The first that is kept for a query stays: another is an error. One of a query that is never asked goes by itself, and none is
	// kept for it from then on: session.ErrDestroyed.
	KeepModel(ctx context.Context, query commit.Digest, model []byte) error
	// Result is what the organisation learned from a query of its own: party.ErrNoResult until there is something, ErrUnreadable if that says nothing.
	Result(ctx context.Context, query commit.Digest) (*query.Answer, error)
	// State is what the node sees of a session in which it takes part.
	State(session commit.Digest) (party.State, bool)
	// Item is what the node of an organisation may have of a session, exactly size bytes of it, or party.ErrNotYet, ErrForbidden or ErrUnknown.
	Item(ctx context.Context, caller string, session commit.Digest, item string, size int) ([]byte, error)
}

// ReasonNotYet is the reason of an ErrorInfo for an item that there is not yet.
const ReasonNotYet = "not_yet"

// person wants one of the organisation's own people or programs: other organisations' nodes see the ledger at their own.
func (s *Server) person(ctx context.Context) (Caller, error) {
	c, err := s.caller(ctx)
	if err == nil && !c.own() {
		return Caller{}, refuse(codes.PermissionDenied, access.ReasonForbidden, "not for other organisations' nodes")
	}
	return c, err
}

// reasonDestroyed is that of a query whose model was kept, and is destroyed.
const reasonDestroyed = "destroyed"

// noModel makes the answer for a caller whose model is not kept.
func (s *Server) noModel(ctx context.Context, err error) error {
	if errors.Is(err, session.ErrDestroyed) {
		return refuse(codes.FailedPrecondition, reasonDestroyed, "what this node kept of this query is destroyed, as it was not asked in time or is over: ask with another nonce or expiry")
	}
	if errors.Is(err, scoring.ErrOtherModel) {
		return exists("another model is kept for this very query")
	}
	return s.kept(ctx, "model", err)
}

// kept makes the answer for a caller of what went wrong with what the node keeps. The log has the rest.
func (s *Server) kept(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Logger.WarnContext(ctx, "what the node keeps of queries cannot be had", "what", what, "error", err)
	return refuse(codes.Unavailable, access.ReasonUnavailable, "what this node keeps of queries cannot be had now: try the same call again")
}

// noItem makes the answer for a node that does not get an item.
func (s *Server) noItem(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, party.ErrNotYet):
		return refuse(codes.FailedPrecondition, ReasonNotYet, "there is no such item yet")
	case errors.Is(err, party.ErrForbidden):
		return refuse(codes.PermissionDenied, access.ReasonForbidden, "the item is not for this organisation")
	case errors.Is(err, party.ErrUnknown):
		return refuse(codes.NotFound, string(ledger.NotFound), "this node has nothing of the session")
	}
	return s.kept(ctx, "item", err)
}
