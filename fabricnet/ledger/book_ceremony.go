package ledger

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// PlanCeremony puts a ceremony's plan on the ledger. Regulators only.
func (b Book) PlanCeremony(ctx context.Context, plan []byte) (Receipt, error) {
	return b.submit(ctx, FnPlanCeremony, PlanCeremony{Plan: plan}, nil)
}

// RecordContribution records a contribution by its header, whoever's it is.
func (b Book) RecordContribution(ctx context.Context, header []byte) (Receipt, error) {
	return b.submit(ctx, FnRecordContribution, RecordContribution{Header: header}, nil)
}

// EndCeremonyStage ends a stage. Regulators only. BlockOf of the receipt's transaction is what closes it.
func (b Book) EndCeremonyStage(ctx context.Context, args EndCeremonyStage) (Receipt, error) {
	return b.submit(ctx, FnEndCeremonyStage, args, nil)
}

// CloseCeremonyStage closes a stage that was ended. Regulators only.
func (b Book) CloseCeremonyStage(ctx context.Context, closing []byte) (Receipt, error) {
	return b.submit(ctx, FnCloseCeremonyStage, CloseCeremonyStage{Closing: closing}, nil)
}

// Ceremony finds a ceremony by its plan's digest.
func (b Book) Ceremony(ctx context.Context, id commit.Digest) (Ceremony, error) {
	return query[Ceremony](ctx, b, QueryCeremony, CeremonyRef{Ceremony: id})
}

// CeremoniesPage gives some of the ceremonies.
func (b Book) CeremoniesPage(ctx context.Context, q CeremoniesQuery) (CeremoniesPage, error) {
	return query[CeremoniesPage](ctx, b, QueryCeremonies, q)
}

// Ceremonies lists all ceremonies, page by page.
func (b Book) Ceremonies(ctx context.Context) ([]Ceremony, error) {
	all := []Ceremony{}
	for q := (CeremoniesQuery{Limit: MaxPage}); ; {
		page, err := b.CeremoniesPage(ctx, q)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Entries...); page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}

// BlockOf is the block that holds a transaction: its number, and its hash, by which the block after it names it. An unknown transaction is a NotFound refusal.
func (b Book) BlockOf(ctx context.Context, txID string) (number uint64, hash commit.Digest, err error) {
	if number, err = b.Locate(ctx, txID); err != nil {
		return 0, commit.Digest{}, err
	}
	if hash, err = b.BlockHash(ctx, number); err != nil {
		return 0, commit.Digest{}, fmt.Errorf("reading the hash of block %d: %w", number, err)
	}
	return number, hash, nil
}
