package server

import (
	"context"
	"runtime/debug"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

type nodeService struct {
	assayv1.UnimplementedNodeServiceServer
	*Server
}

// GetStatus tells about the node. It answers without a ledger too, and says so.
func (s *nodeService) GetStatus(ctx context.Context, _ *assayv1.GetStatusRequest) (*assayv1.GetStatusResponse, error) {
	m := &assayv1.GetStatusResponse{Organisation: s.Organisation, Ledger: s.Book.ID().String(), Version: version()}
	if o, ok := s.Genesis.Organisation(s.Organisation); ok {
		for _, r := range o.Roles {
			m.Roles = append(m.Roles, string(r))
		}
	}
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if caller.own() {
		for _, p := range s.parts.of(ctx) {
			m.Parts = append(m.Parts, partMessage(p, caller.Administrator))
		}
	}
	head, err := s.Book.Head(ctx)
	if err != nil {
		return m, nil
	}
	epoch, err := s.Book.Epoch(ctx)
	if err != nil {
		return m, nil
	}
	m.Reachable, m.Height, m.BlockHash = true, head.Height, head.Hash.String()
	m.Epoch, m.LedgerTime, m.EpochStart, m.EpochEnd = epoch.Epoch, stamp(epoch.Now), stamp(epoch.Start), stamp(epoch.End)
	return m, nil
}

// partMessage tells what a part says of itself to administrators alone: an error of a database or a key store names hosts, users and files.
func partMessage(p Part, all bool) *assayv1.Part {
	m := &assayv1.Part{Name: p.Name, Ready: p.Ready, Detail: p.Detail}
	if !p.Ready && p.Detail != "" && !all {
		m.Detail = "administrators, and the node's log, are told why"
	}
	return m
}

// version is the program's, as its build recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Version
}
