package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/zk/statement"
)

// requestCreateCall is one call of assay request create.
type requestCreateCall struct {
	apiCall
	grant, purpose, fleet, key string
	epoch                      uint64
	epochGiven                 bool
	expires                    time.Duration
	watch                      bool
}

func newRequestCreateCommand(p *cli.Printer) *cobra.Command {
	c := &requestCreateCall{apiCall: apiCall{Printer: p}}
	command := &cobra.Command{
		Use:   "create STATEMENT.json",
		Short: "Ask the owner of a fleet to prove a statement",
		Long: `Create asks in the name of the node's organisation. The statement is JSON in any layout (- is standard input); flags take the place of what it says. What is
missing the node fills in: requester, a random nonce, and an expiry of 24 hours. 'assay statement check' shows a complete one in words.

It is recorded under the id that it prints, whatever becomes of it. With --watch it follows the request until nothing more can come, and the exit code
is 0 if it was proven and every claim holds. With --idempotency-key the same call can be repeated without asking twice. The token must be an operator's.`,
		Example: `  assay request create statement.json --grant spring-loans --purpose loan-underwriting --watch`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c.epochGiven = command.Flags().Changed("epoch")
			return c.run(command.Context(), args[0])
		},
	}
	f := command.Flags()
	f.StringVar(&c.grant, "grant", "", "the owner's grant to ask under")
	f.StringVar(&c.purpose, "purpose", "", "what the answer is for")
	f.StringVar(&c.fleet, "fleet", "", "the fleet to ask about")
	f.Uint64Var(&c.epoch, "epoch", 0, "the epoch to ask about")
	f.DurationVar(&c.expires, "expires", 0, "how long an answer is waited for, such as 48h")
	f.StringVar(&c.key, "idempotency-key", "", "a key under which the same call may be repeated")
	f.BoolVar(&c.watch, "watch", false, "follow the request until nothing more can come")
	c.flags(f)
	return command
}

func (c *requestCreateCall) run(ctx context.Context, path string) error {
	s, err := c.draft(path)
	if err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return cli.No("%s: %w", path, err)
	}
	return c.with(ctx, func(ctx context.Context, node *client.Client) error {
		answer, err := node.Requests.CreateRequest(keyed(ctx, c.key), &assayv1.CreateRequestRequest{Statement: string(b)})
		if err != nil {
			return err
		}
		r := answer.GetRequest()
		if c.watch {
			return follow(ctx, c.Printer, node, r.GetId())
		}
		if c.JSON {
			return printMessage(c.Printer, "request", r)
		}
		return c.Line("Request %s asks %s about fleet %s at epoch %d.", r.GetId(), r.GetOwner(), r.GetFleet(), r.GetEpoch())
	})
}

func (c *requestCreateCall) draft(path string) (*statement.Statement, error) {
	s, err := readDraft(c.Printer, path)
	if err != nil {
		return nil, err
	}
	for _, o := range []struct {
		flag string
		into *string
	}{{c.grant, &s.Grant}, {c.purpose, &s.Purpose}, {c.fleet, &s.Fleet}} {
		if o.flag != "" {
			*o.into = o.flag
		}
	}
	if c.epochGiven {
		s.Epoch = c.epoch
	}
	if c.expires < 0 {
		return nil, cli.Usage("--expires %v: must be above 0", c.expires)
	}
	if c.expires > 0 {
		s.Expiry = time.Now().UTC().Add(c.expires).Truncate(time.Second)
	}
	return s, nil
}
