package server

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

type auditService struct {
	assayv1.UnimplementedAuditServiceServer
	*Server
}

// requestQuery is what a list of requests is restricted by.
type requestQuery interface {
	GetOwner() string
	GetRequester() string
	GetFleet() string
	GetStatus() assayv1.RequestStatus
	GetPageSize() int32
	GetPageToken() string
}

func requestPage[M proto.Message](ctx context.Context, s *Server, in requestQuery, render func(*ledger.RequestEntry) (M, error)) (page []M, token string, err error) {
	of := listOf("requests", in.GetOwner(), in.GetRequester(), in.GetFleet(), in.GetStatus().String())
	after, err := of.position("page_token", in.GetPageToken())
	if err != nil {
		return nil, "", err
	}
	found, err := s.Book.RequestsPage(ctx, ledger.RequestsQuery{
		After: after, Limit: pageSize(in.GetPageSize()), Owner: in.GetOwner(), Requester: in.GetRequester(), Fleet: in.GetFleet(), Status: ledgerStatus(in.GetStatus()),
	})
	if err != nil {
		return nil, "", err
	}
	page, next, err := fit(found.Entries, found.Next, render, func(e *ledger.RequestEntry) string { return e.ID.String() })
	return page, of.token(next), err
}

// ListEntries gives a page of the requests with what was released.
func (s *auditService) ListEntries(ctx context.Context, in *assayv1.ListEntriesRequest) (*assayv1.ListEntriesResponse, error) {
	page, next, err := requestPage(ctx, s.Server, in, auditEntry)
	if err != nil {
		return nil, err
	}
	return &assayv1.ListEntriesResponse{Entries: page, NextPageToken: next}, nil
}

func auditEntry(e *ledger.RequestEntry) (*assayv1.AuditEntry, error) {
	r, err := listedRequest(e)
	if err != nil {
		return nil, err
	}
	m := &assayv1.AuditEntry{Request: r}
	if e.Verdict != nil {
		v, err := recordedVerdict(e)
		if err != nil {
			return nil, err
		}
		m.Released = &assayv1.Released{Claims: claimMessages(v.Claims), Disclosed: totalMessages(v.Disclosed), Enrolled: v.Coverage.Enrolled, Attested: v.Coverage.Attested}
	}
	return m, nil
}

func alertMessage(a *ledger.AlertRecord) (*assayv1.Alert, error) {
	return &assayv1.Alert{
		Regulator: a.Organisation, Request: unlessZero(a.Request), Query: unlessZero(a.Query), Text: a.Text, Digest: a.Digest.String(), At: stamp(a.Time), TxId: a.TxID,
	}, nil
}

// unlessZero is a digest in hexadecimal, empty for one that is not there.
func unlessZero(d commit.Digest) string {
	if d == (commit.Digest{}) {
		return ""
	}
	return d.String()
}

// alertPosition is an alert's place among the ledger's.
func alertPosition(a *ledger.AlertRecord) string {
	return fmt.Sprintf("%016x/%s", uint64(a.Time), a.TxID)
}

// ListAlerts gives a page of the alerts.
func (s *auditService) ListAlerts(ctx context.Context, in *assayv1.ListAlertsRequest) (*assayv1.ListAlertsResponse, error) {
	of := listOf("alerts")
	after, err := of.position("page_token", in.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.Book.Alerts(ctx, ledger.AlertsQuery{After: after, Limit: pageSize(in.GetPageSize())})
	if err != nil {
		return nil, err
	}
	page, next, err := fit(found.Entries, found.Next, alertMessage, alertPosition)
	return &assayv1.ListAlertsResponse{Alerts: page, NextPageToken: of.token(next)}, err
}

// GetEvidence sends a file of evidence.
func (s *auditService) GetEvidence(in *assayv1.GetEvidenceRequest, out grpc.ServerStreamingServer[assayv1.GetEvidenceResponse]) error {
	ctx := out.Context()
	if s.Evidence == nil {
		return refuse(codes.Unimplemented, "unimplemented", "this node makes no evidence")
	}
	id, err := digestOf("request", in.GetRequest())
	if err != nil {
		return err
	}
	file, err := s.load(ctx, func() ([]byte, error) { return s.Evidence.Evidence(ctx, id) })
	if err != nil {
		return err
	}
	if len(file) > MaxEvidence {
		return fmt.Errorf("%w: the evidence of request %s has %d bytes, at most %d", errFault, id, len(file), MaxEvidence)
	}
	return inChunks(file, func(data []byte, offset uint64, sum string) error {
		return out.Send(&assayv1.GetEvidenceResponse{Data: data, Offset: offset, Size: uint64(len(file)), Sha256: sum})
	})
}
