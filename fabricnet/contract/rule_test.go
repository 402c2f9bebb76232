package contract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func TestRule(t *testing.T) {
	w, s := asked(t)
	id := w.ask(s)
	ofOwner := []string{operator}
	for _, c := range []struct {
		function string
		args     any
		excluded []string
	}{
		{ledger.FnRegisterMaker, ledger.RegisterMaker{}, []string{operator, rival}},
		{ledger.FnPublishKey, contracttest.SRSKey(w.srs), []string{operator, rival}},
		{ledger.FnRegisterFleet, fleetArgs("x"), []string{lender}}, // the caller, whoever it is
		{ledger.FnEnrol, ledger.Enrol{Fleet: fleetID}, ofOwner},
		{ledger.FnRetire, ledger.Retire{Fleet: fleetID}, ofOwner},
		{ledger.FnAnchor, ledger.AnchorChunk{Fleet: fleetID}, ofOwner},
		{ledger.FnRequest, ledger.Ask{Statement: s.Canonical()}, ofOwner},
		{ledger.FnDecide, ledger.Decide{Request: id}, ofOwner},
		{ledger.FnSubmitProof, ledger.SubmitProof{Request: id}, ofOwner},
		{ledger.FnWithdraw, ledger.RequestRef{Request: id}, ofOwner},
	} {
		call := ledger.Call{Function: c.function, Args: ledger.Encode(c.args)}
		rule, err := contract.Rule(w.genesis, w.state.Begin(), w.tx(lender), call)
		if err != nil {
			t.Errorf("%s: %v", c.function, err)
			continue
		}
		want := ledger.EndorsementRule{Regulators: 1, Others: 1, Excluded: c.excluded}
		if diff := cmp.Diff(want, rule); diff != "" {
			t.Errorf("%s: %s", c.function, diff)
		}
		if err := rule.Check(w.genesis, []string{operator, lender}); ledger.CodeOf(err) != ledger.NotEndorsed {
			t.Errorf("%s: an owner and a lender are enough: %v", c.function, err)
		}
	}
}

func TestRuleOfWhatIsNotThereIsAnError(t *testing.T) {
	w := newWorld(t)
	for function, args := range map[string]any{
		ledger.FnEnrol: ledger.Enrol{Fleet: "fleet-x"}, ledger.FnAnchor: ledger.AnchorChunk{Fleet: "fleet-x"}, ledger.FnRetire: ledger.Retire{Fleet: "fleet-x"},
		ledger.FnDecide: ledger.Decide{}, ledger.FnSubmitProof: ledger.SubmitProof{}, ledger.FnWithdraw: ledger.RequestRef{},
		ledger.FnRequest: ledger.Ask{}, "fleets": ledger.Nothing{}, ledger.QueryFacts: ledger.Nothing{},
	} {
		if _, err := contract.Rule(w.genesis, w.state.Begin(), w.tx(operator), ledger.Call{Function: function, Args: ledger.Encode(args)}); err == nil {
			t.Errorf("%s has a rule", function)
		}
	}
}

// A fleet that is the rival's counts out the rival, not the caller.
func TestRuleIsOfTheFleetNotOfTheCaller(t *testing.T) {
	w := newWorld(t)
	call := ledger.Call{Function: ledger.FnRetire, Args: ledger.Encode(ledger.Retire{Fleet: "fleet-b"})}
	rule, err := contract.Rule(w.genesis, w.state.Begin(), w.tx(operator), call)
	if err != nil || rule.Excluded[0] != rival {
		t.Errorf("rule is %+v, %v", rule, err)
	}
}
