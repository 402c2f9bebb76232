package server

import (
	"context"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// settle closes the epoch that a query is about, for those of its fleets for which that was not done yet and of which nothing more can come: who asks about it first may as well.
// What cannot be closed the ledger refuses to be asked about, and says why.
func (s *Server) settle(ctx context.Context, q *ledger.Query) error {
	height := uint64(0)
	for _, p := range q.Parts {
		facts, err := s.Book.Facts(ctx, p.Fleet, q.Epoch)
		if err != nil && unanswered(err) {
			return err
		}
		if err != nil || facts.Closed || !facts.Final {
			continue
		}
		receipt, err := s.Book.Settle(ctx, ledger.EpochRef{Fleet: p.Fleet, Epoch: q.Epoch})
		if err != nil && ledger.CodeOf(err) != ledger.Conflict { // somebody else did
			return err
		}
		height = max(height, receipt.Height)
	}
	return s.Book.Await(ctx, height)
}
