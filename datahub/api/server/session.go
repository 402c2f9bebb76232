package server

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

type sessionService struct {
	assayv1.UnimplementedSessionServiceServer
	*Server
}

// ListSessions gives the sessions of a page of queries, without their entries.
func (s *sessionService) ListSessions(ctx context.Context, in *assayv1.ListSessionsRequest) (*assayv1.ListSessionsResponse, error) {
	if _, err := s.person(ctx); err != nil {
		return nil, err
	}
	of := listOf("sessions", in.GetRequester(), in.GetFleet(), in.GetStatus().String())
	after, err := of.position("page_token", in.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.Book.QueriesPage(ctx, ledger.QueriesQuery{After: after, Limit: pageSize(in.GetPageSize()), Requester: in.GetRequester(), Fleet: in.GetFleet()})
	if err != nil {
		return nil, err
	}
	out, size := &assayv1.ListSessionsResponse{NextPageToken: of.token(found.Next)}, 0
	for i := range found.Entries {
		sessions := s.sessionsOf(&found.Entries[i], in.GetStatus())
		for _, m := range sessions {
			size += proto.Size(m)
		}
		if i > 0 && size > maxPageBytes {
			out.NextPageToken = of.token(found.Entries[i-1].ID.String())
			break
		}
		out.Sessions = append(out.Sessions, sessions...)
	}
	return out, nil
}

// sessionsOf are the sessions of a query that stand as is wanted.
func (s *Server) sessionsOf(e *ledger.QueryEntry, wanted assayv1.SessionStatus) (out []*assayv1.Session) {
	for i := range e.Sessions {
		h := &e.Sessions[i]
		m := sessionMessage(h.ID, &h.Session, headStatus(e, h, s.Clock()))
		if m.End = endMessage(h.End); wanted == assayv1.SessionStatus_SESSION_STATUS_UNSPECIFIED || m.Status == wanted {
			out = append(out, m)
		}
	}
	return out
}

// GetSession gives a session with its entries, and what this node sees of it.
func (s *sessionService) GetSession(ctx context.Context, in *assayv1.GetSessionRequest) (*assayv1.GetSessionResponse, error) {
	caller, err := s.person(ctx)
	if err != nil {
		return nil, err
	}
	id, err := digestOf("session", in.GetSession())
	if err != nil {
		return nil, err
	}
	state, err := s.Book.SessionState(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &assayv1.GetSessionResponse{Session: wholeSession(&state)}
	if s.Queries == nil {
		return out, nil
	}
	if view, ok := s.Queries.State(id); ok {
		out.View = viewMessage(&view, caller.Administrator)
	}
	return out, nil
}

// viewMessage tells what the node met to administrators alone, as of the node's parts: such an error names hosts and files.
func viewMessage(v *party.State, all bool) *assayv1.SessionView {
	m := &assayv1.SessionView{Role: v.Role, Phase: v.Phase, WaitingFor: v.Waiting, Reason: v.Reason, Problem: v.Error}
	if !v.Since.IsZero() {
		m.Since = timestamppb.New(v.Since)
	}
	if m.Problem != "" && !all {
		m.Problem = "administrators, and the node's log, are told what"
	}
	return m
}

const (
	// itemChunk is how much of an item a message holds.
	itemChunk = 64 << 10
	// itemTime bounds the reading of an item, and then the sending: until it is sent the node holds all of it. It is time for the largest over a line of a megabit a second.
	itemTime = 3 * time.Minute
)

// FetchItem sends another organisation's node what this one has for it.
func (s *sessionService) FetchItem(in *assayv1.FetchItemRequest, out grpc.ServerStreamingServer[assayv1.FetchItemResponse]) error {
	ctx := out.Context()
	caller, err := s.caller(ctx)
	if err != nil {
		return err
	}
	if caller.Peer == "" {
		return refuse(codes.PermissionDenied, access.ReasonForbidden, "for other organisations' nodes alone")
	}
	id, err := digestOf("session", in.GetSession())
	if err != nil {
		return err
	}
	if s.Queries == nil {
		return s.noItem(ctx, party.ErrUnknown)
	}
	item, err := s.item(ctx, caller.Peer, id, in)
	if err != nil {
		return s.noItem(ctx, err)
	}
	if len(item) != int(in.GetSize()) {
		return fmt.Errorf("%w: an item of session %s has %d bytes, %d were asked for", errFault, id, len(item), in.GetSize())
	}
	return s.sendItem(item, out)
}

// item reads an item, in time: a few are read at once.
func (s *Server) item(ctx context.Context, caller string, session commit.Digest, in *assayv1.FetchItemRequest) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, itemTime)
	defer cancel()
	return few(ctx, s.items, func() ([]byte, error) { return s.Queries.Item(ctx, caller, session, in.GetItem(), int(in.GetSize())) })
}

// sendItem sends an item in chunks. Whoever takes a chunk now and then, as the guard lets them, does not get all of it.
func (s *Server) sendItem(item []byte, out grpc.ServerStreamingServer[assayv1.FetchItemResponse]) error {
	end := s.Clock().Add(itemTime)
	for offset := 0; offset < len(item); offset += itemChunk {
		if s.Clock().After(end) {
			return refuse(codes.ResourceExhausted, access.ReasonTooMany, fmt.Sprintf("an item must be taken within %s", itemTime))
		}
		part := item[offset:min(offset+itemChunk, len(item))]
		if err := out.Send(&assayv1.FetchItemResponse{Data: part, Offset: uint64(offset)}); err != nil {
			return gone(err)
		}
	}
	return nil
}
