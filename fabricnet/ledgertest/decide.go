package ledgertest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// decides answers requests, and takes one back.
func (s *suite) decides(t *testing.T) {
	s.decisionRefusals().must(t)
	var c checks
	for _, q := range []question{s.asked.approved, s.asked.settled} {
		c.add("approving", func() error { return s.done(s.approve(s.owner, q)) })
	}
	c.add("withdrawing", func() error { return s.done(s.withdraw(s.financier, s.asked.withdrawn)) })
	c.add("refusing", func() error {
		return s.done(call{by: s.owner, function: ledger.FnDecide, args: ledger.Decide{Request: s.asked.refused.id, Reasons: []string{"no grant"}}})
	})
	c.must(t)
	c = nil
	for name, again := range map[string]call{
		"approving again":         s.approve(s.owner, s.asked.approved),
		"approving what was not":  s.approve(s.owner, s.asked.refused),
		"withdrawing again":       s.withdraw(s.financier, s.asked.withdrawn),
		"deciding what was taken": s.approve(s.owner, s.asked.withdrawn),
		"withdrawing an approved": s.withdraw(s.financier, s.asked.approved),
	} {
		c.add(name, func() error { return s.refused(ledger.Conflict, again) })
	}
	c.must(t)
	s.showsDecisions(t)
}

func (s *suite) decisionRefusals() (c checks) {
	for _, org := range s.but(s.owner) {
		c.add("not the fleet's owner", func() error { return s.refused(ledger.Forbidden, s.approve(org, s.asked.approved)) })
	}
	for _, org := range s.but(s.financier) {
		c.add("not the requester", func() error { return s.refused(ledger.Forbidden, s.withdraw(org, s.asked.approved)) })
	}
	c.add("no such request", func() error { return s.refused(ledger.NotFound, s.approve(s.owner, question{})) })
	c.add("withdrawing no request", func() error { return s.refused(ledger.NotFound, s.withdraw(s.financier, question{})) })
	for name, a := range map[string]ledger.Decide{
		"a no without reasons": {Request: s.asked.approved.id},
		"an empty reason":      {Request: s.asked.approved.id, Approve: true, Reasons: []string{""}},
		"too many reasons":     {Request: s.asked.approved.id, Approve: true, Reasons: slices.Repeat([]string{"x"}, 100)},
	} {
		c.add(name, func() error { return s.refused(ledger.Invalid, call{by: s.owner, function: ledger.FnDecide, args: a}) })
	}
	return c
}

func (s *suite) approve(by string, q question) call {
	return call{by: by, function: ledger.FnDecide, args: ledger.Decide{Request: q.id, Approve: true, Reasons: []string{"granted"}}}
}

func (s *suite) withdraw(by string, q question) call {
	return call{by: by, function: ledger.FnWithdraw, args: ledger.RequestRef{Request: q.id}}
}

func (s *suite) showsDecisions(t *testing.T) {
	s.showsRequest(t, s.asked.open, ledger.StatusOpen)
	if e := s.showsRequest(t, s.asked.withdrawn, ledger.StatusWithdrawn); e.Decision != nil || e.Withdrawal == nil {
		t.Errorf("what followed the withdrawn request: %+v", e)
	}
	if e := s.showsRequest(t, s.asked.refused, ledger.StatusRefused); e.Decision == nil || e.Decision.Approved || !slices.Equal(e.Decision.Reasons, []string{"no grant"}) {
		t.Errorf("what followed the refused request: %+v", e)
	}
	approved := s.showsRequest(t, s.asked.approved, ledger.StatusApproved)
	if approved.Decision == nil || !approved.Decision.Approved || approved.Verdict != nil || approved.Withdrawal != nil {
		t.Errorf("what followed the approved request: %+v", approved)
	}
	found := slices.IndexFunc(must[[]ledger.RequestEntry](t)(s.as(s.financier).Requests(s.ctx)), func(e ledger.RequestEntry) bool { return e.ID == s.asked.approved.id })
	if found < 0 {
		t.Error("the approved request is not listed")
	}
	list := must[[]ledger.TrustRequest](t)(s.as(s.regulator).Asked(s.ctx, ledger.EpochRef{Fleet: s.closed, Epoch: s.over}))
	want := ledger.TrustRequest{ID: s.asked.settled.id, Fleet: s.closed, Epoch: s.over, Requester: s.regulator, Status: ledger.StatusApproved}
	for i := range list {
		list[i].Time = 0
	}
	if diff := cmp.Diff([]ledger.TrustRequest{want}, list); diff != "" {
		t.Errorf("asked about %s: %s", s.closed, diff)
	}
	checks{{"no such request", func() error {
		return s.queryRefused(ledger.NotFound, s.owner, ledger.QueryRequest, ledger.RequestRef{Request: commit.Digest{1}})
	}}, {"asked about no such fleet", func() error {
		return s.queryRefused(ledger.NotFound, s.owner, ledger.QueryAsked, ledger.EpochRef{Fleet: "none-" + s.run, Epoch: s.over})
	}}}.must(t)
}
