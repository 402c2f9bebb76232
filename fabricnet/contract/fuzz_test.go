package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// FuzzCalls gives arbitrary arguments to the functions about grants: none panics, and what is refused writes nothing that counts.
func FuzzCalls(f *testing.F) {
	seeds := map[string]any{
		ledger.FnPublishPolicy: ledger.PublishPolicy{Text: []byte(lendersOnly)}, ledger.FnGrant: ledger.Grant{Terms: contracttest.Terms(fleetID)},
		ledger.FnRevoke: ledger.Revoke{Grant: contracttest.GrantID, Reason: "x"}, ledger.FnDecide: ledger.Decide{Request: commit.Digest{1}, Approve: true},
		ledger.FnFail: ledger.Fail{Reasons: []string{"x"}}, ledger.FnStartProof: ledger.RequestRef{}, ledger.FnAlert: ledger.Alert{Text: "x"},
		ledger.FnPublishNode: ledger.PublishNode{URL: "https://a"}, ledger.QueryAssess: ledger.Assess{Shown: &ledger.Shown{Claims: []bool{true}}},
		ledger.QueryRequests: ledger.RequestsQuery{Limit: 1}, ledger.QueryGrants: ledger.GrantsQuery{After: "a/b"}, ledger.QueryAlerts: ledger.AlertsQuery{After: "x"},
		ledger.QueryPolicy: ledger.PolicyRef{Owner: operator}, ledger.QueryGrant: ledger.GrantRef{Owner: operator, Grant: "a"},
	}
	for function, args := range seeds {
		f.Add(function, ledger.Encode(args))
	}
	g := contracttest.WithKeys(contracttest.Genesis())
	state := contracttest.NewState()
	f.Fuzz(func(t *testing.T, function string, args []byte) {
		for _, org := range []string{operator, regulator} {
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
