package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// policyExplainCall is one call of assay policy explain.
type policyExplainCall struct {
	apiCall
	request, terms, inForce string
	owner, requester        string
	at, instead             string
	roles                   []string
	attributes              map[string]string
	epoch                   uint64
	answers                 uint32
	epochGiven              bool
}

func newPolicyExplainCommand(p *cli.Printer) *cobra.Command {
	c := &policyExplainCall{apiCall: apiCall{Printer: p}}
	command := &cobra.Command{
		Use:   "explain FILE --request STATEMENT [--terms TERMS] | explain REQUEST [--policy FILE]",
		Short: "Say why a request would be allowed or refused",
		Long: `Explain decides a request and names every policy that speaks, and what it says.

Given a policy text and a statement it works on files: what the statement discloses and touches is derived as the ledger derives it. With a grant's
terms (JSON, as 'assay grant create' takes it) it also says what the grant does not cover and what an answer costs. An answer needs both, the
policy that the grant names (FILE) and the owner's policy in force (--in-force, else FILE).

Given the id of a request it asks the node what the contract would say, and with --policy what it would say if that text were in force.
Nothing that it says binds anybody: what counts is evaluated at approval, and again at the proof.

The exit code is 0 if the request would be allowed, 1 if not, with the reasons.`,
		Example: `  assay policy explain policy.cedar --request statement.json --owner swapco --requester greenbank
  assay policy explain policy.cedar --request statement.json --owner swapco --terms terms.json --role financier
  assay policy explain 3f6c… --policy stricter.cedar`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c.epochGiven = command.Flags().Changed("epoch")
			return c.run(command.Context(), args[0])
		},
	}
	f := command.Flags()
	f.StringVar(&c.request, "request", "", "a statement in a file: decide it here, without a node")
	f.StringVar(&c.terms, "terms", "", "with --request: a grant's terms")
	f.StringVar(&c.inForce, "in-force", "", "with --request: the owner's policy in force, where it is another than FILE")
	f.StringVar(&c.owner, "owner", "", "with --request: the organisation that owns the fleet")
	f.StringVar(&c.requester, "requester", "", "with --request: who asks, where the statement does not say (default: the terms' grantee)")
	f.StringSliceVar(&c.roles, "role", []string{string(ledger.RoleFinancier)}, "with --request: the requester's roles")
	f.StringToStringVar(&c.attributes, "attribute", nil, "with --request: attributes of the requester's certificate, such as O=GreenBank")
	f.Uint64Var(&c.epoch, "epoch", 0, "with --request: the epoch that runs (default: the one after the statement's)")
	f.Uint32Var(&c.answers, "answered", 0, "with --terms: how many answers the grant gave already")
	f.StringVar(&c.at, "at", "", "with --request: the ledger's time, such as 2026-01-31T12:00:00Z (default now)")
	f.StringVar(&c.instead, "policy", "", "with REQUEST: a policy text to decide by in place of the owner's")
	c.flags(f)
	return command
}

func (c *policyExplainCall) run(ctx context.Context, what string) error {
	if c.request == "" {
		return c.online(ctx, what)
	}
	e, err := c.offline(what)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := c.Object(e); err != nil {
			return err
		}
	} else if err := c.Line("%s", strings.TrimRight(cli.Printable(e.text()), "\n")); err != nil {
		return err
	}
	if !e.Allowed {
		return cli.No("the request would be refused")
	}
	return nil
}

// explanation is what files say about a statement.
type explanation struct {
	Kind     string           `json:"kind"`
	Allowed  bool             `json:"allowed"`
	Approval string           `json:"approval,omitempty"`
	Policies []explained      `json:"policies"`
	Grant    *explainedGrant  `json:"grant,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
	Question *policy.Question `json:"question"`
}

// explained is what one policy text says.
type explained struct {
	File   string        `json:"file"`
	Digest commit.Digest `json:"digest"`
	policy.Decision
	Places []policyPlace `json:"places"`
}

// explainedGrant is what the terms of a grant say.
type explainedGrant struct {
	ID      string   `json:"id"`
	Covers  bool     `json:"covers"`
	Reasons []string `json:"reasons,omitempty"`
	Cost    string   `json:"cost"`
}

func (c *policyExplainCall) offline(path string) (*explanation, error) {
	set, err := mustPolicy(c.Printer, path)
	if err != nil {
		return nil, err
	}
	terms, err := c.readTerms(set)
	if err != nil {
		return nil, err
	}
	q, err := c.question(terms)
	if err != nil {
		return nil, err
	}
	e := &explanation{Kind: "explanation", Question: q, Warnings: policy.Warnings(q.Curves, q.Cohort, q.Price)}
	e.ask(path, set)
	if c.inForce != "" {
		other, err := mustPolicy(c.Printer, c.inForce)
		if err != nil {
			return nil, err
		}
		e.ask(c.inForce, other)
	}
	e.Allowed = true
	for i := range e.Policies {
		e.Allowed = e.Allowed && e.Policies[i].Allowed
		if e.Policies[i].Allowed && e.Policies[i].Approval != "" {
			e.Approval = e.Policies[i].Approval
		}
	}
	if terms != nil {
		e.Grant = c.limits(terms, q, set)
		e.Allowed = e.Allowed && e.Grant.Covers
	}
	if !e.Allowed {
		e.Approval = ""
	}
	return e, nil
}

func (e *explanation) ask(path string, set *policy.Set) {
	d := explained{File: path, Digest: set.Digest(), Decision: set.Decide(e.Question), Places: placesOf(set, set.Text())}
	e.Policies = append(e.Policies, d)
}

// readTerms reads the terms if any are given. Terms that name no policy are taken to name the one that is tried.
func (c *policyExplainCall) readTerms(set *policy.Set) (*policy.Terms, error) {
	if c.terms == "" {
		return nil, nil
	}
	message, err := readTermsFile(c.Printer, c.terms)
	if err != nil {
		return nil, err
	}
	if message.GetPolicy() == "" {
		message.Policy = commit.Digest(set.Digest()).String()
	}
	terms := termsOf(message)
	if err := terms.Check(); err != nil {
		return nil, cli.No("%s: %w", c.terms, err)
	}
	return terms, nil
}

// question derives what policies look at.
func (c *policyExplainCall) question(terms *policy.Terms) (*policy.Question, error) {
	s, err := readDraft(c.Printer, c.request)
	if err != nil {
		return nil, err
	}
	by, err := c.asker(s)
	if err != nil {
		return nil, err
	}
	requester := c.requester
	if terms != nil {
		if requester == "" {
			requester = terms.Grantee
		}
		if s.Grant == "" {
			s.Grant = terms.ID
		}
	}
	if err := complete(s, requester, by.Time); err != nil {
		return nil, cli.No("%s: %w", c.request, err)
	}
	q, err := ledger.QuestionOf(s, *by)
	if err != nil {
		return nil, cli.No("%s: %w", c.request, err)
	}
	return q, nil
}

func (c *policyExplainCall) asker(s *statement.Statement) (*ledger.Asker, error) {
	by := &ledger.Asker{Attributes: c.attributes, Fleet: ledger.Fleet{ID: s.Fleet, Owner: c.owner, Schema: s.Schema}, Epoch: c.epoch, Time: time.Now().UTC()}
	if !c.epochGiven {
		by.Epoch = s.Epoch + 1
	}
	if c.at != "" {
		t, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			return nil, cli.Usage("--at: %w", err)
		}
		by.Time = t
	}
	for _, name := range c.roles {
		switch r := ledger.Role(name); r {
		case ledger.RoleOwner, ledger.RoleFinancier, ledger.RoleRegulator:
			by.Roles = append(by.Roles, r)
		default:
			return nil, cli.Usage("--role %q: must be %s, %s or %s", name, ledger.RoleOwner, ledger.RoleFinancier, ledger.RoleRegulator)
		}
	}
	if c.owner == "" {
		return nil, cli.Usage("--owner is missing: whose fleet the statement is about")
	}
	return by, nil
}

func (c *policyExplainCall) limits(terms *policy.Terms, q *policy.Question, set *policy.Set) *explainedGrant {
	g := &explainedGrant{ID: terms.ID, Reasons: terms.Limits(q, policy.Spent{Answers: c.answers})}
	if digest := commit.Digest(set.Digest()).String(); terms.Policy != digest {
		g.Reasons = append(g.Reasons, fmt.Sprintf("the grant names policy %s, this text is %s", terms.Policy, digest))
	}
	if units, err := terms.Cost(q); err == nil {
		g.Cost = policy.FormatUnits(units)
	}
	g.Covers = len(g.Reasons) == 0
	return g
}
