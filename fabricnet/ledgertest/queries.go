package ledgertest

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// queries is a run about queries that are answered from encrypted totals.
type queries struct {
	*suite
	// owners are three, in ascending order, each with one fleet.
	owners []string
	fleets map[string]string
}

// RunQueries drives a ledger with three owners through queries over their fleets and a score of one: what they need, what is recorded, and what is refused. It
// needs of the ledger what [Run] needs, and waits for the start of two epochs.
func RunQueries(t *testing.T, l Ledger) {
	q := &queries{suite: begin(t, l), fleets: map[string]string{}}
	q.owners = slices.Sorted(slices.Values(l.Genesis.WithRole(ledger.RoleOwner)))
	if len(q.owners) < 3 {
		t.Fatalf("the ledger has the owners %v, three are needed", q.owners)
	}
	q.owners = q.owners[:3]
	for _, scene := range []scene{
		{"fleets with a closed epoch", q.settles, true},
		{"asking", q.asking, false},
		{"a federated query", q.federates, false},
		{"posts at once", q.postsAtOnce, false},
		{"the last answer of a grant", q.lastAnswer, false},
		{"queries beside one another", q.besideOneAnother, false},
		{"a score", q.scores, false},
		{"what is told", q.told, false},
		{"what is left to a person", q.persons, false},
		{"an alert about a query", q.alertsOf, false},
	} {
		if !t.Run(scene.name, scene.run) && scene.needed {
			t.Fatalf("without %q the rest cannot be run", scene.name)
		}
	}
}

// settles gives each owner a fleet of two batteries, a policy and a grant, and closes an epoch for all of them.
func (q *queries) settles(t *testing.T) {
	q.pinSRS(t, contracttest.SRSKey(q.SRS))
	maker := makerArgs(q.maker)
	q.consent(t, maker.Digest())
	q.mustSubmit(t, call{by: q.regulator, function: ledger.FnRegisterMaker, args: maker})
	var c checks
	for i, owner := range q.owners {
		fleet := string(rune('a'+i)) + "-fleet-" + random() // in the order of their owners
		q.fleets[owner] = fleet
		devices := q.draw(q.maker, 2)
		c.add("preparing "+fleet, func() error {
			if err := q.done(call{by: owner, function: ledger.FnRegisterFleet, args: fleetArgs(fleet)}); err != nil {
				return err
			}
			if err := q.done(q.publishCall(owner, q.text(permit))); err != nil {
				return err
			}
			if err := q.done(q.grantCall(owner, q.queryTerms("queries-"+q.run, owner, nil))); err != nil {
				return err
			}
			enrolment := contracttest.Enrolment(q.Genesis.ID(), fleet, 0, 0, devices)
			return q.inOpenEpoch(func() error { return q.done(call{by: owner, function: ledger.FnEnrol, args: enrolment}) })
		})
	}
	c.must(t)
	q.nextEpoch(t, func(uint64) {})
	for range 4 {
		failures := q.closes(t)
		if len(failures) == 0 {
			return
		}
		if !tooLate(failures) {
			report(t, failures)
			return
		}
	}
	t.Error("no epoch could be anchored in its window")
}

// closes anchors the epoch that ends next, and settles it.
func (q *queries) closes(t *testing.T) []error {
	t.Helper()
	ready := map[string][][]byte{}
	q.nextEpoch(t, func(next uint64) {
		q.over = next - 1
		for owner, fleet := range q.fleets {
			ready[owner] = q.attested(t, fleet, 0, q.over)
		}
	})
	if _, err := q.as(q.regulator).OpenEpoch(q.ctx); err != nil {
		return []error{err}
	}
	q.unsettled().must(t)
	var c checks
	for owner, fleet := range q.fleets {
		c.add("closing "+fleet, func() error {
			anchor := q.anchorCall(fleet, 0, q.over, ready[owner])
			anchor.by = owner
			if err := q.done(anchor); err != nil {
				return err
			}
			return q.done(call{by: q.financier, function: ledger.FnSettle, args: ledger.EpochRef{Fleet: fleet, Epoch: q.over}})
		})
	}
	return c.run()
}

// unsettled asks too early.
func (q *queries) unsettled() (c checks) {
	c.add("an epoch that is not closed", func() error { return q.refused(ledger.Expired, q.askCall(q.federated(nil))) })
	return c
}

// queryTerms are of a grant of an owner's to the financier for anything about its fleet.
func (q *queries) queryTerms(id, owner string, change func(*policy.Terms)) policy.Terms {
	terms := q.terms(id, q.financier, change)
	terms.Fleets, terms.Actions = []string{q.fleets[owner]}, []policy.Action{policy.Aggregate, policy.Prove, policy.Score}
	return terms
}

func newNonce() string {
	nonce := make([]byte, statement.NonceBytes)
	rand.Read(nonce) //nolint:errcheck // never fails
	return hex.EncodeToString(nonce)
}

// federated is a query over the three fleets, changed.
func (q *queries) federated(change func(*ledger.Query)) *ledger.Query {
	f := &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryFederated, Requester: q.financier, Schema: contracttest.Schema, Epoch: q.over,
		Totals: []string{policy.TotalCount, policy.TotalSum}, Subject: "state_of_health", Purpose: contracttest.Purpose, MinimumCohort: 2,
		Regulator: q.regulator, Threshold: 2, InputSeconds: 600, Parameters: "assay-bgv-13-1", Nonce: newNonce(), Expiry: q.Now().Add(time.Hour).Unix(),
	}
	for _, owner := range q.owners {
		f.Parts = append(f.Parts, ledger.QueryPart{Fleet: q.fleets[owner], Grant: "queries-" + q.run})
	}
	if change != nil {
		change(f)
	}
	return f
}

// score is one of the first owner's fleet.
func (q *queries) score() *ledger.Query {
	return q.federated(func(f *ledger.Query) {
		f.Kind, f.Parts, f.Totals, f.Subject, f.Regulator, f.Threshold, f.InputSeconds = ledger.QueryScore, f.Parts[:1], nil, "", "", 0, 0
		f.Features, f.Degree, f.Parameters = []ledger.Feature{{Lane: "state_of_health", Lo: "50.00", Hi: "100.00"}}, 1, "assay-score-1"
	})
}

func (q *queries) askCall(f *ledger.Query) call {
	return call{by: q.financier, function: ledger.FnAsk, args: ledger.AskQuery{Query: *f}}
}
