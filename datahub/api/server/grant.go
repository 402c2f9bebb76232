package server

import (
	"bytes"
	"context"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

type grantService struct {
	assayv1.UnimplementedGrantServiceServer
	*Server
}

// CreateGrant records a grant. A grant is never changed, so one of the same id is either the same or another.
func (s *grantService) CreateGrant(ctx context.Context, in *assayv1.CreateGrantRequest) (*assayv1.CreateGrantResponse, error) {
	terms, err := s.terms(ctx, in.GetTerms())
	if err != nil {
		return nil, err
	}
	receipt, refused := s.Book.Grant(ctx, terms)
	if refused != nil && ledger.CodeOf(refused) != ledger.Conflict {
		return nil, refused
	}
	entry, err := s.grant(ctx, receipt.Height, terms.ID)
	if ledger.CodeOf(err) == ledger.NotFound && refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	if given := in.GetTerms().GetPolicy(); refused != nil && given == "" {
		terms.Policy = entry.Grant.Terms.Policy // what was in force the first time
	}
	if !bytes.Equal(ledger.Encode(entry.Grant.Terms), ledger.Encode(terms)) {
		return nil, exists("grant " + terms.ID + " was given with other terms")
	}
	m, err := grantMessage(&entry)
	return &assayv1.CreateGrantResponse{Grant: m}, err
}

// terms puts the lists of a grant's terms into order and fills in the policy.
func (s *grantService) terms(ctx context.Context, m *assayv1.GrantTerms) (policy.Terms, error) {
	t := termsOf(m)
	if t.Policy == "" {
		inForce, err := s.Book.Policy(ctx, s.Organisation, nil)
		if err != nil {
			return t, err
		}
		t.Policy = inForce.Digest.String()
	}
	t.Sort()
	if err := t.Check(); err != nil {
		return t, invalid("terms", err)
	}
	return t, nil
}

func (s *Server) grant(ctx context.Context, height uint64, id string) (ledger.GrantEntry, error) {
	if err := s.Book.Await(ctx, height); err != nil {
		return ledger.GrantEntry{}, err
	}
	return s.Book.GrantEntry(ctx, s.Organisation, id)
}

// GetGrant finds a grant.
func (s *grantService) GetGrant(ctx context.Context, in *assayv1.GetGrantRequest) (*assayv1.GetGrantResponse, error) {
	entry, err := s.Book.GrantEntry(ctx, in.GetOwner(), in.GetGrant())
	if err != nil {
		return nil, err
	}
	m, err := grantMessage(&entry)
	return &assayv1.GetGrantResponse{Grant: m}, err
}

// ListGrants gives a page of the grants.
func (s *grantService) ListGrants(ctx context.Context, in *assayv1.ListGrantsRequest) (*assayv1.ListGrantsResponse, error) {
	of := listOf("grants", in.GetOwner(), in.GetGrantee())
	after, err := of.position("page_token", in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, err := s.Book.GrantsPage(ctx, ledger.GrantsQuery{After: after, Limit: pageSize(in.GetPageSize()), Owner: in.GetOwner(), Grantee: in.GetGrantee()})
	if err != nil {
		return nil, err
	}
	out, next, err := fit(page.Entries, page.Next, grantMessage, func(e *ledger.GrantEntry) string { return e.Grant.Owner + "/" + e.Grant.Terms.ID })
	return &assayv1.ListGrantsResponse{Grants: out, NextPageToken: of.token(next)}, err
}

// RevokeGrant ends a grant of the organisation's.
func (s *grantService) RevokeGrant(ctx context.Context, in *assayv1.RevokeGrantRequest) (*assayv1.RevokeGrantResponse, error) {
	if err := ledger.CheckText("reason", in.GetReason(), ledger.MaxReason, true); err != nil {
		return nil, invalid("reason", err)
	}
	receipt, refused := s.Book.Revoke(ctx, ledger.Revoke{Grant: in.GetGrant(), Reason: in.GetReason()})
	if refused != nil && ledger.CodeOf(refused) != ledger.Conflict {
		return nil, refused
	}
	entry, err := s.grant(ctx, receipt.Height, in.GetGrant())
	if err != nil {
		return nil, err
	}
	switch {
	case entry.Revocation == nil:
		return nil, refused
	case entry.Revocation.Reason != in.GetReason():
		return nil, exists("grant " + in.GetGrant() + " was revoked already, for another reason")
	}
	m, err := grantMessage(&entry)
	return &assayv1.RevokeGrantResponse{Grant: m}, err
}
