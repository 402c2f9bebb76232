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

// online asks the node about a request on the ledger.
func (c *policyExplainCall) online(ctx context.Context, request string) error {
	if err := checkID("request", request); err != nil {
		return cli.Usage("without --request, the argument is a request on the ledger, and %w", err)
	}
	in := &assayv1.ExplainRequestRequest{Subject: &assayv1.ExplainRequestRequest_Request{Request: request}}
	if c.instead != "" {
		set, err := mustPolicy(c.Printer, c.instead)
		if err != nil {
			return err
		}
		in.Text = string(set.Text())
	}
	return c.with(ctx, func(ctx context.Context, node *client.Client) error {
		answer, err := node.Policies.ExplainRequest(ctx, in)
		if err != nil {
			return err
		}
		a := answer.GetAssessment()
		if err := c.assessment(request, a); err != nil {
			return err
		}
		if !a.GetAllowed() {
			return cli.No("request %s would be refused", shortID(request))
		}
		return nil
	})
}

func (c *policyExplainCall) assessment(request string, a *assayv1.Assessment) error {
	if c.JSON {
		return printMessage(c.Printer, "assessment", a)
	}
	return c.Line("%s", strings.TrimRight(cli.Printable(fmt.Sprintf("Request     %s\n%s", request, assessmentText(a))), "\n"))
}

// assessmentText is what grant and policies say, for people.
func assessmentText(a *assayv1.Assessment) string {
	var b strings.Builder
	switch {
	case !a.GetAllowed():
		b.WriteString("Outcome     would be refused\n")
	case a.GetApproval() != "":
		fmt.Fprintf(&b, "Outcome     allowed once a %s approves\n", a.GetApproval())
	default:
		b.WriteString("Outcome     allowed\n")
	}
	for _, r := range a.GetReasons() {
		fmt.Fprintf(&b, "            - %s\n", r)
	}
	if len(a.GetPolicyIds()) > 0 {
		fmt.Fprintf(&b, "Policies    %s\n", strings.Join(a.GetPolicyIds(), ", "))
	}
	if s := a.GetGrantStatus(); s != "" {
		fmt.Fprintf(&b, "Grant       %s\n", s)
	}
	if a.GetCost() != "" {
		fmt.Fprintf(&b, "Cost        %s units\n", a.GetCost())
	}
	return b.String()
}

func newPolicyPublishCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "publish FILE",
		Short: "Publish a policy, which is in force from then on",
		Long: `Publish puts a policy text on the ledger. From then on every answer needs its permission too, those under older grants included: it can
narrow what was granted, and it widens no grant beyond the policy that this names.

The text is checked here first, as 'assay policy check' does. The node's organisation must be an owner, the token an administrator's.`,
		Example: `  assay policy publish policy.cedar`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			set, err := mustPolicy(p, args[0])
			if err != nil {
				return err
			}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				answer, err := node.Policies.PublishPolicy(ctx, &assayv1.PublishPolicyRequest{Text: string(set.Text())})
				if err != nil {
					return err
				}
				m := answer.GetPolicy()
				if p.JSON {
					return printMessage(p, "policy", m)
				}
				return p.Line("Policy %s of %s is in force, as its version %d.", m.GetDigest(), m.GetOwner(), m.GetVersion())
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func newPolicyShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var text bool
	command := &cobra.Command{
		Use:   "show [OWNER] [DIGEST]",
		Short: "Show an owner's policy: the one in force, or an earlier one",
		Long: `Show prints a policy as it stands on the ledger. Without OWNER it is that of the node's organisation, without DIGEST the one in force.
With --text it prints the text alone, byte by byte, as grants name it by its SHA-256.`,
		Example: `  assay policy show
  assay policy show swapco --text > policy.cedar`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			args = append(args, "", "")
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				return showPolicy(ctx, p, node, args[0], args[1], text)
			})
		},
	}
	command.Flags().BoolVar(&text, "text", false, "print the text alone")
	c.flags(command.Flags())
	return command
}

func showPolicy(ctx context.Context, p *cli.Printer, node *client.Client, owner, digest string, text bool) error {
	if owner == "" {
		own, err := node.Node.GetStatus(ctx, &assayv1.GetStatusRequest{})
		if err != nil {
			return err
		}
		owner = own.GetOrganisation()
	}
	answer, err := node.Policies.GetPolicy(ctx, &assayv1.GetPolicyRequest{Owner: owner, Digest: digest})
	if err != nil {
		return err
	}
	m := answer.GetPolicy()
	switch {
	case text:
		_, err := p.Out.Write([]byte(m.GetText())) // for a file: what is published holds nothing that is unprintable
		return err
	case p.JSON:
		return printMessage(p, "policy", m)
	}
	force := map[bool]string{true: "in force", false: "not in force"}[m.GetInForce()]
	return p.Line("%s", cli.Printable(fmt.Sprintf("Policy      %s\nOwner       %s\nVersion     %d, published %s, %s\n\n%s", m.GetDigest(), m.GetOwner(), m.GetVersion(),
		timeText(m.GetPublishedAt()), force, strings.TrimRight(m.GetText(), "\n"))))
}
