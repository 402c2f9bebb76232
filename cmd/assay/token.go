package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/datahub/node"
)

// tokenCall is one call of assay token.
type tokenCall struct {
	*cli.Printer
	configAt, subject string
	roles             []string
	lifetime          time.Duration
	rotate, revoke    bool
}

func newTokenCommand(p *cli.Printer) *cobra.Command {
	c := &tokenCall{Printer: p}
	command := &cobra.Command{
		Use:   "token --config NODE.yaml --subject NAME --role ROLE",
		Short: "Make a token for a node's interface",
		Long: `Token makes a token with the node's own issuer, for somebody or some program of the node's organisation. It works on
the node's machine alone, for whoever may read its data folder, whether the node runs or not.

  viewer         reads what every member of the consortium may read
  auditor        reads who asked what and what was released besides, and takes evidence
  operator       asks, withdraws, approves and refuses besides what a viewer does
  administrator  publishes policies, grants and revokes, and does what the others do

A token lets in whoever holds it until it ends, after an hour at most, and cannot be taken back; --revoke drops the
issuer's keys, and with them every token there is: within seconds where the node runs, though a stream that is
open ends with its token.`,
		Example: `  (umask 077; assay token --config owner.yaml --subject ayse --role operator > token)
  assay token --config owner.yaml --subject ayse --role viewer --role auditor --for 15m
  assay token --config owner.yaml --revoke`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	f := command.Flags()
	f.StringVar(&c.configAt, "config", "", "the node's configuration")
	f.StringVar(&c.subject, "subject", "", "whom it is for")
	f.StringArrayVar(&c.roles, "role", nil, "what they may do: viewer, auditor, operator or administrator; may be repeated")
	f.DurationVar(&c.lifetime, "for", 15*time.Minute, "how long it is good, at most 1h")
	f.BoolVar(&c.rotate, "rotate", false, "make a new key to sign with, and no token; those of the former key stay good until they end")
	f.BoolVar(&c.revoke, "revoke", false, "drop every key, and with them every token")
	command.MarkFlagsMutuallyExclusive("rotate", "revoke", "subject")
	return command
}

func (c *tokenCall) run(ctx context.Context) error {
	config, err := readConfig(c.configAt)
	if err != nil {
		return err
	}
	if !config.API.BuiltInIssuer {
		return cli.Usage("%s: api.built_in_issuer is false: tokens come from api.issuers", c.configAt)
	}
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return cli.Usage("data: %w", err)
	}
	own, err := issuer.Open(ctx, config.IssuerFolder(), issuer.Options{URL: config.API.IssuerURL()})
	if err != nil {
		return cli.Usage("%w", err)
	}
	switch {
	case c.rotate:
		return own.Rotate(ctx)
	case c.revoke:
		return own.Revoke(ctx)
	}
	return c.mint(own, config)
}

type tokenObject struct {
	Kind     string    `json:"kind"`
	Token    string    `json:"token"`
	Subject  string    `json:"subject"`
	Roles    []string  `json:"roles"`
	Audience string    `json:"audience"`
	Until    time.Time `json:"until"`
}

func (c *tokenCall) mint(own *issuer.Issuer, config *node.Config) error {
	claims := issuer.Claims{Subject: c.subject, Audience: config.API.Audience, Lifetime: c.lifetime}
	if claims.Audience == "" {
		organisation, err := organisationOf(config)
		if err != nil {
			return err
		}
		claims.Audience = access.Audience(organisation)
	}
	for _, name := range c.roles {
		role, err := access.ParseRole(name)
		if err != nil {
			return cli.Usage("--role: %w", err)
		}
		claims.Roles = append(claims.Roles, role)
	}
	until := time.Now().Add(c.lifetime).UTC().Truncate(time.Second)
	token, err := own.Mint(claims)
	if err != nil {
		return cli.Usage("%w", err)
	}
	if c.JSON {
		return c.Object(tokenObject{"token", token, c.subject, c.roles, claims.Audience, until})
	}
	_, err = fmt.Fprintln(c.Out, token) // nothing else, for $(…)
	return err
}
