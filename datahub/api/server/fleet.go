package server

import (
	"context"
	"fmt"
	"sort"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
)

type fleetService struct {
	assayv1.UnimplementedFleetServiceServer
	*Server
}

// ListFleets lists the fleets by id.
func (s *fleetService) ListFleets(ctx context.Context, in *assayv1.ListFleetsRequest) (*assayv1.ListFleetsResponse, error) {
	of := listOf("fleets", in.GetOwner())
	after, err := of.position("page_token", in.GetPageToken())
	if err != nil {
		return nil, err
	}
	fleets, err := s.Book.Fleets(ctx)
	if err != nil {
		return nil, err
	}
	sort.Slice(fleets, func(i, j int) bool { return fleets[i].ID < fleets[j].ID })
	var page []ledger.Fleet
	next, size := "", pageSize(in.GetPageSize())
	for _, f := range fleets {
		if f.ID <= after || in.GetOwner() != "" && f.Owner != in.GetOwner() {
			continue
		}
		if len(page) == size {
			next = page[size-1].ID
			break
		}
		page = append(page, f)
	}
	out, next, err := fit(page, next, fleetMessage, func(f *ledger.Fleet) string { return f.ID })
	return &assayv1.ListFleetsResponse{Fleets: out, NextPageToken: of.token(next)}, err
}

// GetFleet finds a fleet.
func (s *fleetService) GetFleet(ctx context.Context, in *assayv1.GetFleetRequest) (*assayv1.GetFleetResponse, error) {
	f, err := s.Book.Fleet(ctx, in.GetFleet())
	if err != nil {
		return nil, err
	}
	m, err := fleetMessage(&f)
	return &assayv1.GetFleetResponse{Fleet: m}, err
}

// GetCoverage tells how many devices reported for an epoch.
func (s *fleetService) GetCoverage(ctx context.Context, in *assayv1.GetCoverageRequest) (*assayv1.GetCoverageResponse, error) {
	epoch := in.GetEpoch()
	if in.Epoch == nil {
		now, err := s.Book.Epoch(ctx)
		if err != nil {
			return nil, err
		}
		if now.Epoch == 0 {
			return nil, ledger.Refuse(ledger.Expired, "no epoch is over yet")
		}
		epoch = now.Epoch - 1
	}
	entry, err := s.facts(ctx, in.GetFleet(), epoch)
	if err != nil {
		return nil, err
	}
	return &assayv1.GetCoverageResponse{Coverage: s.coverageMessage(entry)}, nil
}

// facts are what the ledger says about a fleet at an epoch, but for the heights of anchors, which take a look-up each.
func (s *Server) facts(ctx context.Context, fleet string, epoch uint64) (*ledger.FactsEntry, error) {
	result, err := s.Book.Evaluate(ctx, ledger.QueryFacts, ledger.Encode(ledger.EpochRef{Fleet: fleet, Epoch: epoch}))
	if err != nil {
		return nil, fmt.Errorf("querying facts: %w", err)
	}
	return ledger.Decode[ledger.FactsEntry]("facts", result, maxFacts)
}

// maxFacts bounds facts: 65,536 chunks of less than a KiB.
const maxFacts = 64 << 20

func (s *Server) coverageMessage(e *ledger.FactsEntry) *assayv1.Coverage {
	f := &e.Facts
	m := &assayv1.Coverage{
		Fleet: f.Fleet, Epoch: f.Epoch, EpochStart: stamp(s.Genesis.EpochStart(f.Epoch).Unix()), EpochEnd: stamp(s.Genesis.EpochEnd(f.Epoch).Unix()),
		Enrolled: f.Enrolled, Attested: f.Attested(), Percent: percent(f.Attested(), f.Enrolled), Retired: f.Retired,
		Chunks: uint32(len(f.Chunks)), KeyClasses: map[string]uint64{}, Final: e.Final, Closed: e.Closed,
	}
	for i := range f.Chunks {
		c := &f.Chunks[i]
		if !c.Anchored {
			m.MissingChunks++
		}
		for class, n := range c.Classes {
			m.KeyClasses[class] += uint64(n)
		}
	}
	return m
}

// percent is a share in percent, rounded down to two decimal places, as verdicts have it.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "0.00"
	}
	p := part * statement.CoverageFull / whole
	return fmt.Sprintf("%d.%02d", p/100, p%100)
}
