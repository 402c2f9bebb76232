package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

func newQueryApproveCommand(p *cli.Printer) *cobra.Command {
	return newQueryStep(p, nodeStep[*assayv1.Query]{
		use: "approve QUERY [--reason TEXT]", short: "Approve the part about an own fleet",
		long: `Approve approves the part of a query that is about the organisation's fleet, for which policies left it to a person. It spends an answer of the grant and its
budget, whatever comes of it. The ledger approves nothing that grant and policies do not allow, and the node takes part once all owners approved. The token must be an operator's.`,
		example: `  assay query approve 3f6c1c0a… --reason 'agreed with the lender'`,
		reasons: "recorded with the decision (repeatable)",
		call: func(ctx context.Context, node *client.Client, query string, reasons []string) (*assayv1.Query, error) {
			if err := warnOfQuery(ctx, p, node, query); err != nil {
				return nil, err
			}
			answer, err := node.Queries.ApproveQuery(ctx, &assayv1.ApproveQueryRequest{Query: query, Reasons: reasons})
			return answer.GetQuery(), err
		},
	})
}

func newQueryRefuseCommand(p *cli.Printer) *cobra.Command {
	return newQueryStep(p, nodeStep[*assayv1.Query]{
		use: "refuse QUERY --reason TEXT", short: "Refuse the part about an own fleet",
		long: `Refuse refuses the part of a query that is about the organisation's fleet, and with it the query, with reasons that everyone on the ledger reads. Nothing is
spent of this organisation's grant. The token must be an operator's.`,
		example: `  assay query refuse 3f6c1c0a… --reason 'ask again after the audit'`,
		reasons: "why; it is recorded (repeatable)", required: true,
		call: func(ctx context.Context, node *client.Client, query string, reasons []string) (*assayv1.Query, error) {
			answer, err := node.Queries.RefuseQuery(ctx, &assayv1.RefuseQueryRequest{Query: query, Reasons: reasons})
			return answer.GetQuery(), err
		},
	})
}

// newQueryStep is a command by which an owner answers.
func newQueryStep(p *cli.Printer, s nodeStep[*assayv1.Query]) *cobra.Command {
	s.kind = "query"
	s.said = func(q *assayv1.Query) string {
		return fmt.Sprintf("Query %s is %s%s.", q.GetId(), queryStatusText(q.GetStatus()), waitsForOwners(q))
	}
	return s.command(p)
}

// waitsForOwners names those whose answer an open query waits for.
func waitsForOwners(q *assayv1.Query) string {
	var owners []string
	for _, part := range q.GetParts() {
		if part.GetDecision() == nil {
			owners = append(owners, part.GetOwner())
		}
	}
	if q.GetStatus() != assayv1.QueryStatus_QUERY_STATUS_OPEN || len(owners) == 0 {
		return ""
	}
	return " and waits for " + strings.Join(owners, ", ")
}

// warnOfQuery warns a person who is about to approve of a valuation that could single out batteries.
func warnOfQuery(ctx context.Context, p *cli.Printer, node *client.Client, id string) error {
	answer, err := node.Queries.GetQuery(ctx, &assayv1.GetQueryRequest{Query: id})
	if err != nil {
		return err
	}
	q, err := query.ParseDraft([]byte(answer.GetQuery().GetQuery()))
	if err != nil || len(q.Parts) == 0 {
		return cli.No("query %s: what the node shows of it is no query", shortID(id))
	}
	asked, err := q.Question(q.Parts[0], ledger.Asker{}, &ledger.SettledEpoch{})
	if err != nil {
		return nil // the contract says what is wrong with it
	}
	for _, w := range policy.Warnings(asked.Curves, asked.Cohort, asked.Price) {
		p.Note("Warning: %s", w)
	}
	return nil
}

// queryAnswer is the answer to a query as a line of JSON.
type queryAnswer struct {
	Kind   string          `json:"kind"`
	Query  string          `json:"query"`
	Answer json.RawMessage `json:"answer"`
}

// printResult prints what the node's organisation learned from a query.
func printResult(ctx context.Context, p *cli.Printer, node *client.Client, id string) error {
	answer, err := node.Queries.GetQueryResult(ctx, &assayv1.GetQueryResultRequest{Query: id})
	if err != nil {
		return err
	}
	if !p.JSON {
		return p.Line("%s", strings.TrimRight(cli.Printable(answer.GetText()), "\n"))
	}
	if !json.Valid([]byte(answer.GetAnswer())) {
		return cli.No("query %s: the node's answer is not JSON", shortID(id))
	}
	return p.Object(queryAnswer{Kind: "query_result", Query: id, Answer: json.RawMessage(answer.GetAnswer())})
}
