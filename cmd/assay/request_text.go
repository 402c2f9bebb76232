package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// requestText is a request for people: the question in words, then its life.
func requestText(r *assayv1.Request) string {
	var b strings.Builder
	line := fields(&b)
	line("Request", "%s", r.GetId())
	line("Status", "%s", requestStatusText(r.GetStatus()))
	line("Asked", "%s by %s, answer until %s", timeText(r.GetCreatedAt()), r.GetRequester(), timeText(r.GetExpiresAt()))
	for _, name := range slices.Sorted(maps.Keys(r.GetAttributes())) {
		line("", "%s = %s", name, r.GetAttributes()[name])
	}
	lifeText(r, line)
	if s, err := statement.Parse([]byte(r.GetStatement())); err == nil {
		fmt.Fprintf(&b, "\n%s", s.Text())
	}
	return b.String()
}

// lifeText says what followed a request.
func lifeText(r *assayv1.Request, line func(name, format string, args ...any)) {
	if d := r.GetDecision(); d != nil {
		by := decidedBy(d)
		if d.GetApproval() != "" {
			by += ", and a " + d.GetApproval()
		}
		line(map[bool]string{true: "Approved", false: "Refused"}[d.GetApproved()], "%s%s", timeText(d.GetAt()), by)
		for _, reason := range d.GetReasons() {
			line("", "- %s", reason)
		}
		if d.GetGrant() != "" && d.GetApproved() {
			line("", "grant %s, %s units spent", d.GetGrant(), orZero(d.GetCost()))
		}
	}
	if s := r.GetProving(); s != nil {
		line("Proving", "since %s", timeText(s.GetAt()))
	}
	if f := r.GetFailure(); f != nil {
		line("Failed", "%s", timeText(f.GetAt()))
		for _, reason := range f.GetReasons() {
			line("", "- %s", reason)
		}
	}
	if w := r.GetWithdrawal(); w != nil {
		line("Withdrawn", "%s", timeText(w.GetAt()))
	}
	if v := r.GetResult(); v != nil {
		line("Verified", "%s: its claims %s", timeText(v.GetAt()), map[bool]string{true: "hold", false: "do not all hold"}[v.GetHolds()])
	}
}

// decidedBy names the policies of a decision, and says whether no person made it.
func decidedBy(d *assayv1.Decision) string {
	by := ""
	if len(d.GetPolicyIds()) > 0 {
		by = " by " + strings.Join(d.GetPolicyIds(), ", ")
	}
	if d.GetAutomatic() {
		by += ", automatically"
	}
	return by
}

// warnOfModel warns a person who is about to approve of a valuation that could single out batteries.
func warnOfModel(ctx context.Context, p *cli.Printer, node *client.Client, request string) error {
	answer, err := node.Requests.GetRequest(ctx, &assayv1.GetRequestRequest{Request: request})
	if err != nil {
		return err
	}
	s, err := statement.Parse([]byte(answer.GetRequest().GetStatement()))
	if err != nil {
		return fmt.Errorf("request %s: %w", request, err)
	}
	noteWarnings(p, s)
	return nil
}

// noteWarnings says how the model of a statement could single out batteries.
func noteWarnings(p *cli.Printer, s *statement.Statement) {
	q, err := ledger.QuestionOf(s, ledger.Asker{})
	if err != nil {
		return // whoever takes the statement says what is wrong with it
	}
	for _, w := range policy.Warnings(q.Curves, q.Cohort, q.Price) {
		p.Note("Warning: %s", w)
	}
}
