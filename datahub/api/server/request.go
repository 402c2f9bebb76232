package server

import (
	"context"
	"errors"
	"slices"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

type requestService struct {
	assayv1.UnimplementedRequestServiceServer
	*Server
}

// decideAttempts is how often a decision is tried when something changed at the same time: another approval under the grant, most likely.
const decideAttempts = 3

var errDigest = errors.New("must be 64 lower-case hexadecimal digits")

func digestOf(field, text string) (commit.Digest, error) {
	var d commit.Digest
	if err := d.UnmarshalText([]byte(text)); err != nil || d.String() != text {
		return commit.Digest{}, invalid(field, errDigest)
	}
	return d, nil
}

// visible finds a request that the caller may see. For another organisation's node, one that is none of its business does not exist.
func (s *Server) visible(ctx context.Context, id commit.Digest) (*ledger.RequestEntry, error) {
	entry, err := s.Book.RequestEntry(ctx, id)
	if err != nil {
		return nil, err
	}
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if !caller.own() && caller.Peer != entry.Request.Requester && caller.Peer != entry.Request.Owner {
		return nil, ledger.Refuse(ledger.NotFound, "request %s is not known", id)
	}
	return &entry, nil
}

// Party reports whether an organisation asked a request or answers it. It is what access.Options want to know about other organisations' nodes.
func (s *Server) Party(ctx context.Context, request commit.Digest, organisation string) (bool, error) {
	entry, err := s.Book.RequestEntry(ctx, request)
	if ledger.CodeOf(err) == ledger.NotFound {
		return false, nil
	}
	return err == nil && (organisation == entry.Request.Requester || organisation == entry.Request.Owner), err
}

// unanswered reports whether an error is the ledger's silence, and not its no.
func unanswered(err error) bool {
	var ours *refusal
	return ledger.CodeOf(err) == "" && !errors.As(err, &ours) && !errors.Is(err, errFault)
}

// GetRequest finds a request, and asks the contract about one that waits for the organisation's own decision.
func (s *requestService) GetRequest(ctx context.Context, in *assayv1.GetRequestRequest) (*assayv1.GetRequestResponse, error) {
	id, err := digestOf("request", in.GetRequest())
	if err != nil {
		return nil, err
	}
	entry, err := s.visible(ctx, id)
	if err != nil {
		return nil, err
	}
	out := new(assayv1.GetRequestResponse)
	if out.Request, err = requestMessage(entry); err != nil {
		return nil, err
	}
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if entry.Status == ledger.StatusOpen && entry.Request.Owner == s.Organisation && caller.own() {
		assessment, err := s.Book.Assess(ctx, id)
		if err != nil {
			return nil, err
		}
		out.Assessment = assessmentMessage(&assessment)
	}
	return out, nil
}

// ListRequests gives a page of the requests, without their statements.
func (s *requestService) ListRequests(ctx context.Context, in *assayv1.ListRequestsRequest) (*assayv1.ListRequestsResponse, error) {
	page, next, err := requestPage(ctx, s.Server, in, listedRequest)
	if err != nil {
		return nil, err
	}
	return &assayv1.ListRequestsResponse{Requests: page, NextPageToken: next}, nil
}

func listedRequest(e *ledger.RequestEntry) (*assayv1.Request, error) {
	m, err := requestMessage(e)
	if err == nil {
		m.Statement = ""
	}
	return m, err
}

// ApproveRequest approves, if the contract finds that grant and policies allow it.
func (s *requestService) ApproveRequest(ctx context.Context, in *assayv1.ApproveRequestRequest) (*assayv1.ApproveRequestResponse, error) {
	request, err := s.decide(ctx, in.GetRequest(), true, in.GetReasons())
	if err != nil {
		return nil, err
	}
	return &assayv1.ApproveRequestResponse{Request: request}, nil
}

// RefuseRequest refuses with reasons.
func (s *requestService) RefuseRequest(ctx context.Context, in *assayv1.RefuseRequestRequest) (*assayv1.RefuseRequestResponse, error) {
	request, err := s.decide(ctx, in.GetRequest(), false, in.GetReasons())
	if err != nil {
		return nil, err
	}
	return &assayv1.RefuseRequestResponse{Request: request}, nil
}

func (s *requestService) decide(ctx context.Context, text string, approve bool, reasons []string) (*assayv1.Request, error) {
	id, err := digestOf("request", text)
	if err != nil {
		return nil, err
	}
	if err := checkReasons(reasons); err != nil {
		return nil, err
	}
	decision := ledger.Decide{Request: id, Approve: approve, Reasons: append([]string{}, reasons...)}
	for attempt := 1; ; attempt++ {
		receipt, refused := s.Book.Decide(ctx, decision)
		if refused == nil {
			return s.after(ctx, receipt, id)
		}
		if ledger.CodeOf(refused) != ledger.Conflict {
			return nil, refused
		}
		entry, err := s.Book.RequestEntry(ctx, id)
		if err != nil {
			return nil, err
		}
		switch d := entry.Decision; {
		case d != nil && d.Approved == approve && slices.Equal(d.Reasons, decision.Reasons) && entry.Request.Owner == s.Organisation:
			return requestMessage(&entry)
		case d != nil:
			return nil, exists("request " + text + " was decided already, in another way or with other reasons")
		case entry.Status != ledger.StatusOpen || attempt == decideAttempts:
			return nil, refused
		}
	}
}

func checkReasons(reasons []string) error {
	for _, r := range reasons {
		if err := ledger.CheckText("reason", r, ledger.MaxReason, true); err != nil {
			return invalid("reasons", err)
		}
	}
	return nil
}

// WithdrawRequest takes a request of the organisation's back.
func (s *requestService) WithdrawRequest(ctx context.Context, in *assayv1.WithdrawRequestRequest) (*assayv1.WithdrawRequestResponse, error) {
	id, err := digestOf("request", in.GetRequest())
	if err != nil {
		return nil, err
	}
	receipt, refused := s.Book.Withdraw(ctx, id)
	if refused == nil {
		m, err := s.after(ctx, receipt, id)
		return &assayv1.WithdrawRequestResponse{Request: m}, err
	}
	if ledger.CodeOf(refused) != ledger.Conflict {
		return nil, refused
	}
	entry, err := s.Book.RequestEntry(ctx, id)
	if err != nil {
		return nil, err
	}
	if entry.Withdrawal == nil {
		return nil, refused
	}
	m, err := requestMessage(&entry)
	return &assayv1.WithdrawRequestResponse{Request: m}, err
}

// after reads a request once the organisation's own peer has what a receipt says.
func (s *Server) after(ctx context.Context, r ledger.Receipt, id commit.Digest) (*assayv1.Request, error) {
	if err := s.Book.Await(ctx, r.Height); err != nil {
		return nil, err
	}
	entry, err := s.Book.RequestEntry(ctx, id)
	if err != nil {
		return nil, err
	}
	return requestMessage(&entry)
}
