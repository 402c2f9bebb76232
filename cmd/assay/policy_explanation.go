package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/policy"
)

// text is an explanation for people: the outcome, what was looked at, and who said what.
func (e *explanation) text() string {
	var b strings.Builder
	switch {
	case !e.Allowed:
		b.WriteString("REFUSED\n\n")
	case e.Approval != "":
		b.WriteString("ALLOWED once a person approves\n\n")
	default:
		b.WriteString("ALLOWED\n\n")
	}
	b.WriteString(questionText(e.Question))
	for i := range e.Policies {
		b.WriteString("\n" + e.Policies[i].text())
	}
	if g := e.Grant; g != nil {
		fmt.Fprintf(&b, "\nGrant %s: %s", g.ID, map[bool]string{true: "covers it", false: "does not cover it"}[g.Covers])
		if g.Cost != "" {
			fmt.Fprintf(&b, "; an answer costs %s units", g.Cost)
		}
		b.WriteString("\n")
		for _, r := range g.Reasons {
			fmt.Fprintf(&b, "  - %s\n", r)
		}
	}
	for _, w := range e.Warnings {
		fmt.Fprintf(&b, "\nWarning: %s\n", w)
	}
	return b.String()
}

// text says what one text's policies say, with the lines where they stand.
func (d *explained) text() string {
	var b strings.Builder
	outcome := map[policy.Outcome]string{policy.Allow: "permits it", policy.Approve: "permits it once a person approves", policy.Refuse: "refuses it"}[d.Outcome()]
	fmt.Fprintf(&b, "%s (%s) %s\n", d.File, short(d.Digest), outcome)
	for _, r := range d.Reasons {
		fmt.Fprintf(&b, "  - %s%s\n", r, d.lineOf(r))
	}
	return b.String()
}

// lineOf finds the line of the policy that a reason names.
func (d *explained) lineOf(reason string) string {
	i := slices.IndexFunc(d.Places, func(p policyPlace) bool { return strings.HasPrefix(reason, fmt.Sprintf("policy %q ", p.ID)) })
	if i < 0 || d.Places[i].Line == 0 {
		return ""
	}
	return fmt.Sprintf(" [%s:%d]", d.File, d.Places[i].Line)
}

// questionText is what policies look at, the parts that people decide by.
func questionText(q *policy.Question) string {
	var b strings.Builder
	line := fields(&b)
	line("Requester", "%s, %s", q.Requester.ID, orNone(q.Requester.Roles))
	line("Asks", "%s of fleet %s (%s, of %s) at epoch %d; epoch %d runs", q.Action, q.Fleet.ID, q.Fleet.Schema, q.Fleet.Owner, q.Epoch, q.CurrentEpoch)
	line("Purpose", "%s", q.Purpose)
	count := string(q.Count)
	if q.Count == policy.CountProven {
		count = fmt.Sprintf("proven to be at least %d", q.ProvenMinimum)
	}
	line("Cohort", "%s; its size is %s", map[bool]string{true: "the whole fleet", false: "a part of the fleet"}[q.Cohort.All], count)
	line("Claims", "%s", orNone(q.Claims))
	line("Discloses", "%s", orNone(q.Disclose))
	line("Lanes", "%s", orNone(q.Lanes))
	if q.Model != "" {
		line("Model", "%s, in %s", q.Model, q.Currency)
	}
	line("Coverage", "at least %d.%02d %%", q.MinimumCoverage/100, q.MinimumCoverage%100)
	return b.String()
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
