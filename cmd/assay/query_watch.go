package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

func newQueryWatchCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "watch QUERY",
		Short: "Follow a query until nothing more can come",
		Long: `Watch prints every step of a query, one on a line: who asked, which owner approved, which session began, who did what in it. At the node of those who asked it
then prints the result. It goes on over broken connections. The exit code is 0 if the query is answered, and 1 with the reasons otherwise.

With --json it prints the query and the session that counts whenever they change, the query last.`,
		Example: `  assay query watch 3f6c1c0a…`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "query", args[0], func(ctx context.Context, node *client.Client) error { return followQuery(ctx, p, node, args[0]) })
		},
	}
	c.flags(command.Flags())
	return command
}

// watchedQuery is what was shown of a query.
type watchedQuery struct {
	*cli.Printer
	last *assayv1.Query
	// behind says that a session was the last thing printed.
	behind bool
	shown  map[string]bool
}

// followQuery prints the steps of a query until there are no more, and the result if it is this node's. Anything but an answer is a no.
func followQuery(ctx context.Context, p *cli.Printer, node *client.Client, id string) error {
	w := &watchedQuery{Printer: p, shown: map[string]bool{}}
	if err := node.WatchQuery(ctx, id, w.see); err != nil {
		return err
	}
	q := w.last
	if q == nil {
		return cli.No("the node said nothing about query %s", shortID(id))
	}
	if p.JSON && w.behind {
		if err := printMessage(p, "query", q); err != nil {
			return err
		}
	}
	if q.GetStatus() != assayv1.QueryStatus_QUERY_STATUS_ANSWERED {
		return cli.No("query %s is %s%s", shortID(id), queryStatusText(q.GetStatus()), whyNot(q))
	}
	if p.JSON {
		return nil
	}
	return resultIfOwn(ctx, p, node, id)
}

// resultIfOwn prints the result where there is one: other nodes than the requester's have none, and not every role may see it.
func resultIfOwn(ctx context.Context, p *cli.Printer, node *client.Client, id string) error {
	err := printResult(ctx, p, node, id)
	if problem, ok := client.ProblemOf(err); ok && (problem.Code == codes.PermissionDenied || problem.Code == codes.NotFound) {
		p.Note("The result is with those who asked: 'assay query result %s' there.", id)
		return nil
	}
	return err
}

func (w *watchedQuery) see(q *assayv1.Query, s *assayv1.Session) error {
	if w.JSON {
		return w.print(q, s)
	}
	var steps []queryDone
	if q != nil {
		w.last = q
		steps = querySteps(q)
	}
	if s != nil {
		steps = append(steps, sessionSteps(s)...)
	}
	slices.SortStableFunc(steps, func(a, b queryDone) int { return cmp.Compare(a.at.GetSeconds(), b.at.GetSeconds()) })
	for _, step := range steps {
		text := fmt.Sprintf("%s  %s", timeText(step.at), step.what)
		if w.shown[text] {
			continue
		}
		w.shown[text] = true
		if err := w.Line("%s", cli.Printable(text)); err != nil {
			return err
		}
	}
	return nil
}

func (w *watchedQuery) print(q *assayv1.Query, s *assayv1.Session) error {
	if s != nil {
		w.behind = true
		if err := printMessage(w.Printer, "session", s); err != nil {
			return err
		}
	}
	if q == nil {
		return nil
	}
	w.last, w.behind = q, false
	return printMessage(w.Printer, "query", q)
}

// queryDone is a step of a query.
type queryDone struct {
	at   *timestamppb.Timestamp
	what string
}

// querySteps are those that a query tells of itself.
func querySteps(q *assayv1.Query) []queryDone {
	steps := []queryDone{{q.GetCreatedAt(), fmt.Sprintf("%s asks %s (%s query %s)", q.GetRequester(), strings.Join(ownersOf(q), ", "), kindOfQuery(q), shortID(q.GetId()))}}
	for _, part := range q.GetParts() {
		d := part.GetDecision()
		if d == nil {
			continue
		}
		what := fmt.Sprintf("%s %s its part, fleet %s", part.GetOwner(), map[bool]string{true: "approves", false: "refuses"}[d.GetApproved()], part.GetFleet())
		if len(d.GetReasons()) > 0 {
			what += ": " + strings.Join(d.GetReasons(), "; ")
		}
		steps = append(steps, queryDone{d.GetAt(), what})
	}
	for i, s := range q.GetSessions() {
		steps = append(steps, queryDone{s.GetBegunAt(), fmt.Sprintf("session %d begins (%s)", i+1, shortID(s.GetId()))})
		if end := s.GetEnd(); end.GetRound() == "abort" {
			steps = append(steps, queryDone{end.GetAt(), fmt.Sprintf("session %d is ended by %s", i+1, end.GetParty())})
		}
	}
	if q.GetStatus() == assayv1.QueryStatus_QUERY_STATUS_EXPIRED {
		steps = append(steps, queryDone{q.GetExpiresAt(), "the query expires"})
	}
	return steps
}

// sessionSteps are a session's entries in words.
func sessionSteps(s *assayv1.Session) []queryDone {
	var steps []queryDone
	for _, e := range s.GetEntries() {
		steps = append(steps, queryDone{e.GetAt(), "  " + e.GetParty() + " " + roundText(s, e)})
	}
	return steps
}

// roundText says what a party did in a round.
func roundText(s *assayv1.Session, e *assayv1.SessionEntry) string {
	switch e.GetRound() {
	case "key":
		return "commits to its key"
	case "ready":
		return "has what it needs of all keys"
	case "input":
		if e.GetDeclined() {
			return "gives no input"
		}
		return "gives its encrypted input"
	case "close":
		return "closes the inputs"
	case "activate":
		return fmt.Sprintf("names the sum, to be opened by %s and %s", strings.Join(e.GetOpenedBy(), ", "), s.GetRegulator())
	case "share":
		return "gives its share of the opening"
	case "request":
		return "gives its encrypted model"
	case "answer":
		return "gives its encrypted answer"
	case "result":
		return "has the result"
	case "abort":
		return "ends the session: " + e.GetReason()
	}
	return e.GetRound()
}

// whyNot are the reasons of a query that has no answer.
func whyNot(q *assayv1.Query) string {
	var reasons []string
	for _, part := range q.GetParts() {
		if d := part.GetDecision(); d != nil && !d.GetApproved() {
			reasons = append(reasons, part.GetOwner()+": "+strings.Join(d.GetReasons(), "; "))
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	return ": " + cli.Printable(strings.Join(reasons, "; "))
}
