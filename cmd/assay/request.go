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

func newRequestCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "request",
		Short: "Ask about a fleet, and answer or follow what was asked",
		Long: `A request asks the owner of a fleet to prove a statement. It is approved or refused, proven or failed, and every step is on the ledger. These commands
ask the node that --api names: a lender's to ask, the owner's to approve or refuse.`,
	}
	command.AddCommand(newRequestCreateCommand(p), newRequestListCommand(p), newRequestShowCommand(p), newRequestApproveCommand(p), newRequestRefuseCommand(p),
		newRequestWithdrawCommand(p), newRequestWatchCommand(p))
	return command
}

// requestFilter is what a list of requests is restricted by.
type requestFilter struct {
	owner, requester, fleet, status string
	limit                           int
}

func (f *requestFilter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.owner, "owner", "", "only about fleets of this organisation")
	c.Flags().StringVar(&f.requester, "requester", "", "only by this organisation")
	c.Flags().StringVar(&f.fleet, "fleet", "", "only about this fleet")
	c.Flags().StringVar(&f.status, "status", "", "only those that are "+strings.Join(requestStatuses(), ", "))
	c.Flags().IntVar(&f.limit, "limit", 0, "stop after so many (0: list all)")
}

// wanted is the status as the interface has it.
func (f *requestFilter) wanted() (assayv1.RequestStatus, error) {
	if f.limit < 0 {
		return 0, cli.Usage("--limit %d: must not be negative", f.limit)
	}
	if f.status == "" {
		return assayv1.RequestStatus_REQUEST_STATUS_UNSPECIFIED, nil
	}
	n, ok := assayv1.RequestStatus_value[requestStatusPrefix+strings.ToUpper(f.status)]
	if !ok || n == 0 {
		return 0, cli.Usage("--status %q: must be one of %s", f.status, strings.Join(requestStatuses(), ", "))
	}
	return assayv1.RequestStatus(n), nil
}

const requestStatusPrefix = "REQUEST_STATUS_"

func requestStatuses() []string { return namesOf(assayv1.RequestStatus_name, requestStatusPrefix) }

func requestStatusText(s assayv1.RequestStatus) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), requestStatusPrefix))
}

func newRequestListCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	f := &requestFilter{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List requests",
		Long:  `List prints the requests on the ledger in the order of their ids, with where each stands.`,
		Example: `  assay request list --status open
  assay request list --fleet swapco-fleet --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			status, err := f.wanted()
			if err != nil {
				return err
			}
			query := &assayv1.ListRequestsRequest{Owner: f.owner, Requester: f.requester, Fleet: f.fleet, Status: status, PageSize: pageFor(f.limit)}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				l := listing{Printer: p, kind: "request", header: []string{"request", "status", "requester", "fleet", "epoch", "grant", "asked", "purpose"}}
				n := 0
				for r, err := range node.AllRequests(ctx, query) {
					if err != nil {
						return err
					}
					if err := l.add(r, r.GetId(), requestStatusText(r.GetStatus()), r.GetRequester(), r.GetFleet(), fmt.Sprint(r.GetEpoch()), r.GetGrant(),
						timeText(r.GetCreatedAt()), r.GetPurpose()); err != nil {
						return err
					}
					if n++; n == f.limit {
						break
					}
				}
				return l.end("There is no such request.")
			})
		},
	}
	f.flags(command)
	c.flags(command.Flags())
	return command
}

// pageFor is the page that a list with a limit is asked for with.
func pageFor(limit int) int32 {
	const largest = 500
	if limit == 0 || limit > largest {
		return largest
	}
	return int32(limit)
}

func newRequestShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "show REQUEST",
		Short: "Show a request with all that followed",
		Long: `Show prints what was asked in words, who asked and under which grant, and what followed. Of a request that waits for the node's own organisation it also
prints what grant and policies say of it now.`,
		Example: `  assay request show 3f6c1c0a…
  assay request show 3f6c1c0a… --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "request", args[0], func(ctx context.Context, node *client.Client) error {
				answer, err := node.Requests.GetRequest(ctx, &assayv1.GetRequestRequest{Request: args[0]})
				if err != nil {
					return err
				}
				if p.JSON {
					return printMessage(p, "request", answer)
				}
				text := requestText(answer.GetRequest())
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

func newRequestApproveCommand(p *cli.Printer) *cobra.Command {
	return newRequestStep(p, nodeStep[*assayv1.Request]{
		use: "approve REQUEST [--reason TEXT]", short: "Approve a request about an own fleet",
		long: `Approve approves a request, for which policies left it to a person. It spends an answer of the grant and its budget, whatever comes of it. The ledger approves
nothing that grant and policies do not allow, and the owner's node proves what is approved. The token must be an operator's.`,
		example: `  assay request approve 3f6c1c0a… --reason 'agreed with the lender'`,
		reasons: "recorded with the decision (repeatable)",
		call: func(ctx context.Context, node *client.Client, request string, reasons []string) (*assayv1.Request, error) {
			if err := warnOfModel(ctx, p, node, request); err != nil {
				return nil, err
			}
			answer, err := node.Requests.ApproveRequest(ctx, &assayv1.ApproveRequestRequest{Request: request, Reasons: reasons})
			return answer.GetRequest(), err
		},
	})
}

func newRequestRefuseCommand(p *cli.Printer) *cobra.Command {
	return newRequestStep(p, nodeStep[*assayv1.Request]{
		use: "refuse REQUEST --reason TEXT", short: "Refuse a request about an own fleet",
		long:    `Refuse refuses a request, with reasons that everyone on the ledger reads. Nothing is spent. The token must be an operator's.`,
		example: `  assay request refuse 3f6c1c0a… --reason 'ask again after the audit'`,
		reasons: "why; it is recorded (repeatable)", required: true,
		call: func(ctx context.Context, node *client.Client, request string, reasons []string) (*assayv1.Request, error) {
			answer, err := node.Requests.RefuseRequest(ctx, &assayv1.RefuseRequestRequest{Request: request, Reasons: reasons})
			return answer.GetRequest(), err
		},
	})
}

func newRequestWithdrawCommand(p *cli.Printer) *cobra.Command {
	return newRequestStep(p, nodeStep[*assayv1.Request]{
		use: "withdraw REQUEST", short: "Take back a request of one's own",
		long:    `Withdraw takes back a request of the node's organisation that is not approved yet. The token must be an operator's.`,
		example: `  assay request withdraw 3f6c1c0a…`,
		call: func(ctx context.Context, node *client.Client, request string, _ []string) (*assayv1.Request, error) {
			answer, err := node.Requests.WithdrawRequest(ctx, &assayv1.WithdrawRequestRequest{Request: request})
			return answer.GetRequest(), err
		},
	})
}

// newRequestStep is a command that takes a request one step further.
func newRequestStep(p *cli.Printer, s nodeStep[*assayv1.Request]) *cobra.Command {
	s.kind = "request"
	s.said = func(r *assayv1.Request) string {
		return fmt.Sprintf("Request %s is %s.", r.GetId(), requestStatusText(r.GetStatus()))
	}
	return s.command(p)
}
