package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

func newQueryCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "query",
		Short: "Ask several owners together, or score a fleet with a secret model",
		Long: `A query is answered from encrypted totals. A federated one is about several owners' fleets: their sum is opened by owners and a regulator together, for the
lender alone, and nobody learns a part of it. A score runs the lender's secret model over one fleet: the owner sees which lanes it uses and no weight, the lender a mean.

Each owner approves its part, or its node does by policy; then the lender's node begins a session (see 'assay mpc session'). Every step is on the ledger. These
commands ask the node that --api names: a lender's to ask and for results, an owner's to approve or refuse.`,
	}
	command.AddCommand(newQueryFederatedCommand(p), newQueryScoreCommand(p), newQueryListCommand(p), newQueryShowCommand(p), newQueryApproveCommand(p),
		newQueryRefuseCommand(p), newQueryWatchCommand(p), newQueryResultCommand(p))
	return command
}

// namesOf are the names of an enumeration's values as flags have them, in order, without the one that says nothing.
func namesOf(names map[int32]string, prefix string) (out []string) {
	numbers := make([]int32, 0, len(names))
	for n := range names {
		if n != 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		out = append(out, strings.ToLower(strings.TrimPrefix(names[n], prefix)))
	}
	return out
}

const (
	queryStatusPrefix   = "QUERY_STATUS_"
	queryKindPrefix     = "QUERY_KIND_"
	sessionStatusPrefix = "SESSION_STATUS_"
)

func queryStatuses() []string   { return namesOf(assayv1.QueryStatus_name, queryStatusPrefix) }
func sessionStatuses() []string { return namesOf(assayv1.SessionStatus_name, sessionStatusPrefix) }

func queryStatusText(s assayv1.QueryStatus) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), queryStatusPrefix))
}

// numberOf is the value of an enumeration that a flag names, 0 for an empty one.
func numberOf(flag, name, prefix string, values map[string]int32, names []string) (int32, error) {
	if name == "" {
		return 0, nil
	}
	n, ok := values[prefix+strings.ToUpper(name)]
	if !ok || n == 0 {
		return 0, cli.Usage("--%s %q: must be one of %s", flag, name, strings.Join(names, ", "))
	}
	return n, nil
}

func newQueryListCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var requester, fleet, status string
	var limit int
	command := &cobra.Command{
		Use:   "list",
		Short: "List queries",
		Long:  `List prints the queries on the ledger in the order of their ids, with where each stands.`,
		Example: `  assay query list --status open
  assay query list --fleet swapco-fleet --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			wanted, err := numberOf("status", status, queryStatusPrefix, assayv1.QueryStatus_value, queryStatuses())
			if err != nil {
				return err
			}
			if limit < 0 {
				return cli.Usage("--limit %d: must not be negative", limit)
			}
			query := &assayv1.ListQueriesRequest{Requester: requester, Fleet: fleet, Status: assayv1.QueryStatus(wanted), PageSize: pageFor(limit)}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error { return listQueries(ctx, p, node, query, limit) })
		},
	}
	f := command.Flags()
	f.StringVar(&requester, "requester", "", "only by this organisation")
	f.StringVar(&fleet, "fleet", "", "only about this fleet, among others")
	f.StringVar(&status, "status", "", "only those that are "+strings.Join(queryStatuses(), ", "))
	f.IntVar(&limit, "limit", 0, "stop after so many (0: list all)")
	c.flags(f)
	return command
}

func listQueries(ctx context.Context, p *cli.Printer, node *client.Client, query *assayv1.ListQueriesRequest, limit int) error {
	l := listing{Printer: p, kind: "query", header: []string{"query", "status", "kind", "requester", "fleets", "epoch", "sessions", "asked", "purpose"}}
	n := 0
	for q, err := range node.AllQueries(ctx, query) {
		if err != nil {
			return err
		}
		if err := l.add(q, q.GetId(), queryStatusText(q.GetStatus()), kindOfQuery(q), q.GetRequester(), strings.Join(fleetsOf(q), " "),
			fmt.Sprint(q.GetEpoch()), fmt.Sprint(len(q.GetSessions())), timeText(q.GetCreatedAt()), q.GetPurpose()); err != nil {
			return err
		}
		if n++; n == limit {
			break
		}
	}
	return l.end("There is no such query.")
}

func fleetsOf(q *assayv1.Query) (out []string) {
	for _, part := range q.GetParts() {
		out = append(out, part.GetFleet())
	}
	return out
}

func newQueryShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "show QUERY",
		Short: "Show a query with all that followed",
		Long: `Show prints what was asked in words, what each owner said to its part, and the sessions that began. Of a part that waits for the node's own organisation it
also prints what grant and policies say of it now.`,
		Example: `  assay query show 3f6c1c0a…
  assay query show 3f6c1c0a… --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "query", args[0], func(ctx context.Context, node *client.Client) error {
				answer, err := node.Queries.GetQuery(ctx, &assayv1.GetQueryRequest{Query: args[0]})
				if err != nil {
					return err
				}
				if p.JSON {
					return printMessage(p, "query", answer)
				}
				text := queryText(answer.GetQuery())
				if a := answer.GetAssessment(); a != nil {
					text += "\n" + assessmentText(a)
				}
				return p.Line("%s", strings.TrimRight(cli.Printable(text), "\n"))
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func newQueryResultCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "result QUERY",
		Short: "Print the answer to a query of one's own",
		Long: `Result prints what the node's organisation learned: the figures that were asked for, with what rounding and noise leave of them. No other node has it. With
--json it is a line of JSON, which has the totals besides that the figures come from. The token must be an operator's or an auditor's.`,
		Example: `  assay query result 3f6c1c0a…`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "query", args[0], func(ctx context.Context, node *client.Client) error {
				return printResult(ctx, p, node, args[0])
			})
		},
	}
	c.flags(command.Flags())
	return command
}
