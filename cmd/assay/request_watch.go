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

func newRequestWatchCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "watch REQUEST",
		Short: "Follow a request until nothing more can come",
		Long: `Watch prints a request as it stands and then every step that follows, one on a line. On the node that proves, it shows the progress on standard error. It
goes on over broken connections. The exit code is 0 if the request is proven and every claim holds, and 1 with the reasons otherwise.`,
		Example: `  assay request watch 3f6c1c0a…`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "request", args[0], func(ctx context.Context, node *client.Client) error { return follow(ctx, p, node, args[0]) })
		},
	}
	c.flags(command.Flags())
	return command
}

// watched is what was shown of a request.
type watched struct {
	*cli.Printer
	last  *assayv1.Request
	stage string
	show  func(int)
}

// follow prints the steps of a request until there are no more. Anything but a proof whose claims hold is a no.
func follow(ctx context.Context, p *cli.Printer, node *client.Client, request string) error {
	w := &watched{Printer: p}
	if err := node.Watch(ctx, request, w.see); err != nil {
		return err
	}
	switch r := w.last; {
	case r == nil:
		return cli.No("the node said nothing about request %s", shortID(request))
	case r.GetStatus() != assayv1.RequestStatus_REQUEST_STATUS_VERIFIED:
		return cli.No("request %s is %s%s", shortID(request), requestStatusText(r.GetStatus()), because(r))
	case !r.GetResult().GetHolds():
		return cli.No("the proof is valid, but not every claim holds")
	}
	return nil
}

func (w *watched) see(r *assayv1.Request, progress *assayv1.Progress) error {
	if progress != nil {
		w.progress(progress)
	}
	if r == nil {
		return nil
	}
	w.last = r
	if w.JSON {
		return printMessage(w.Printer, "request", r)
	}
	return w.Line("%s", cli.Printable(stepText(r)))
}

// progress draws a bar for each stage, for those who watch a terminal.
func (w *watched) progress(p *assayv1.Progress) {
	total := int(min(p.GetTotal(), 1<<30))
	if w.stage != p.GetStage() || w.show == nil {
		w.stage, w.show = p.GetStage(), w.Progress(cli.Printable(p.GetStage()), max(1, total))
	}
	w.show(int(min(p.GetDone(), uint64(total))))
}

// stepText is the last step of a request, on one line.
func stepText(r *assayv1.Request) string {
	at, note := r.GetCreatedAt(), ""
	switch r.GetStatus() {
	case assayv1.RequestStatus_REQUEST_STATUS_OPEN:
		note = fmt.Sprintf("%s asks %s about fleet %s at epoch %d", r.GetRequester(), r.GetOwner(), r.GetFleet(), r.GetEpoch())
	case assayv1.RequestStatus_REQUEST_STATUS_APPROVED, assayv1.RequestStatus_REQUEST_STATUS_REFUSED:
		at, note = r.GetDecision().GetAt(), strings.Join(r.GetDecision().GetReasons(), "; ")
	case assayv1.RequestStatus_REQUEST_STATUS_PROVING:
		at = r.GetProving().GetAt()
	case assayv1.RequestStatus_REQUEST_STATUS_FAILED:
		at, note = r.GetFailure().GetAt(), strings.Join(r.GetFailure().GetReasons(), "; ")
	case assayv1.RequestStatus_REQUEST_STATUS_VERIFIED:
		at, note = r.GetResult().GetAt(), map[bool]string{true: "every claim holds", false: "not every claim holds"}[r.GetResult().GetHolds()]
	case assayv1.RequestStatus_REQUEST_STATUS_WITHDRAWN:
		at = r.GetWithdrawal().GetAt()
	case assayv1.RequestStatus_REQUEST_STATUS_EXPIRED:
		at = r.GetExpiresAt()
	}
	return strings.TrimRight(fmt.Sprintf("%s  %s  %-9s  %s", timeText(at), shortID(r.GetId()), requestStatusText(r.GetStatus()), note), " ")
}

// because are the reasons of a request's end.
func because(r *assayv1.Request) string {
	reasons := r.GetFailure().GetReasons()
	if len(reasons) == 0 && !r.GetDecision().GetApproved() {
		reasons = r.GetDecision().GetReasons()
	}
	if len(reasons) == 0 {
		return ""
	}
	return ": " + strings.Join(reasons, "; ")
}
