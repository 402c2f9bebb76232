package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
)

func newGrantCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "grant",
		Short: "Permit questions about an owner's fleets, and revoke the permission",
		Long: `A grant is an owner's permission on the ledger: who may ask what about which fleets, for which purposes, how often and until when. Without one
nothing is answered. These commands ask the node that --api names.`,
	}
	command.AddCommand(newGrantCreateCommand(p), newGrantListCommand(p), newGrantShowCommand(p), newGrantRevokeCommand(p))
	return command
}

func newGrantListCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var owner, grantee string
	command := &cobra.Command{
		Use:   "list",
		Short: "List the grants on the ledger",
		Long:  `List prints every grant with where it stands and how many of its answers are spent.`,
		Example: `  assay grant list
  assay grant list --grantee greenbank --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				l := listing{Printer: p, kind: "grant", header: []string{"owner", "grant", "grantee", "status", "answers", "fleets", "ends"}}
				for g, err := range node.AllGrants(ctx, owner, grantee) {
					if err != nil {
						return err
					}
					t := g.GetTerms()
					if err := l.add(g, g.GetOwner(), t.GetId(), t.GetGrantee(), grantStatusText(g.GetStatus()), fmt.Sprintf("%d/%d", g.GetAnswersSpent(), t.GetAnswers()),
						strings.Join(t.GetFleets(), ","), timeText(t.GetNotAfter())); err != nil {
						return err
					}
				}
				return l.end("There is no grant.")
			})
		},
	}
	command.Flags().StringVar(&owner, "owner", "", "only grants by this organisation")
	command.Flags().StringVar(&grantee, "grantee", "", "only grants for this organisation")
	c.flags(command.Flags())
	return command
}

func newGrantShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:     "show OWNER GRANT",
		Short:   "Show a grant's terms and what is spent of it",
		Long:    `Show prints the terms of a grant, how many answers and how much of each fleet's budget are spent, and its revocation, if it was revoked.`,
		Example: `  assay grant show swapco spring-loans`,
		Args:    cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				answer, err := node.Grants.GetGrant(ctx, &assayv1.GetGrantRequest{Owner: args[0], Grant: args[1]})
				if err != nil {
					return err
				}
				return printGrant(p, answer.GetGrant())
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func newGrantRevokeCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var reason string
	command := &cobra.Command{
		Use:   "revoke GRANT --reason TEXT",
		Short: "End a grant at once",
		Long: `Revoke ends a grant of the node's organisation. Nothing is approved under it any more, and what was approved and is not proven yet is refused by the
ledger. What was answered stays answered. The token must be an administrator's.`,
		Example: `  assay grant revoke spring-loans --reason 'the loan was repaid'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				answer, err := node.Grants.RevokeGrant(ctx, &assayv1.RevokeGrantRequest{Grant: args[0], Reason: reason})
				if err != nil {
					return err
				}
				g := answer.GetGrant()
				if p.JSON {
					return printMessage(p, "grant", g)
				}
				return p.Line("Grant %s of %s is revoked, after %d of %d answers.", g.GetTerms().GetId(), g.GetOwner(), g.GetAnswersSpent(), g.GetTerms().GetAnswers())
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	cli.Require(command, "reason")
	c.flags(command.Flags())
	return command
}

func grantStatusText(s assayv1.GrantStatus) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s.String(), "GRANT_STATUS_"), "_", " "))
}

func printGrant(p *cli.Printer, g *assayv1.Grant) error {
	if p.JSON {
		return printMessage(p, "grant", g)
	}
	return p.Line("%s", strings.TrimRight(cli.Printable(grantText(g)), "\n"))
}

func grantText(g *assayv1.Grant) string {
	var b strings.Builder
	t := g.GetTerms()
	line := fields(&b)
	line("Grant", "%s by %s for %s: %s", t.GetId(), g.GetOwner(), t.GetGrantee(), grantStatusText(g.GetStatus()))
	if r := g.GetRevocation(); r != nil {
		line("Revoked", "%s: %s", timeText(r.GetRevokedAt()), r.GetReason())
	}
	line("Window", "%s to %s", timeText(t.GetNotBefore()), timeText(t.GetNotAfter()))
	line("Epochs", "from %d%s", t.GetFirstEpoch(), map[bool]string{true: "", false: fmt.Sprintf(" to %d", t.GetLastEpoch())}[t.GetLastEpoch() == 0])
	line("Fleets", "%s", orNone(t.GetFleets()))
	line("Purposes", "%s", orNone(t.GetPurposes()))
	line("Actions", "%s", orNone(t.GetActions()))
	line("Claims", "%s", orNone(t.GetClaims()))
	line("Discloses", "%s", orNone(t.GetDisclose()))
	line("Lanes", "%s", orNone(t.GetLanes()))
	for _, m := range t.GetModels() {
		line("Model", "%s", m)
	}
	if t.GetMaxPrice() != "" {
		line("Price", "at most %s a device", t.GetMaxPrice())
	}
	line("Cohort", "at least %d devices, a coverage of %s %% at least", t.GetMinimumCohort(), orZero(t.GetMinimumCoverage()))
	line("Answers", "%d of %d spent", g.GetAnswersSpent(), t.GetAnswers())
	line("Budget", "%s units for each fleet; a claim costs %s, a disclosed total %s", orZero(t.GetBudget()), orZero(t.GetCostClaim()), orZero(t.GetCostDisclosure()))
	for _, fleet := range slices.Sorted(maps.Keys(g.GetBudgetSpent())) {
		line("", "%s spent of fleet %s", g.GetBudgetSpent()[fleet], fleet)
	}
	if t.GetDeltaBudget() != "" {
		line("Delta", "%s for each fleet", t.GetDeltaBudget())
	}
	for _, fleet := range slices.Sorted(maps.Keys(g.GetDeltaSpent())) {
		line("", "%s spent of fleet %s", g.GetDeltaSpent()[fleet], fleet)
	}
	line("Policy", "%s", t.GetPolicy())
	line("Recorded", "%s, transaction %s", timeText(g.GetGrantedAt()), g.GetTxId())
	return b.String()
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// grantCreateCall is one call of assay grant create.
type grantCreateCall struct {
	apiCall
	termsFlags
	print bool
	key   string
}

func newGrantCreateCommand(p *cli.Printer) *cobra.Command {
	c := &grantCreateCall{apiCall: apiCall{Printer: p}}
	command := &cobra.Command{
		Use:   "create [TERMS.json]",
		Short: "Grant an organisation answers",
		Long: `Create puts a grant on the ledger, by the node's organisation, which must be an owner; the token must be an administrator's. Its terms are a file, JSON as
the interface takes it (- is standard input), or flags. --covering takes fleet, purpose, claims, disclosures, lanes and valuation model from a statement that a
lender showed; the minimum cohort, the number of answers and the budget are the owner's to set. --print prints the terms and stops.

A lane's total over a cohort, and a valuation, are sums over its devices. A model whose factor differs much, or that jumps, can single out a few of them: such
models are warned about. The higher the price of a device, the finer what a value shows: --max-price bounds it, and is needed where there are models. Budget and costs are a convention for counting exact totals, and no differential privacy.`,
		Example: `  assay grant create terms.json
  assay grant create --id spring-loans --covering statement.json --grantee greenbank --max-price 1250 --minimum-cohort 100 --minimum-coverage 90 --answers 4 --budget 10 --cost-claim 1 --cost-disclosure 2 --for 720h`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.run(command.Context(), args) },
	}
	f := command.Flags()
	c.termsFlags.flags(f)
	f.BoolVar(&c.print, "print", false, "print the terms in JSON and stop")
	f.StringVar(&c.key, "idempotency-key", "", "a key under which the same call may be repeated")
	c.apiCall.flags(f)
	return command
}

func (c *grantCreateCall) run(ctx context.Context, args []string) error {
	terms, err := c.read(args)
	if err != nil {
		return err
	}
	sortTerms(terms)
	if c.print {
		return printTerms(c.Printer, terms)
	}
	return c.with(ctx, func(ctx context.Context, node *client.Client) error {
		answer, err := node.Grants.CreateGrant(keyed(ctx, c.key), &assayv1.CreateGrantRequest{Terms: terms})
		if err != nil {
			return err
		}
		return printGrant(c.Printer, answer.GetGrant())
	})
}

func (c *grantCreateCall) read(args []string) (*assayv1.GrantTerms, error) {
	if len(args) == 0 {
		return c.terms(c.Printer, time.Now())
	}
	if len(c.covering) > 0 || c.termsFlags.id != "" {
		return nil, cli.Usage("give terms in a file or as flags, not both")
	}
	return readTermsFile(c.Printer, args[0])
}

// keyed gives a call an idempotency key, if there is one; the client draws one otherwise.
func keyed(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return client.WithKey(ctx, key)
}
