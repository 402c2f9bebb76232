package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

type queryService struct {
	assayv1.UnimplementedQueryServiceServer
	*Server
}

// seen finds a query for one of the organisation's own.
func (s *Server) seen(ctx context.Context, text string) (*ledger.QueryEntry, error) {
	if _, err := s.person(ctx); err != nil {
		return nil, err
	}
	id, err := digestOf("query", text)
	if err != nil {
		return nil, err
	}
	entry, err := s.Book.QueryEntry(ctx, id)
	return &entry, err
}

// partOf is the part of a query that is about an organisation's fleet, of which there is one at most, or nil.
func partOf(e *ledger.QueryEntry, organisation string) *ledger.QueryPart {
	if i := slices.Index(e.Record.Owners, organisation); i >= 0 && i < len(e.Record.Query.Parts) {
		return &e.Record.Query.Parts[i]
	}
	return nil
}

// answerTo is the owner's answer to the part about a fleet, or nil.
func answerTo(e *ledger.QueryEntry, fleet string) *ledger.QueryAnswer {
	i := slices.IndexFunc(e.Answers, func(a ledger.QueryAnswer) bool { return a.Fleet == fleet })
	if i < 0 {
		return nil
	}
	return &e.Answers[i]
}

// GetQuery finds a query, and asks the contract about a part that waits for the organisation's own answer.
func (s *queryService) GetQuery(ctx context.Context, in *assayv1.GetQueryRequest) (*assayv1.GetQueryResponse, error) {
	entry, err := s.seen(ctx, in.GetQuery())
	if err != nil {
		return nil, err
	}
	out := new(assayv1.GetQueryResponse)
	if out.Query, err = s.queryMessage(entry); err != nil {
		return nil, err
	}
	part := partOf(entry, s.Organisation)
	if entry.Status != ledger.QueryOpen || part == nil || answerTo(entry, part.Fleet) != nil {
		return out, nil
	}
	assessment, err := s.Book.AssessQuery(ctx, entry.ID, part.Fleet)
	if err != nil {
		return nil, err
	}
	out.Assessment = assessmentMessage(&assessment)
	return out, nil
}

// ListQueries gives a page of the queries, without their text.
func (s *queryService) ListQueries(ctx context.Context, in *assayv1.ListQueriesRequest) (*assayv1.ListQueriesResponse, error) {
	if _, err := s.person(ctx); err != nil {
		return nil, err
	}
	of := listOf("queries", in.GetRequester(), in.GetFleet(), in.GetStatus().String())
	after, err := of.position("page_token", in.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.Book.QueriesPage(ctx, ledger.QueriesQuery{
		After: after, Limit: pageSize(in.GetPageSize()), Requester: in.GetRequester(), Fleet: in.GetFleet(), Status: ledgerQueryStatus(in.GetStatus()),
	})
	if err != nil {
		return nil, err
	}
	page, next, err := fit(found.Entries, found.Next, s.listedQuery, func(e *ledger.QueryEntry) string { return e.ID.String() })
	return &assayv1.ListQueriesResponse{Queries: page, NextPageToken: of.token(next)}, err
}

func (s *Server) listedQuery(e *ledger.QueryEntry) (*assayv1.Query, error) {
	m, err := s.queryMessage(e)
	if err == nil {
		m.Query = ""
	}
	return m, err
}

// ApproveQuery approves the organisation's part, if the contract finds that grant and policies allow it.
func (s *queryService) ApproveQuery(ctx context.Context, in *assayv1.ApproveQueryRequest) (*assayv1.ApproveQueryResponse, error) {
	m, err := s.answer(ctx, in.GetQuery(), true, in.GetReasons())
	if err != nil {
		return nil, err
	}
	return &assayv1.ApproveQueryResponse{Query: m}, nil
}

// RefuseQuery refuses it with reasons.
func (s *queryService) RefuseQuery(ctx context.Context, in *assayv1.RefuseQueryRequest) (*assayv1.RefuseQueryResponse, error) {
	m, err := s.answer(ctx, in.GetQuery(), false, in.GetReasons())
	if err != nil {
		return nil, err
	}
	return &assayv1.RefuseQueryResponse{Query: m}, nil
}

func (s *queryService) answer(ctx context.Context, text string, approve bool, reasons []string) (*assayv1.Query, error) {
	entry, err := s.seen(ctx, text)
	if err != nil {
		return nil, err
	}
	if err := checkReasons(reasons); err != nil {
		return nil, err
	}
	part := partOf(entry, s.Organisation)
	if part == nil {
		return nil, refuse(codes.PermissionDenied, access.ReasonForbidden, fmt.Sprintf("query %s is about no fleet of %s", entry.ID, s.Organisation))
	}
	answer := ledger.Answer{Query: entry.ID, Fleet: part.Fleet, Approve: approve, Reasons: append([]string{}, reasons...)}
	for attempt := 1; ; attempt++ {
		receipt, refused := s.Book.Answer(ctx, answer)
		if refused == nil {
			return s.afterQuery(ctx, receipt, entry.ID)
		}
		if ledger.CodeOf(refused) != ledger.Conflict {
			return nil, refused
		}
		entry, err := s.Book.QueryEntry(ctx, entry.ID)
		if err != nil {
			return nil, err
		}
		switch given := answerTo(&entry, part.Fleet); {
		case given != nil && given.Decision.Approved == approve && slices.Equal(given.Decision.Reasons, answer.Reasons):
			return s.queryMessage(&entry)
		case given != nil:
			return nil, exists("the part of query " + text + " about fleet " + part.Fleet + " was answered already, in another way or with other reasons")
		case entry.Status != ledger.QueryOpen || attempt == decideAttempts:
			return nil, refused
		}
	}
}

// afterQuery reads a query once the organisation's own peer has what a receipt says.
func (s *Server) afterQuery(ctx context.Context, r ledger.Receipt, id commit.Digest) (*assayv1.Query, error) {
	if err := s.Book.Await(ctx, r.Height); err != nil {
		return nil, err
	}
	entry, err := s.Book.QueryEntry(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.queryMessage(&entry)
}

// reasonUnreadable is that of a result that says nothing.
const reasonUnreadable = "unreadable"

// GetQueryResult gives what the organisation learned from a query of its own.
func (s *queryService) GetQueryResult(ctx context.Context, in *assayv1.GetQueryResultRequest) (*assayv1.GetQueryResultResponse, error) {
	entry, err := s.seen(ctx, in.GetQuery())
	if err != nil {
		return nil, err
	}
	if entry.Record.Query.Requester != s.Organisation {
		return nil, refuse(codes.PermissionDenied, access.ReasonForbidden, fmt.Sprintf("query %s is %s's: nobody else has its result", entry.ID, entry.Record.Query.Requester))
	}
	none := notFound(fmt.Sprintf("query %s is %s: there is no result here", entry.ID, entry.Status))
	if s.Queries == nil {
		return nil, none
	}
	answer, err := s.Queries.Result(ctx, entry.ID)
	switch {
	case errors.Is(err, party.ErrNoResult):
		return nil, none
	case errors.Is(err, party.ErrUnreadable):
		return nil, refuse(codes.FailedPrecondition, reasonUnreadable, fmt.Sprintf("query %s: what was opened is no answer: not every owner gave what an honest one gives", entry.ID))
	case err != nil:
		return nil, s.kept(ctx, "result", err)
	}
	return &assayv1.GetQueryResultResponse{Answer: string(answer.Encode()), Text: answer.Text()}, nil
}
