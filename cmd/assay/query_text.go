package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

func kindOfQuery(q *assayv1.Query) string {
	return strings.ToLower(strings.TrimPrefix(q.GetKind().String(), queryKindPrefix))
}

// queryText is a query for people: the question in words, then what followed.
func queryText(q *assayv1.Query) string {
	var b strings.Builder
	line := fields(&b)
	line("Query", "%s", q.GetId())
	line("Status", "%s%s", queryStatusText(q.GetStatus()), waitsForOwners(q))
	line("Asked", "%s by %s, answer until %s", timeText(q.GetCreatedAt()), q.GetRequester(), timeText(q.GetExpiresAt()))
	for _, name := range slices.Sorted(maps.Keys(q.GetAttributes())) {
		line("", "%s = %s", name, q.GetAttributes()[name])
	}
	line("For", "%s", q.GetPurpose())
	if asked, err := query.ParseDraft([]byte(q.GetQuery())); err == nil {
		askedText(asked, line)
	}
	for _, part := range q.GetParts() {
		partText(part, line)
	}
	for i, s := range q.GetSessions() {
		line(fmt.Sprintf("Session %d", i+1), "%s %s, begun %s", s.GetId(), sessionStatusText(s.GetStatus()), timeText(s.GetBegunAt()))
		if end := s.GetEnd(); end != nil {
			line("", "ended %s with the %s of %s", timeText(end.GetAt()), end.GetRound(), end.GetParty())
		}
	}
	return b.String()
}

// askedText says what is asked.
func askedText(q *ledger.Query, line func(name, format string, args ...any)) {
	line("About", "epoch %d of %s (%s)", q.Epoch, plural(len(q.Parts), "fleet"), q.Schema)
	line("Cohort", "%s", rangesText(q.Cohort))
	switch q.Kind {
	case ledger.QueryFederated:
		line("Totals", "%s", totalsText(q))
		if q.Valuation != nil {
			line("Value", "%s %s for each battery, times %s", q.Valuation.Price, q.Valuation.Currency, plural(len(q.Valuation.Curves), "factor"))
		}
		line("Opened by", "%d owners and %s, of at least %d inputs, each of at least %d batteries; inputs may take %d s", q.Threshold, q.Regulator, q.MinimumInputs(), q.MinimumCohort, q.InputSeconds)
	case ledger.QueryScore:
		line("Score", "the mean%s of a secret model of degree %d over at least %d batteries, of", map[bool]string{true: " and deviation"}[q.Spread], q.Degree, q.MinimumCohort)
		for _, f := range q.Features {
			line("", "%s between %s and %s", f.Lane, f.Lo, f.Hi)
		}
	}
	switch {
	case q.Epsilon == "":
		line("Noise", "none")
	case q.Delta == "":
		line("Noise", "of each owner, for an epsilon of %s", q.Epsilon)
	default:
		line("Noise", "of each owner, for an epsilon of %s and a delta of %s", q.Epsilon, q.Delta)
	}
	line("Encrypted", "with %s", q.Parameters)
}

func rangesText(cohort []statement.Range) string {
	if len(cohort) == 0 {
		return "every battery that reported"
	}
	var out []string
	for _, r := range cohort {
		switch {
		case r.Min != "" && r.Max != "":
			out = append(out, fmt.Sprintf("%s from %s to %s", r.Lane, r.Min, r.Max))
		case r.Min != "":
			out = append(out, fmt.Sprintf("%s at least %s", r.Lane, r.Min))
		default:
			out = append(out, fmt.Sprintf("%s at most %s", r.Lane, r.Max))
		}
	}
	return strings.Join(out, "; ")
}

func totalsText(q *ledger.Query) string {
	var out []string
	for _, total := range q.Totals {
		switch total {
		case policy.TotalCount:
			out = append(out, "count")
		case policy.TotalSum:
			out = append(out, "sum of "+q.Subject)
		case policy.TotalSquares:
			out = append(out, "sum of squares of "+q.Subject)
		case policy.TotalHistogram:
			out = append(out, fmt.Sprintf("histogram of %s at %s", q.Subject, strings.Join(q.Edges, ", ")))
		default:
			out = append(out, total)
		}
	}
	return strings.Join(out, ", ")
}

// partText says what an owner said to its part.
func partText(part *assayv1.QueryPart, line func(name, format string, args ...any)) {
	d := part.GetDecision()
	said := "has not answered"
	if d != nil {
		said = map[bool]string{true: "approved ", false: "refused "}[d.GetApproved()] + timeText(d.GetAt()) + decidedBy(d)
	}
	line("Part", "fleet %s of %s, grant %s: %s", part.GetFleet(), part.GetOwner(), part.GetGrant(), said)
	for _, reason := range d.GetReasons() {
		line("", "- %s", reason)
	}
	if d.GetApproved() {
		line("", "%s units spent; %d of %d batteries reported", orZero(d.GetCost()), part.GetSettled().GetAttested(), part.GetSettled().GetEnrolled())
	}
}
