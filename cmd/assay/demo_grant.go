package main

import (
	"context"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// demoPolicy is the owner's: who may ask for what, in Cedar.
const demoPolicy = `@id("loans-only")
permit (principal in Role::"financier", action == Action::"prove", resource)
when { context.purpose == "` + demoPurpose + `" && context.epoch < context.current_epoch };

@id("no-model-that-singles-out")
forbid (principal, action, resource)
when { context.model_warnings > 2 };
`

const (
	demoPurpose = "underwriting a loan secured on the fleet"
	// demoCohort is the least cohort that the owner grants, of a fleet that is large enough.
	demoCohort = 50
)

// permit has the owner publish its policy and grant the financier's question.
func (w *world) permit(ctx context.Context) error {
	book := w.books[w.owner]
	digest, _, err := book.PublishPolicy(ctx, []byte(demoPolicy))
	if err != nil && ledger.CodeOf(err) != ledger.Conflict { // it is in force
		return err
	}
	terms, err := w.demoTerms(digest.String())
	if err != nil {
		return err
	}
	if _, err := book.Grant(ctx, terms); err != nil {
		return err
	}
	w.grant = terms.ID
	w.say(w.owner, "publishes a policy, %s, and grants %s %d answers under it:\nto one purpose and one valuation model, about at least %d batteries each.", short(digest), w.lender, terms.Answers, terms.MinimumCohort)
	return nil
}

// demoTerms covers the question that the demonstration asks, and little else.
func (w *world) demoTerms(policyDigest string) (policy.Terms, error) {
	asked := w.demoStatement()
	fleet := ledger.Fleet{ID: w.fleet.fleet, Owner: w.owner, Schema: asked.Schema}
	q, err := ledger.QuestionOf(asked, ledger.Asker{Fleet: fleet, Time: w.network.Now()})
	if err != nil {
		return policy.Terms{}, err
	}
	now := w.network.Now()
	terms := policy.Terms{
		ID: w.network.Name("demonstration"), Grantee: w.lender, Fleets: []string{w.fleet.fleet}, Purposes: []string{demoPurpose}, Actions: []policy.Action{policy.Prove},
		Claims: slices.Compact(slices.Sorted(slices.Values(q.Claims))), Disclose: q.Disclose, Lanes: q.Lanes, Models: []string{q.Model},
		MaxPrice: asked.Valuation.Price, MinimumCohort: min(demoCohort, q.ProvenMinimum), MinimumCoverage: asked.MinimumCoverage,
		FirstEpoch: w.reported, LastEpoch: w.reported, Answers: 3, Budget: "20", CostClaim: "1", CostDisclosure: "2",
		NotBefore: now.Add(-time.Hour).Unix(), NotAfter: now.Add(60 * 24 * time.Hour).Unix(), Policy: policyDigest,
	}
	terms.Sort()
	return terms, terms.Check()
}

// demoStatement is the financier's question about the fleet, as far as it is known before it is put.
func (w *world) demoStatement() *statement.Statement {
	s := demoStatement(w.from != "", w.batteries.Count())
	s.Fleet, s.Epoch, s.Requester, s.Grant = w.fleet.fleet, w.reported, w.lender, w.grant
	return s
}
