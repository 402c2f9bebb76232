package ledgertest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// attacks tries what grants are to stop. The epoch is settled, so that a proof is looked at at once; requests about it live on.
func (s *suite) attacks() []scene {
	return []scene{
		{"a grant used by another organisation", s.usesAnothersGrant, false},
		{"nothing without a grant", s.needsAGrant, false},
		{"outside the grant", s.staysOutside, false},
		{"a grant used after its last use, and twice at once", s.usesItUp, false},
		{"a grant used after revocation", s.usesARevokedGrant, false},
		{"a policy changed between approval and proof", s.changesThePolicy, false},
		{"a purpose swapped after approval", s.swapsThePurpose, false},
		{"a proof taken from one request for another", s.takesAnothersProof, false},
		{"a policy published under another's name", s.publishesForAnother, false},
		{"overlapping cohorts", s.overlaps, false},
		{"failure", s.fails, false},
		{"proofs that verify", s.verifies, false},
		{"alerts", s.alerts, false},
	}
}

// asks puts a question about the settled fleet.
func (s *suite) asks(t *testing.T, requester string, change func(*statement.Statement)) question {
	t.Helper()
	q := question{statement: s.statement(requester, s.closed, s.over, s.Genesis.EpochEnd(s.over+100)), requester: requester}
	if change != nil {
		change(q.statement)
	}
	var err error
	if q.id, _, err = s.as(requester).Request(s.ctx, q.statement); err != nil {
		t.Fatal(err)
	}
	return q
}

// asksUnder makes a grant, and puts a question under it.
func (s *suite) asksUnder(t *testing.T, id string, terms func(*policy.Terms), change func(*statement.Statement)) question {
	t.Helper()
	s.mustSubmit(t, s.grantCall(s.owner, s.terms(id+"-"+s.run, s.financier, terms)))
	return s.asksAgain(t, id, change)
}

func (s *suite) asksAgain(t *testing.T, id string, change func(*statement.Statement)) question {
	t.Helper()
	return s.asks(t, s.financier, func(q *statement.Statement) {
		q.Grant = id + "-" + s.run
		if change != nil {
			change(q)
		}
	})
}

// denied wants an approval to be refused, and the assessment to say why.
func (s *suite) denied(t *testing.T, why string, q question) {
	t.Helper()
	checks{{why, func() error { return s.refused(ledger.Forbidden, s.approve(s.owner, q)) }}}.must(t)
	a := must[ledger.Assessment](t)(s.as(s.financier).Assess(s.ctx, q.id))
	if a.Allowed || !strings.Contains(strings.Join(a.Reasons, "; "), why) {
		t.Errorf("assessment of what must be refused for %q: %+v", why, a)
	}
	s.showsRequest(t, q, ledger.StatusOpen)
}

func (s *suite) usesAnothersGrant(t *testing.T) {
	s.notAsked(ledger.Forbidden, s.regulator, s.grantOf(s.financier)).must(t)
}

// notAsked tries to ask under a grant.
func (s *suite) notAsked(code ledger.Code, org, grant string) checks {
	q := s.statement(org, s.closed, s.over, s.Genesis.EpochEnd(s.over+100))
	q.Grant = grant
	return checks{{org + " asks under " + grant, func() error { return s.refused(code, s.ask(org, q)) }}}
}

func (s *suite) needsAGrant(t *testing.T) {
	for _, org := range []string{s.financier, s.regulator} {
		s.notAsked(ledger.Invalid, org, "").must(t)
		s.notAsked(ledger.Invalid, org, s.owner+"/"+s.grantOf(org)).must(t)
		s.notAsked(ledger.NotFound, org, "none-"+s.run).must(t)
	}
	q := s.asks(t, s.financier, nil)
	checks{{"proving what is not approved", func() error { return s.refused(ledger.Conflict, s.prove(s.owner, q.id, bundle(t, q.statement))) }}}.must(t)
}

func (s *suite) staysOutside(t *testing.T) {
	ages := func(q *statement.Statement) { q.Disclose = []string{"age_days"} }
	s.denied(t, "age_days", s.asksUnder(t, "health", func(t *policy.Terms) { t.Lanes, t.Disclose = []string{"state_of_health"}, []string{"state_of_health"} }, ages))
	s.denied(t, "model", s.asks(t, s.financier, func(q *statement.Statement) {
		q.Valuation = &statement.Valuation{Price: "100.00", Currency: "EUR", Curves: []statement.Curve{{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}}}}}
	}))
	s.denied(t, "marketing", s.asks(t, s.financier, func(q *statement.Statement) { q.Purpose = "marketing" }))
	s.denied(t, "count", s.asks(t, s.financier, func(q *statement.Statement) {
		q.Cohort, q.Claims = []statement.Range{{Lane: "age_days", Max: "9000"}}, nil
	}))
}

// usesItUp approves two requests at the same time under a grant for one answer.
func (s *suite) usesItUp(t *testing.T) {
	for round := range 2 {
		id := fmt.Sprintf("once-%d", round)
		both := []question{s.asksUnder(t, id, func(t *policy.Terms) { t.Answers = 1 }, nil), s.asksAgain(t, id, nil)}
		var errs [2]error
		var wait sync.WaitGroup
		for i := range errs {
			wait.Go(func() { errs[i] = s.done(s.approve(s.owner, both[i])) })
		}
		wait.Wait()
		if errs[0] != nil {
			errs[0], errs[1] = errs[1], errs[0]
			slices.Reverse(both)
		}
		if errs[0] != nil || ledger.CodeOf(errs[1]) != ledger.Forbidden {
			t.Errorf("of two approvals for one answer: %v and %v", errs[0], errs[1])
		}
		s.denied(t, "answer", both[1])
		e := must[ledger.GrantEntry](t)(s.as(s.financier).GrantEntry(s.ctx, s.owner, id+"-"+s.run))
		want := ledger.Spent{Answers: 1, Units: map[string]uint64{s.closed: 1_000_000}}
		if diff := cmp.Diff(want, e.Spent); diff != "" || e.Status != ledger.GrantUsedUp {
			t.Errorf("the grant is %s: %s", e.Status, diff)
		}
	}
}

func (s *suite) usesARevokedGrant(t *testing.T) {
	q, other := s.asksUnder(t, "revoked", nil, nil), s.asksAgain(t, "revoked", nil)
	s.mustSubmit(t, s.approve(s.owner, q))
	revoke := call{by: s.owner, function: ledger.FnRevoke, args: ledger.Revoke{Grant: "revoked-" + s.run, Reason: "the loan is repaid"}}
	r := s.mustSubmit(t, revoke)
	e := must[ledger.GrantEntry](t)(s.as(s.financier).GrantEntry(s.ctx, s.owner, "revoked-"+s.run))
	want := &ledger.Revocation{Reason: "the loan is repaid", Time: result[ledger.Revocation](t, r).Time, TxID: r.TxID}
	if diff := cmp.Diff(want, e.Revocation); diff != "" || e.Status != ledger.GrantRevoked {
		t.Errorf("the grant is %s: %s", e.Status, diff)
	}
	s.denied(t, "the loan is repaid", other)
	checks{
		{"revoking again", func() error { return s.refused(ledger.Conflict, revoke) }},
		{"proving under it", func() error { return s.refused(ledger.Forbidden, s.prove(s.owner, q.id, bundle(t, q.statement))) }},
	}.must(t)
}

func (s *suite) changesThePolicy(t *testing.T) {
	q := s.asks(t, s.financier, nil)
	s.mustSubmit(t, s.approveWithout(q))
	proof := s.prove(s.owner, q.id, bundle(t, q.statement))
	if err := s.as(s.owner).StartProof(s.ctx, q.id); err != nil {
		t.Fatal(err)
	}
	s.publishes(t, forbid)
	checks{{"proving what the policy in force forbids", func() error { return s.refused(ledger.Forbidden, proof) }}}.must(t)
	s.denied(t, "closed", s.asks(t, s.financier, nil))
	s.publishes(t, persons)
	if a := must[ledger.Assessment](t)(s.as(s.owner).Assess(s.ctx, q.id)); a.Allowed || a.Approval != policy.Person || len(a.Policies) != 2 {
		t.Errorf("under a policy that asks for persons: %+v", a)
	}
	checks{{"proving without a person", func() error { return s.refused(ledger.Forbidden, proof) }}}.must(t)
	asked := s.asks(t, s.financier, nil)
	checks{{"approving without a person", func() error { return s.refused(ledger.Forbidden, s.approveWithout(asked)) }}}.must(t)
	if a := must[ledger.Assessment](t)(s.as(s.owner).Assess(s.ctx, asked.id)); !a.Allowed || a.Approval != policy.Person {
		t.Errorf("under a policy that asks for persons: %+v", a)
	}
	s.publishes(t, permit)
	// The policy is in nobody's way any more: the bundle is, which proves nothing.
	checks{{"proving nothing", func() error { return s.refused(ledger.Invalid, proof) }}}.must(t)
}

// approveWithout approves a request, and says that no person did.
func (s *suite) approveWithout(q question) call {
	return call{by: s.owner, function: ledger.FnDecide, args: ledger.Decide{Request: q.id, Approve: true, Automatic: true}}
}

func (s *suite) swapsThePurpose(t *testing.T) {
	q := s.approvedNow(t, nil)
	swapped := *q.statement
	swapped.Purpose = "marketing"
	checks{
		{"another purpose", func() error { return s.refused(ledger.Invalid, s.prove(s.owner, q.id, bundle(t, &swapped))) }},
		{"as another request", func() error {
			return s.refused(ledger.NotFound, s.prove(s.owner, swapped.Digest(s.Genesis.ID()), bundle(t, &swapped)))
		}},
		{"the request replayed", func() error { return s.refused(ledger.Conflict, s.ask(s.financier, q.statement)) }},
	}.must(t)
}

func (s *suite) takesAnothersProof(t *testing.T) {
	q, other := s.approvedNow(t, nil), s.approvedNow(t, nil)
	checks{{"another's proof", func() error { return s.refused(ledger.Invalid, s.prove(s.owner, other.id, bundle(t, q.statement))) }}}.must(t)
}

func (s *suite) publishesForAnother(t *testing.T) {
	if s.rival == "" {
		t.Skip("the ledger has one owner")
	}
	text := s.text("// the rival's\n" + permit)
	s.mustSubmit(t, s.publishCall(s.rival, text))
	terms := s.terms("theirs-"+s.run, s.financier, func(t *policy.Terms) { t.Policy = digestOf(text).String() })
	checks{
		{"a grant on another's policy", func() error { return s.refused(ledger.NotFound, s.grantCall(s.owner, terms)) }},
		{"a grant of another's fleet", func() error { return s.refused(ledger.Forbidden, s.grantCall(s.rival, terms)) }},
	}.must(t)
	if p := must[ledger.PolicyRecord](t)(s.as(s.rival).Policy(s.ctx, s.owner, nil)); p.Digest == digestOf(text) {
		t.Error("another's policy is in force")
	}
}

// overlaps asks about cohorts by their age, of which nothing but the bounds matters, at an epoch about which nothing else is asked.
func (s *suite) overlaps(t *testing.T) {
	aged := func(least, most string, disclose ...string) func(*statement.Statement) {
		return func(q *statement.Statement) {
			q.Epoch, q.Cohort, q.Disclose = s.over-1, []statement.Range{{Lane: "age_days", Min: least, Max: most}}, disclose
		}
	}
	first := s.asks(t, s.financier, aged("100", "200", "count"))
	s.mustSubmit(t, s.approve(s.owner, first))
	s.denied(t, first.id.String(), s.asks(t, s.financier, aged("150", "250", "count")))
	s.denied(t, "count", s.asks(t, s.financier, aged("120", "180")))
	s.denied(t, "not recorded", s.asks(t, s.financier, aged("120", "180", "count")))
	for _, fits := range []func(*statement.Statement){aged("201", "300", "count"), aged("100", "200", "count")} {
		s.mustSubmit(t, s.approve(s.owner, s.asks(t, s.regulator, fits)))
	}
	s.mustSubmit(t, s.fail(first, "somebody else's turn"))
	s.denied(t, first.id.String(), s.asks(t, s.financier, aged("150", "250", "count"))) // it failed, and counts
}

// approvedNow asks and approves.
func (s *suite) approvedNow(t *testing.T, change func(*statement.Statement)) question {
	t.Helper()
	q := s.asks(t, s.financier, change)
	s.mustSubmit(t, s.approve(s.owner, q))
	return q
}

func (s *suite) fail(q question, reason string) call {
	return call{by: s.owner, function: ledger.FnFail, args: ledger.Fail{Request: q.id, Reasons: []string{reason}}}
}

// fails gives an approved request up, whose cohort goes on to count.
func (s *suite) fails(t *testing.T) {
	cycled := func(least, most string) func(*statement.Statement) {
		return func(q *statement.Statement) {
			q.Cohort, q.Disclose = []statement.Range{{Lane: "fault_count", Min: least, Max: most}}, []string{"count"}
		}
	}
	q := s.asksUnder(t, "faults", func(t *policy.Terms) { t.Fleets = []string{s.fleet} }, func(q *statement.Statement) {
		q.Fleet, q.Epoch = s.fleet, s.over-1
		cycled("10", "20")(q)
	})
	s.mustSubmit(t, s.approve(s.owner, q))
	start := call{by: s.owner, function: ledger.FnStartProof, args: ledger.RequestRef{Request: q.id}}
	end := s.fail(q, "too few batteries")
	if err := s.as(s.owner).StartProof(s.ctx, q.id); err != nil {
		t.Error(err)
	}
	if err := s.as(s.owner).StartProof(s.ctx, q.id); err != nil {
		t.Errorf("starting again: %v", err)
	}
	s.showsRequest(t, q, ledger.StatusProving)
	checks{{"starting what is started", func() error { return s.refused(ledger.Conflict, start) }}}.must(t)
	r := s.mustSubmit(t, end)
	e := s.showsRequest(t, q, ledger.StatusFailed)
	want := &ledger.Failure{Reasons: []string{"too few batteries"}, Time: result[ledger.Failure](t, r).Time, TxID: r.TxID}
	if diff := cmp.Diff(want, e.Failure); diff != "" || e.Proving == nil {
		t.Errorf("what followed: %+v %s", e, diff)
	}
	var c checks
	for name, again := range map[string]call{"failing again": end, "starting again": start, "proving": s.prove(s.owner, q.id, bundle(t, q.statement))} {
		c.add(name, func() error { return s.refused(ledger.Conflict, again) })
	}
	c.must(t)
	s.denied(t, q.id.String(), s.asksAgain(t, "faults", func(q *statement.Statement) {
		q.Fleet, q.Epoch = s.fleet, s.over-1
		cycled("15", "25")(q)
	}))
}
