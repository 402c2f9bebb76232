package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// FuzzCalls gives arbitrary arguments to the functions about grants and queries: none panics, and what is refused writes nothing that counts.
func FuzzCalls(f *testing.F) {
	seeds := map[string]any{
		ledger.FnPublishPolicy: ledger.PublishPolicy{Text: []byte(lendersOnly)}, ledger.FnGrant: ledger.Grant{Terms: contracttest.Terms(fleetID)},
		ledger.FnRevoke: ledger.Revoke{Grant: contracttest.GrantID, Reason: "x"}, ledger.FnDecide: ledger.Decide{Request: commit.Digest{1}, Approve: true},
		ledger.FnFail: ledger.Fail{Reasons: []string{"x"}}, ledger.FnStartProof: ledger.RequestRef{}, ledger.FnAlert: ledger.Alert{Text: "x"},
		ledger.FnPublishNode: ledger.PublishNode{URL: "https://a"}, ledger.QueryAssess: ledger.Assess{Shown: &ledger.Shown{Claims: []bool{true}}},
		ledger.QueryRequests: ledger.RequestsQuery{Limit: 1}, ledger.QueryGrants: ledger.GrantsQuery{After: "a/b"}, ledger.QueryAlerts: ledger.AlertsQuery{After: "x"},
		ledger.QueryPolicy: ledger.PolicyRef{Owner: operator}, ledger.QueryGrant: ledger.GrantRef{Owner: operator, Grant: "a"},
	}
	score := ledger.Query{Version: ledger.QueryVersion, Kind: ledger.QueryScore, Requester: lender, Parts: []ledger.QueryPart{{Fleet: fleetID, Grant: "a"}}}
	for function, args := range map[string]any{
		ledger.FnAsk: ledger.AskQuery{Query: score}, ledger.FnAnswer: ledger.Answer{Fleet: fleetID, Approve: true}, ledger.FnBegin: ledger.QueryRef{},
		ledger.FnPost: ledger.Post{Round: ledger.RoundKey, Digest: commit.Digest{1}}, ledger.QueryQuery: ledger.QueryRef{}, ledger.QuerySession: ledger.SessionRef{},
		ledger.QueryQueries: ledger.QueriesQuery{Limit: 1}, ledger.QueryAssessQuery: ledger.AssessQuery{Fleet: fleetID},
	} {
		seeds[function] = args
	}
	for function, args := range seeds {
		f.Add(function, ledger.Encode(args))
	}
	g := contracttest.WithKeys(contracttest.Genesis())
	state := contracttest.NewState()
	f.Fuzz(func(t *testing.T, function string, args []byte) {
		for _, org := range []string{operator, regulator, lender} {
			tx := &contract.Tx{ID: commit.Digest{1}.String(), Time: g.EpochStart(10).Add(time.Hour), Caller: contract.Caller{Org: org}, Ledger: g.ID(), Genesis: g}
			run := state.Begin()
			if contract.IsQuery(function) {
				contract.Query(&contract.Environment{}, tx, run, function, args) //nolint:errcheck // it must not panic
			} else if _, err := contract.Execute(&contract.Environment{}, tx, run, ledger.Call{Function: function, Args: args}); err != nil {
				continue
			}
			if run.Failure != nil {
				t.Error(run.Failure)
			}
		}
	})
}

// FuzzPost gives arbitrary entries to a session that is ready for inputs, by each of its members: none panics, and what is taken is what was given.
func FuzzPost(f *testing.F) {
	t := &testing.T{}
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil)).until(ledger.RoundInput)
	for _, round := range ledger.RoundsOf(ledger.QueryFederated) {
		for _, party := range []string{east, lender, regulator} {
			p := ledger.Post{Session: s.id, Round: round}
			if round != ledger.RoundInput || party == east {
				p = s.entry(round, party)
			}
			f.Add(ledger.Encode(p))
		}
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		for _, org := range append(s.Members(), west) {
			run := w.state.Begin()
			result, err := contract.Execute(w.environment(), w.tx(org), run, ledger.Call{Function: ledger.FnPost, Args: args})
			if run.Failure != nil {
				t.Error(run.Failure)
			}
			if err != nil {
				continue
			}
			given, err := ledger.Decode[ledger.Post]("arguments", args, ledger.MaxArgs)
			if err != nil {
				t.Fatal(err)
			}
			taken, err := ledger.Decode[ledger.SessionEntry]("entry", result, ledger.MaxRecord)
			if err != nil || !taken.Same(&ledger.SessionEntry{Party: org, Round: given.Round, Digest: given.Digest, Detail: given.Detail}) {
				t.Errorf("%s gave %+v, taken is %+v, %v", org, given, taken, err)
			}
		}
	})
}
