package contract_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// asks has the lender, or who the change says, ask about epoch 11 of fleet-a.
func (w *world) asks(change func(*statement.Statement)) (commit.Digest, *statement.Statement) {
	w.t.Helper()
	w.nonce++
	s := contracttest.Statement(fleetID, 11, w.nonce, w.genesis.EpochStart(14).Add(12*time.Hour))
	if change != nil {
		change(s)
	}
	w.must(s.Requester, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()})
	return s.Digest(w.id), s
}

func approval(id commit.Digest) ledger.Decide { return ledger.Decide{Request: id, Approve: true} }

// notApproved tries to approve a request, which is asked first, and looks for the reason in the contract's assessment too.
func (w *world) notApproved(why string, change func(*statement.Statement)) {
	w.t.Helper()
	id, _ := w.asks(change)
	w.deniedApproval(why, id)
}

// notAsked tries to ask.
func (w *world) notAsked(code ledger.Code, why string, change func(*statement.Statement)) {
	w.t.Helper()
	w.nonce++
	s := contracttest.Statement(fleetID, 11, w.nonce, w.genesis.EpochStart(14).Add(12*time.Hour))
	change(s)
	w.refused(code, why, s.Requester, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()})
}

func (w *world) deniedApproval(why string, id commit.Digest) {
	w.t.Helper()
	w.refused(ledger.Forbidden, why, operator, ledger.FnDecide, approval(id))
	a := w.assess(id)
	if a.Allowed || !strings.Contains(strings.Join(a.Reasons, "; "), why) {
		w.t.Errorf("the assessment is %+v, want %q", a, why)
	}
	for _, reason := range a.Reasons {
		if err := ledger.CheckText("reason", reason, ledger.MaxReason, true); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) assess(id commit.Digest) ledger.Assessment {
	w.t.Helper()
	return query[ledger.Assessment](w, ledger.QueryAssess, ledger.Assess{Request: id})
}

// grants makes a grant of fleet-a under the permissive policy.
func (w *world) grants(id string, change func(*policy.Terms)) {
	w.t.Helper()
	terms := contracttest.Terms(fleetID)
	terms.ID = id
	if change != nil {
		change(&terms)
	}
	terms.Sort()
	w.must(operator, ledger.FnGrant, ledger.Grant{Terms: terms})
}

// under makes a statement name a grant.
func under(grant string) func(*statement.Statement) {
	return func(s *statement.Statement) { s.Grant = grant }
}

func (w *world) grantEntry(id string) ledger.GrantEntry {
	w.t.Helper()
	return query[ledger.GrantEntry](w, ledger.QueryGrant, ledger.GrantRef{Owner: operator, Grant: id})
}

const lendersOnly = `@id("lenders")
permit (principal in Role::"financier", action == Action::"prove", resource);
`

func TestPublishPolicy(t *testing.T) {
	w := newWorld(t)
	first := commit.Digest(sha256.Sum256(contracttest.PermissivePolicy()))
	w.refused(ledger.Conflict, "is in force", operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(lendersOnly)})
	p := query[ledger.PolicyRecord](w, ledger.QueryPolicy, ledger.PolicyRef{Owner: operator})
	if string(p.Text) != lendersOnly || p.Version != 2 || p.Digest != sha256.Sum256([]byte(lendersOnly)) || p.Owner != operator {
		t.Errorf("in force is %+v", p)
	}
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	if p := query[ledger.PolicyRecord](w, ledger.QueryPolicy, ledger.PolicyRef{Owner: operator}); p.Version != 3 || p.Digest != first {
		t.Errorf("in force again is %+v", p)
	}
	if p := query[ledger.PolicyRecord](w, ledger.QueryPolicy, ledger.PolicyRef{Owner: operator, Digest: &first}); p.Version != 1 {
		t.Errorf("as it was published first it is %+v", p)
	}
	list := query[[]ledger.PolicyEntry](w, ledger.QueryPolicies, ledger.PoliciesOf{Owner: operator})
	if len(list) != 2 || list[0].InForce == list[1].InForce || list[0].InForce != (list[0].Digest == first) {
		t.Errorf("policies are %+v", list)
	}
	for _, org := range []string{lender, regulator} {
		w.refused(ledger.Forbidden, "role of owner", org, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(lendersOnly)})
	}
	for name, text := range map[string]string{
		"nothing": "", "no id": "permit (principal, action, resource);", "garbage": "permit", "too long": strings.Repeat(" ", policy.MaxText+1),
		"unknown attribute": `@id("a") permit (principal, action, resource) when { context.weather == "fine" };`,
	} {
		t.Run(name, func(*testing.T) {
			w.refused(ledger.Invalid, "policy", operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(text)})
		})
	}
}

func TestGrant(t *testing.T) {
	w, _ := asked(t)
	terms := contracttest.Terms(fleetID)
	terms.ID, terms.Answers, terms.Budget = "twice", 2, "10"
	terms.NotBefore, terms.NotAfter = w.now.Add(time.Hour).Unix(), w.genesis.EpochStart(13).Unix()
	w.must(operator, ledger.FnGrant, ledger.Grant{Terms: terms})
	status := func(want ledger.GrantStatus) {
		t.Helper()
		if e := w.grantEntry("twice"); e.Status != want {
			t.Errorf("the grant is %s, want %s", e.Status, want)
		}
	}
	status(ledger.GrantPending)
	brief := func(s *statement.Statement) { s.Grant, s.Expiry = "twice", w.genesis.EpochStart(13) }
	w.notApproved("the grant begins on", brief)
	w.at(12, 2*time.Hour)
	status(ledger.GrantActive)
	w.notApproved("after the grant's end", func(s *statement.Statement) { s.Grant, s.Expiry = "twice", w.genesis.EpochStart(13).Add(time.Second) })
	for range 2 {
		id, _ := w.asks(brief)
		w.must(operator, ledger.FnDecide, approval(id))
		e := query[ledger.RequestEntry](w, ledger.QueryRequest, ledger.RequestRef{Request: id})
		want := &ledger.Decision{
			Approved: true, Grant: "twice", Policies: []commit.Digest{sha256.Sum256(contracttest.PermissivePolicy())}, PolicyIDs: []string{"anything"}, Cost: "1",
			Time: e.Decision.Time, TxID: e.Decision.TxID,
		}
		if diff := cmp.Diff(want, e.Decision); diff != "" {
			t.Error(diff)
		}
	}
	status(ledger.GrantUsedUp)
	if e := w.grantEntry("twice"); e.Spent.Answers != 2 || e.Spent.Units[fleetID] != 2_000_000 {
		t.Errorf("spent is %+v", e.Spent)
	}
	w.at(13, time.Second)
	status(ledger.GrantExpired)
	w.must(operator, ledger.FnRevoke, ledger.Revoke{Grant: "twice", Reason: "over anyway"})
	status(ledger.GrantRevoked)
}

func TestGrantRefusals(t *testing.T) {
	w := newWorld(t)
	change := func(f func(*policy.Terms)) ledger.Grant {
		terms := contracttest.Terms(fleetID)
		terms.ID = "other"
		f(&terms)
		return ledger.Grant{Terms: terms}
	}
	as := func(*policy.Terms) {}
	for _, org := range []string{lender, regulator} {
		w.refused(ledger.Forbidden, "role of owner", org, ledger.FnGrant, change(as))
	}
	w.refused(ledger.Forbidden, "belongs to operator", rival, ledger.FnGrant, change(as))
	w.refused(ledger.Forbidden, "belongs to rival", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.Fleets = []string{fleetID, "fleet-b"} }))
	w.refused(ledger.NotFound, "fleet-x", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.Fleets = []string{"fleet-x"} }))
	w.refused(ledger.Conflict, "exists", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.ID = contracttest.GrantID }))
	w.refused(ledger.NotFound, "nobody", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.Grantee = "nobody" }))
	w.refused(ledger.Invalid, "cannot ask", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.Grantee = rival }))
	w.refused(ledger.Expired, "ended", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.NotAfter = w.now.Unix() - 1 }))
	w.refused(ledger.Invalid, "terms", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.MinimumCohort = 0 }))
	for _, id := range []string{"", "a/b", "A", "-a"} {
		w.refused(ledger.Invalid, "terms", operator, ledger.FnGrant, change(func(t *policy.Terms) { t.ID = id }))
	}
	w.refused(ledger.Forbidden, "role of owner", lender, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "mine"})
	w.refused(ledger.NotFound, "rival has made no grant", rival, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "mine"})
	w.refused(ledger.Invalid, "reason", operator, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID})
	w.refused(ledger.Invalid, "grant", operator, ledger.FnRevoke, ledger.Revoke{Grant: "a/b", Reason: "no"})
	w.must(operator, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "enough"})
	w.refused(ledger.Conflict, "is revoked", operator, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "again"})
}

func TestGrantsArePaged(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		w.grants(id, func(t *policy.Terms) {
			if id > "b" {
				t.Grantee = regulator
			}
		})
	}
	list := func(q ledger.GrantsQuery) (ids []string) {
		for {
			page := query[ledger.GrantsPage](w, ledger.QueryGrants, q)
			for _, e := range page.Entries {
				ids = append(ids, e.Grant.Terms.ID)
			}
			if page.Next == "" {
				return ids
			}
			q.After = page.Next
		}
	}
	for name, c := range map[string]struct {
		q    ledger.GrantsQuery
		want []string
	}{
		"all":            {ledger.GrantsQuery{}, []string{"a", "b", "c", "d", contracttest.GrantID}},
		"one at a time":  {ledger.GrantsQuery{Limit: 1}, []string{"a", "b", "c", "d", contracttest.GrantID}},
		"of an owner":    {ledger.GrantsQuery{Limit: 2, Owner: operator}, []string{"a", "b", "c", "d", contracttest.GrantID}},
		"of another":     {ledger.GrantsQuery{Owner: rival}, nil},
		"of a grantee":   {ledger.GrantsQuery{Limit: 1, Grantee: regulator}, []string{"c", "d"}},
		"behind one":     {ledger.GrantsQuery{After: operator + "/b", Owner: operator}, []string{"c", "d", contracttest.GrantID}},
		"behind another": {ledger.GrantsQuery{After: rival + "/b", Owner: operator}, nil},
		"before it":      {ledger.GrantsQuery{After: lender + "/b", Owner: operator}, []string{"a", "b", "c", "d", contracttest.GrantID}},
	} {
		if diff := cmp.Diff(c.want, list(c.q)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
