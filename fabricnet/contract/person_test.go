package contract_test

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

// A policy may ask for a person, of which the record tells.
func TestPolicyAsksForAPerson(t *testing.T) {
	w := settled(t)
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte("@id(\"asks\")\n@approval(\"person\")\n" + lendersOnly[strings.Index(lendersOnly, "permit"):])})
	id, _ := w.asks(nil)
	if a := w.assess(id); !a.Allowed || a.Approval != policy.Person {
		t.Errorf("the assessment is %+v", a)
	}
	w.must(operator, ledger.FnDecide, approval(id))
	e := query[ledger.RequestEntry](w, ledger.QueryRequest, ledger.RequestRef{Request: id})
	if e.Decision.Approval != policy.Person || len(e.Decision.Policies) != 2 || strings.Join(e.Decision.PolicyIDs, " ") != "anything asks" {
		t.Errorf("the decision is %+v", e.Decision)
	}
}

const persons = `@id("persons")
@approval("person")
permit (principal, action, resource);
`

// What was approved without a person is not proven once a policy asks for one.
func TestPersonIsAskedForAfterApproval(t *testing.T) {
	w := settled(t)
	id, s := w.approved(nil)
	w.begins(id)
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(persons)})
	w.refused(ledger.Forbidden, "wants a person", operator, ledger.FnSubmitProof, w.proof(id, s))
	if a := w.assess(id); a.Allowed || a.Approval != policy.Person || !strings.Contains(strings.Join(a.Reasons, " "), "wants a person") {
		t.Errorf("the assessment is %+v", a)
	}
	other, s := w.approved(nil) // by a person, the owner says
	w.begins(other)
	w.refused(ledger.Invalid, "bundle", operator, ledger.FnSubmitProof, w.proof(other, s))
}
