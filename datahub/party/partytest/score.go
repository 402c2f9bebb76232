package partytest

import (
	"context"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// Model is one that scores health and age, with clips that owners admit.
const Model = `{"format": "assay-score/1", "kind": "logistic", "degree": 3, "interval": 8, "spread": true, "intercept": -3.25,
	"features": [{"lane": "state_of_health", "low": 5000, "high": 10000, "weight": 0.0015}, {"lane": "fault_count", "low": 0, "high": 65535, "weight": -0.00005}]}`

// Scored is the query of a score of the model over the fleet of east, changed.
func (w *World) Scored(change func(*ledger.Query)) *ledger.Query {
	w.T.Helper()
	model, err := score.ParseModel([]byte(Model))
	w.OK(err)
	q := &ledger.Query{
		Kind: ledger.QueryScore, Schema: contracttest.Schema, Epoch: Epoch, Purpose: contracttest.Purpose, MinimumCohort: 20,
		Parts: []ledger.QueryPart{{Fleet: FleetOf(East), Grant: contracttest.GrantID}},
	}
	if change != nil {
		change(q)
	}
	out, err := query.Draft(q, model, Lender, w.Now())
	w.OK(err)
	return out
}

// AskScore gives the lender's node the model, and asks.
func (w *World) AskScore(change func(*ledger.Query)) commit.Digest {
	w.T.Helper()
	q := w.Scored(change)
	w.OK(w.Node(Lender).KeepModel(context.Background(), q.ID(w.ID()), []byte(Model)))
	id, receipt, err := w.Book(Lender).Ask(context.Background(), q)
	w.Done(receipt, err)
	return id
}

// Clear is what the model says of the fleet of east, in the clear.
func (w *World) Clear() *score.Clear {
	w.T.Helper()
	model, err := score.ParseModel([]byte(Model))
	w.OK(err)
	lanes, err := query.Lanes(contracttest.Schema, nil)
	w.OK(err)
	clear, err := model.Clear(lanes, func(yield func([]uint32, error) bool) {
		for _, r := range w.Records(East) {
			if r[record.Presence] == 1 && !yield(r[record.Presence+1:], nil) {
				return
			}
		}
	})
	w.OK(err)
	return clear
}
