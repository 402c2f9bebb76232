package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// settled is a world in which epoch 11 of fleet-a is anchored, so that proofs about it are looked at.
func settled(t *testing.T) *world {
	w, d := anchorable(t)
	w.anchor(11, w.attested(11, 0, d))
	return w
}

// approved asks and approves.
func (w *world) approved(change func(*statement.Statement)) (commit.Digest, *statement.Statement) {
	w.t.Helper()
	id, s := w.asks(change)
	w.must(operator, ledger.FnDecide, approval(id))
	return id, s
}

// begins says that a proof is begun.
func (w *world) begins(id commit.Digest) {
	w.t.Helper()
	w.must(operator, ledger.FnStartProof, ledger.RequestRef{Request: id})
}

func (w *world) proof(id commit.Digest, s *statement.Statement) ledger.SubmitProof {
	return ledger.SubmitProof{Request: id, Bundle: bundle(w.t, s)}
}

func TestGrantUsedAfterRevocation(t *testing.T) {
	w := settled(t)
	id, s := w.approved(nil)
	other, _ := w.asks(nil)
	w.must(operator, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "the loan is repaid"})
	w.deniedApproval("was revoked at", other)
	w.refused(ledger.Forbidden, "the loan is repaid", operator, ledger.FnSubmitProof, w.proof(id, s))
	if a := w.assess(id); a.Allowed || a.GrantStatus != ledger.GrantRevoked {
		t.Errorf("the assessment is %+v", a)
	}
	w.must(operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"the grant is revoked"}})
}

// Whatever was endorsed before a revocation is void once it is recorded: it stands on the key that the revocation writes.
func TestRevocationVoidsWhatIsHeldBack(t *testing.T) {
	w := settled(t)
	id, _ := w.asks(nil)
	key := ledger.RevokedKey(operator, contracttest.GrantID)
	if !w.reads(operator, ledger.FnDecide, approval(id))[key] {
		t.Error("an approval does not stand on the grant's not being revoked")
	}
	for _, key := range []string{ledger.PolicyHeadKey(operator), ledger.SpentKey(operator, contracttest.GrantID), ledger.AnsweredPrefix(fleetID, 11)} {
		if !w.reads(operator, ledger.FnDecide, approval(id))[key] {
			t.Errorf("an approval does not stand on %s", key)
		}
	}
}

func TestGrantUsedByAnotherOrganisation(t *testing.T) {
	w := settled(t)
	w.notAsked(ledger.Forbidden, "is lender's, not regulator's", func(s *statement.Statement) { s.Requester = regulator })
}

// A regulator needs a grant as everybody does.
func TestNothingIsApprovedWithoutAGrant(t *testing.T) {
	w := settled(t)
	for _, org := range []string{lender, regulator} {
		w.notAsked(ledger.Invalid, "names no grant", func(s *statement.Statement) { s.Requester, s.Grant = org, "" })
		w.notAsked(ledger.NotFound, "made no grant none", func(s *statement.Statement) { s.Requester, s.Grant = org, "none" })
		for _, name := range []string{"a/../b", "operator/" + contracttest.GrantID, strings.Repeat("x", 100)} {
			w.notAsked(ledger.Invalid, "grant", func(s *statement.Statement) { s.Requester, s.Grant = org, name })
		}
	}
	w.must(rival, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	theirs := contracttest.Terms("fleet-b")
	theirs.ID = "of-another-owner"
	w.must(rival, ledger.FnGrant, ledger.Grant{Terms: theirs})
	w.notAsked(ledger.NotFound, "operator has made no grant", under("of-another-owner"))
	w.grants("supervision", func(t *policy.Terms) { t.Grantee = regulator })
	w.approved(func(s *statement.Statement) { s.Requester, s.Grant = regulator, "supervision" })
}

func TestGrantUsedAfterItsLastUse(t *testing.T) {
	w := settled(t)
	w.grants("once", func(t *policy.Terms) { t.Answers = 1 })
	w.approved(under("once"))
	w.notApproved("answer", under("once"))
}

func TestGrantUsedBeyondItsBudget(t *testing.T) {
	w := settled(t)
	w.grants("budget", func(t *policy.Terms) { t.Budget, t.CostClaim = "2.5", "1.000001" })
	w.approved(under("budget"))
	w.approved(under("budget"))
	w.notApproved("budget", under("budget"))
}

// Two approvals on one state read and write what the grant has spent, so a ledger takes one of them.
func TestGrantUsedTwiceAtOnce(t *testing.T) {
	w := settled(t)
	w.grants("once", func(t *policy.Terms) { t.Answers = 1 })
	first, _ := w.asks(under("once"))
	second, _ := w.asks(under("once"))
	key := ledger.SpentKey(operator, "once")
	for _, id := range []commit.Digest{first, second} {
		if !w.reads(operator, ledger.FnDecide, approval(id))[key] {
			t.Errorf("the approval of %s does not stand on %s", id, key)
		}
	}
	w.must(operator, ledger.FnDecide, approval(first))
	if w.state.Value(key) == nil {
		t.Errorf("the approval does not write %s", key)
	}
	w.deniedApproval("answer", second)
}

const nothing = `@id("closed")
forbid (principal, action, resource);
`

func TestPolicyChangedBetweenApprovalAndProof(t *testing.T) {
	w := settled(t)
	id, s := w.approved(nil)
	w.begins(id)
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(nothing)})
	w.refused(ledger.Forbidden, "closed", operator, ledger.FnSubmitProof, w.proof(id, s))
	if a := w.assess(id); a.Allowed || len(a.Policies) != 2 {
		t.Errorf("the assessment is %+v", a)
	}
	// Widening again is enough for what was granted under a wide policy, and never for what was granted under a narrow one.
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(lendersOnly)})
	w.refused(ledger.Invalid, "bundle", operator, ledger.FnSubmitProof, w.proof(id, s))
}

func TestGrantIsBoundToItsOwnPolicy(t *testing.T) {
	w := settled(t)
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(nothing)})
	narrow := query[ledger.PolicyRecord](w, ledger.QueryPolicy, ledger.PolicyRef{Owner: operator})
	w.grants("narrow", func(t *policy.Terms) { t.Policy = narrow.Digest.String() })
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	w.notApproved("closed", under("narrow"))
	w.approved(nil)
}

func TestPurposeSwappedAfterApproval(t *testing.T) {
	w := settled(t)
	id, s := w.approved(nil)
	swapped := *s
	swapped.Purpose = "marketing"
	w.refused(ledger.Invalid, "not request", operator, ledger.FnSubmitProof, ledger.SubmitProof{Request: id, Bundle: bundle(t, &swapped)})
	w.refused(ledger.NotFound, "not known", operator, ledger.FnSubmitProof, w.proof(swapped.Digest(w.id), &swapped))
	w.notApproved("marketing", func(s *statement.Statement) { s.Purpose = "marketing" })
}

func TestRequestReplayed(t *testing.T) {
	w := settled(t)
	_, s := w.approved(nil)
	w.refused(ledger.Conflict, "nonce", lender, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()})
	w.refused(ledger.Forbidden, "requester", regulator, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()})
}

func TestProofTakenFromOneRequestForAnother(t *testing.T) {
	w := settled(t)
	_, s := w.approved(nil)
	other, _ := w.approved(nil)
	w.refused(ledger.Invalid, "not request", operator, ledger.FnSubmitProof, w.proof(other, s))
}

func TestOwnerAnswersWithoutApproval(t *testing.T) {
	w := settled(t)
	id, s := w.asks(nil)
	for _, function := range []string{ledger.FnSubmitProof, ledger.FnStartProof, ledger.FnFail} {
		args := map[string]any{
			ledger.FnSubmitProof: w.proof(id, s), ledger.FnStartProof: ledger.RequestRef{Request: id}, ledger.FnFail: ledger.Fail{Request: id, Reasons: []string{"x"}},
		}[function]
		w.refused(ledger.Conflict, "not approved", operator, function, args)
	}
	w.must(operator, ledger.FnDecide, ledger.Decide{Request: id, Reasons: []string{"no"}})
	w.refused(ledger.Conflict, "not approved", operator, ledger.FnSubmitProof, w.proof(id, s))
}

// What an owner publishes is its own: no other's grant can rest on it.
func TestPolicyPublishedUnderAnothersName(t *testing.T) {
	w := settled(t)
	w.must(rival, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(lendersOnly)})
	theirs := query[ledger.PolicyRecord](w, ledger.QueryPolicy, ledger.PolicyRef{Owner: rival})
	terms := contracttest.Terms(fleetID)
	terms.ID, terms.Policy = "theirs", theirs.Digest.String()
	w.refused(ledger.NotFound, "operator has published no policy", operator, ledger.FnGrant, ledger.Grant{Terms: terms})
	w.refused(ledger.Forbidden, "belongs to operator", rival, ledger.FnGrant, ledger.Grant{Terms: terms})
	if p := query[ledger.PolicyRecord](w, ledger.QueryPolicy, ledger.PolicyRef{Owner: operator}); p.Digest == theirs.Digest {
		t.Error("another's policy is in force")
	}
}

func TestAlertByNonRegulator(t *testing.T) {
	w := settled(t)
	id, _ := w.asks(nil)
	a := ledger.Alert{Request: id, Text: "the verdict is another", Digest: commit.Digest{7}}
	for _, org := range []string{operator, rival, lender} {
		w.refused(ledger.Forbidden, "role of regulator", org, ledger.FnAlert, a)
	}
	w.refused(ledger.Invalid, "about a request or about a query", regulator, ledger.FnAlert, ledger.Alert{Text: "x"})
	w.refused(ledger.Invalid, "about a request or about a query", regulator, ledger.FnAlert, ledger.Alert{Request: id, Query: id, Text: "x"})
	w.refused(ledger.NotFound, "request "+commit.Digest{1}.String(), regulator, ledger.FnAlert, ledger.Alert{Request: commit.Digest{1}, Text: "x"})
	w.refused(ledger.NotFound, "query "+id.String(), regulator, ledger.FnAlert, ledger.Alert{Query: id, Text: "x"})
	w.refused(ledger.Invalid, "text", regulator, ledger.FnAlert, ledger.Alert{Request: id})
	w.refused(ledger.Invalid, "text", regulator, ledger.FnAlert, ledger.Alert{Request: id, Text: strings.Repeat("x", ledger.MaxAlert+1)})
	for range 3 {
		w.must(regulator, ledger.FnAlert, a)
		w.now = w.now.Add(time.Second)
	}
	var seen []ledger.AlertRecord
	q := ledger.AlertsQuery{Limit: 2}
	for pages := 0; ; pages++ {
		page := query[ledger.AlertsPage](w, ledger.QueryAlerts, q)
		seen = append(seen, page.Entries...)
		if q.After = page.Cursor; page.Next == "" || pages > 3 {
			break
		}
	}
	if len(seen) != 3 || seen[0].Time >= seen[2].Time || seen[0].Organisation != regulator || seen[0].Request != id || seen[0].Digest != a.Digest {
		t.Errorf("alerts are %+v", seen)
	}
	if page := query[ledger.AlertsPage](w, ledger.QueryAlerts, q); len(page.Entries) != 0 || page.Cursor != q.After {
		t.Errorf("behind the last alert there are %+v", page)
	}
}

func TestLanesOutsideTheGrant(t *testing.T) {
	w := settled(t)
	w.grants("health", func(t *policy.Terms) {
		t.Lanes, t.Disclose = []string{"state_of_health"}, []string{"count", "state_of_health"}
	})
	w.approved(func(s *statement.Statement) { s.Grant, s.Disclose = "health", []string{"count", "state_of_health"} })
	w.notApproved("age_days", func(s *statement.Statement) { s.Grant, s.Disclose = "health", []string{"age_days"} })
	w.notApproved("fault_count", func(s *statement.Statement) {
		s.Grant, s.Cohort, s.Disclose = "health", []statement.Range{{Lane: "fault_count", Max: "3"}}, []string{"count"}
	})
	w.notApproved("age_days", func(s *statement.Statement) {
		s.Grant = "health"
		s.Claims = append(s.Claims, statement.Claim{Terms: []statement.Term{{Total: "age_days", Coefficient: "-1"}}, AtLeast: "-9000"})
	})
}

func valued(factor string) func(*statement.Statement) {
	return func(s *statement.Statement) {
		s.Grant, s.Disclose = "valued", []string{"value"}
		s.Valuation = &statement.Valuation{Price: "100.00", Currency: "EUR", Curves: []statement.Curve{
			{Lane: "state_of_health", Knots: []statement.Knot{{At: "0", Factor: factor}, {At: "100.00", Factor: "1"}}},
		}}
	}
}

func TestModelOutsideTheGrant(t *testing.T) {
	w := settled(t)
	s := contracttest.Statement(fleetID, 11, 1, w.now)
	valued("0.5")(s)
	q, err := ledger.QuestionOf(s, ledger.Asker{Time: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.grants("valued", func(t *policy.Terms) { t.Models, t.MaxPrice = []string{q.Model}, "250.00" })
	w.approved(func(s *statement.Statement) { valued("0.500000")(s); s.Valuation.Price = "250.00" })
	w.notApproved("model", valued("0.4"))
	w.notApproved("the grant's highest is 250.00", func(s *statement.Statement) { valued("0.5")(s); s.Valuation.Price = "250.01" })
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte("@id(\"cheap\") permit (principal, action, resource) when { context.price <= 10000 };")})
	w.approved(valued("0.5"))
	w.notApproved("context.price", func(s *statement.Statement) { valued("0.5")(s); s.Valuation.Price = "100.01" })
}
