package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

func newMPCCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "mpc",
		Short: "Look at the sessions in which nodes compute together",
		Long: `Nodes compute together on encrypted data in sessions: each party commits on the ledger to what it gives, before it gives it to the others. These commands show
what the ledger has of them, and what the node that --api names sees of those in which it takes part.`,
	}
	session := &cobra.Command{
		Use:   "session",
		Short: "List sessions, or show one",
		Long: `A session is one attempt to answer a query, with keys of its own. One that does not get on is given up, and another begins with fresh keys; a query begins at
most 8 times.`,
	}
	session.AddCommand(newSessionListCommand(p), newSessionShowCommand(p))
	command.AddCommand(session)
	return command
}

func sessionStatusText(s assayv1.SessionStatus) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), sessionStatusPrefix))
}

func newSessionListCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var requester, fleet, status string
	var limit int
	command := &cobra.Command{
		Use:   "list",
		Short: "List sessions",
		Long:  `List prints the sessions on the ledger in the order of their queries' ids, with who takes part and where each stands.`,
		Example: `  assay mpc session list --status open
  assay mpc session list --fleet swapco-fleet --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			wanted, err := numberOf("status", status, sessionStatusPrefix, assayv1.SessionStatus_value, sessionStatuses())
			if err != nil {
				return err
			}
			if limit < 0 {
				return cli.Usage("--limit %d: must not be negative", limit)
			}
			query := &assayv1.ListSessionsRequest{Requester: requester, Fleet: fleet, Status: assayv1.SessionStatus(wanted), PageSize: pageFor(limit)}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error { return listSessions(ctx, p, node, query, limit) })
		},
	}
	f := command.Flags()
	f.StringVar(&requester, "requester", "", "only those of this organisation's queries")
	f.StringVar(&fleet, "fleet", "", "only those about this fleet, among others")
	f.StringVar(&status, "status", "", "only those that are "+strings.Join(sessionStatuses(), ", "))
	f.IntVar(&limit, "limit", 0, "stop after so many (0: list all)")
	c.flags(f)
	return command
}

func listSessions(ctx context.Context, p *cli.Printer, node *client.Client, query *assayv1.ListSessionsRequest, limit int) error {
	l := listing{Printer: p, kind: "session", header: []string{"session", "status", "query", "receiver", "owners", "regulator", "begun", "ended by"}}
	n := 0
	for s, err := range node.AllSessions(ctx, query) {
		if err != nil {
			return err
		}
		ended := ""
		if end := s.GetEnd(); end != nil {
			ended = end.GetRound() + " of " + end.GetParty()
		}
		if err := l.add(s, s.GetId(), sessionStatusText(s.GetStatus()), shortID(s.GetQuery()), s.GetReceiver(), strings.Join(seated(s), " "), s.GetRegulator(),
			timeText(s.GetBegunAt()), ended); err != nil {
			return err
		}
		if n++; n == limit {
			break
		}
	}
	return l.end("There is no such session.")
}

// seated are the owners of a session.
func seated(s *assayv1.Session) (out []string) {
	for _, seat := range s.GetSeats() {
		out = append(out, seat.GetOwner())
	}
	return out
}

func newSessionShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "show SESSION",
		Short: "Show a session: who, how far, and every entry",
		Long: `Show prints who takes part in a session, which round it has come to and for whom it waits, what this node sees of it if it takes part, and every entry on the
ledger with its digest.`,
		Example: `  assay mpc session show 77a0b2c4…`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "session", args[0], func(ctx context.Context, node *client.Client) error {
				answer, err := node.Sessions.GetSession(ctx, &assayv1.GetSessionRequest{Session: args[0]})
				if err != nil {
					return err
				}
				if p.JSON {
					return printMessage(p, "session", answer)
				}
				return showSession(p, answer)
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func showSession(p *cli.Printer, answer *assayv1.GetSessionResponse) error {
	s := answer.GetSession()
	if err := p.Line("%s", cli.Printable(strings.TrimRight(sessionText(s, answer.GetView()), "\n"))); err != nil {
		return err
	}
	if len(s.GetEntries()) == 0 {
		return nil
	}
	var rows [][]string
	for _, e := range s.GetEntries() {
		rows = append(rows, []string{timeText(e.GetAt()), e.GetRound(), e.GetParty(), e.GetDigest(), entryNote(e)})
	}
	if err := p.Line(""); err != nil {
		return err
	}
	return p.Table([]string{"recorded", "round", "party", "digest", "says"}, rows)
}

// entryNote is what an entry says beside its digest.
func entryNote(e *assayv1.SessionEntry) string {
	switch {
	case e.GetReason() != "":
		return e.GetReason()
	case e.GetDeclined():
		return "no input"
	case len(e.GetOpenedBy()) > 0:
		return "opened by " + strings.Join(e.GetOpenedBy(), ", ")
	case e.GetAnchors() != nil:
		return fmt.Sprintf("from %s of epoch %d", plural(int(min(e.GetAnchors().GetChunks(), 1<<30)), "anchor"), e.GetAnchors().GetEpoch())
	}
	return ""
}
