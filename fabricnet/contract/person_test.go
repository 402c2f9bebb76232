package contract_test

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
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

// Where a policy asks for a person, an approval that says that there was none is refused, and a refusal is not.
func TestAutomaticApprovalIsNoPersons(t *testing.T) {
	w := settled(t)
	plain, _ := w.asks(nil)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: plain, Approve: true, Automatic: true})
	if e := query[ledger.RequestEntry](w, ledger.QueryRequest, ledger.RequestRef{Request: plain}); !e.Decision.Automatic || e.Decision.Approval != "" {
		t.Errorf("the decision is %+v", e.Decision)
	}
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(persons)})
	id, _ := w.asks(nil)
	w.refused(ledger.Forbidden, "wants a person", operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true, Automatic: true})
	w.must(operator, ledger.FnDecide, approval(id))
	other, _ := w.asks(nil)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: other, Automatic: true, Reasons: []string{"no"}})
}

// The same of the parts of queries.
func TestAutomaticAnswerIsNoPersons(t *testing.T) {
	w := queriesWorld(t)
	automatic := func(id commit.Digest, owner string) ledger.Answer {
		a := yes(id, owner)
		a.Automatic = true
		return a
	}
	id := w.asksQuery(w.federated(nil))
	w.must(east, ledger.FnAnswer, automatic(id, east))
	w.must(north, ledger.FnAnswer, yes(id, north))
	w.must(north, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(persons)})
	w.must(south, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(persons)})
	w.refused(ledger.Forbidden, "wants a person", south, ledger.FnAnswer, automatic(id, south))
	w.must(south, ledger.FnAnswer, yes(id, south))
	e := w.queryEntry(id)
	for i, want := range []ledger.Decision{{Automatic: true}, {}, {Approval: policy.Person}} {
		if d := e.Answers[i].Decision; d.Automatic != want.Automatic || d.Approval != want.Approval {
			t.Errorf("answer %d is %+v", i, d)
		}
	}
	running := w.beginsQuery(id).until(ledger.RoundActivate) // a person approved the part of north, though nobody had to
	w.must(east, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(persons)})
	w.refused(ledger.Forbidden, "wants a person", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	w.refused(ledger.Forbidden, "wants a person", lender, ledger.FnPost, running.entry(ledger.RoundActivate, lender))
}

// What was approved without a person is not proven once a policy asks for one.
func TestPersonIsAskedForAfterApproval(t *testing.T) {
	w := settled(t)
	id, s := w.asks(nil)
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true, Automatic: true})
	byPerson, theirs := w.approved(nil)
	w.begins(id)
	w.begins(byPerson)
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(persons)})
	w.refused(ledger.Invalid, "bundle", operator, ledger.FnSubmitProof, w.proof(byPerson, theirs)) // that is all that is wrong with it
	w.refused(ledger.Forbidden, "wants a person", operator, ledger.FnSubmitProof, w.proof(id, s))
	if a := w.assess(id); a.Allowed || a.Approval != policy.Person || !strings.Contains(strings.Join(a.Reasons, " "), "wants a person") {
		t.Errorf("the assessment is %+v", a)
	}
	other, s := w.approved(nil) // by a person, the owner says
	w.begins(other)
	w.refused(ledger.Invalid, "bundle", operator, ledger.FnSubmitProof, w.proof(other, s))
}
