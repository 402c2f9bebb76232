package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

func newAuditCommand(p *cli.Printer) *cobra.Command {
	command := newAuditListCommand(p)
	command.Use = "audit"
	command.Short = "See who asked what and what was released, and check the ledger"
	command.Long = `Audit lists what 'assay audit list' lists: every request with what its answer released. alerts and evidence ask the node that --api names, too. channel
takes no node's word: it checks a Fabric channel from its first block.`
	command.Example = `  assay audit
  assay audit evidence 3f6c1c0a… --out evidence.json
  assay audit channel --org Regulator --out audit.json`
	command.AddCommand(newAuditListCommand(p), newAuditAlertsCommand(p), newAuditEvidenceCommand(p), newAuditChannelCommand(p))
	return command
}

func newAuditListCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	f := &requestFilter{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List who asked what, under which grant, and what was released",
		Long: `List prints every request on the ledger with its outcome, the reasons of a refusal, and what everyone on the ledger learned from an answer: the claims that
hold and the totals that it disclosed. The token must be an auditor's.`,
		Example: `  assay audit list
  assay audit list --requester greenbank --status verified --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			status, err := f.wanted()
			if err != nil {
				return err
			}
			query := &assayv1.ListEntriesRequest{Owner: f.owner, Requester: f.requester, Fleet: f.fleet, Status: status, PageSize: pageFor(f.limit)}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error { return listEntries(ctx, p, node, query, f.limit) })
		},
	}
	f.flags(command)
	c.flags(command.Flags())
	return command
}

// listEntries prints entries in the order of their times, for people, and as they come with --json.
func listEntries(ctx context.Context, p *cli.Printer, node *client.Client, query *assayv1.ListEntriesRequest, limit int) error {
	var entries []*assayv1.AuditEntry
	n := 0
	for e, err := range node.AllEntries(ctx, query) {
		if err != nil {
			return err
		}
		if !p.JSON {
			entries = append(entries, e)
		} else if err := printMessage(p, "audit_entry", e); err != nil {
			return err
		}
		if n++; n == limit {
			break
		}
	}
	slices.SortStableFunc(entries, func(a, b *assayv1.AuditEntry) int {
		return a.GetRequest().GetCreatedAt().AsTime().Compare(b.GetRequest().GetCreatedAt().AsTime())
	})
	for _, e := range entries {
		if err := p.Line("%s", cli.Printable(entryText(e))); err != nil {
			return err
		}
	}
	if n == 0 {
		p.Note("There is no such request.")
	}
	return nil
}

// entryText is one request in the audit: a line for who, what and how it ended, and one for each thing that follows from it.
func entryText(e *assayv1.AuditEntry) string {
	var b strings.Builder
	r := e.GetRequest()
	fmt.Fprintf(&b, "%s  %-9s  %s", timeText(r.GetCreatedAt()), requestStatusText(r.GetStatus()), r.GetId())
	under := "under no grant"
	if r.GetGrant() != "" {
		under = "under grant " + r.GetGrant()
	}
	fmt.Fprintf(&b, "\n    %s asks %s about fleet %s at epoch %d, %s, for %q", r.GetRequester(), r.GetOwner(), r.GetFleet(), r.GetEpoch(), under, r.GetPurpose())
	if d := r.GetDecision(); d != nil {
		fmt.Fprintf(&b, "\n    %s%s", map[bool]string{true: "approved", false: "refused"}[d.GetApproved()], decidedBy(d))
		if d.GetCost() != "" && d.GetApproved() {
			fmt.Fprintf(&b, ", %s units spent", d.GetCost())
		}
		for _, reason := range d.GetReasons() {
			fmt.Fprintf(&b, "\n      - %s", reason)
		}
	}
	for _, reason := range r.GetFailure().GetReasons() {
		fmt.Fprintf(&b, "\n    failed: %s", reason)
	}
	if x := e.GetReleased(); x != nil {
		b.WriteString("\n    released: " + releasedText(x))
	}
	return b.String()
}

func releasedText(x *assayv1.Released) string {
	parts := []string{fmt.Sprintf("%d of %d devices reported", x.GetAttested(), x.GetEnrolled())}
	for _, c := range x.GetClaims() {
		parts = append(parts, fmt.Sprintf("%s: %s", c.GetClaim(), map[bool]string{true: "holds", false: "does not hold"}[c.GetHolds()]))
	}
	for _, d := range x.GetDisclosed() {
		parts = append(parts, strings.TrimRight(fmt.Sprintf("%s = %s %s", d.GetName(), d.GetValue(), d.GetUnit()), " "))
	}
	return strings.Join(parts, "; ")
}

func newAuditAlertsCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var watch bool
	var after string
	command := &cobra.Command{
		Use:   "alerts",
		Short: "List the alerts of regulators",
		Long: `Alerts lists what regulators put on the ledger because it says something else than they find. With --watch it goes on with each new one; --after goes on
behind a cursor that --watch --json printed. The token must be an auditor's.`,
		Example: `  assay audit alerts
  assay audit alerts --watch --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if after != "" && !watch {
				return cli.Usage("--after goes with --watch")
			}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				if watch {
					return watchAlerts(ctx, p, node, after)
				}
				l := listing{Printer: p, kind: "alert", header: []string{"at", "regulator", "about", "alert"}}
				for a, err := range node.AllAlerts(ctx) {
					if err != nil {
						return err
					}
					if err := l.add(a, timeText(a.GetAt()), a.GetRegulator(), cmp.Or(a.GetRequest(), a.GetQuery()), a.GetText()); err != nil {
						return err
					}
				}
				return l.end("There is no alert.")
			})
		},
	}
	command.Flags().BoolVar(&watch, "watch", false, "go on with each new alert")
	command.Flags().StringVar(&after, "after", "", "with --watch: the cursor of the last alert seen")
	c.flags(command.Flags())
	return command
}

// watchAlerts goes on until it is interrupted, which is how it is meant to end.
func watchAlerts(ctx context.Context, p *cli.Printer, node *client.Client, after string) error {
	err := node.WatchAlerts(ctx, after, func(a *assayv1.Alert, cursor string) error {
		if p.JSON {
			return printMessage(p, "alert", &assayv1.WatchAlertsResponse{Alert: a, Cursor: cursor})
		}
		return p.Line("%s", cli.Printable(fmt.Sprintf("%s  %s  %s  %s", timeText(a.GetAt()), a.GetRegulator(), cmp.Or(a.GetRequest(), a.GetQuery()), a.GetText())))
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func newAuditEvidenceCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var out string
	command := &cobra.Command{
		Use:   "evidence REQUEST --out FILE",
		Short: "Take all that proves what became of a request, in one signed file",
		Long: `Evidence writes a file with the request, the grant, the policy texts, the decision, the proof and the blocks of the ledger that hold them, signed by the
node's organisation. 'assay verify --evidence' checks it without a node. The token must be an auditor's.`,
		Example: `  assay audit evidence 3f6c1c0a… --out evidence.json
  assay verify --evidence evidence.json --ledger 9b2e…`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.download(command.Context(), args[0], out, "evidence", (*client.Client).Evidence)
		},
	}
	command.Flags().StringVar(&out, "out", "", "where to write it")
	cli.Require(command, "out")
	c.flags(command.Flags())
	return command
}
