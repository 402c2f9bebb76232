package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
)

// queryAskCall is one call that asks.
type queryAskCall struct {
	apiCall
	queryFlags
	totals    totalsFlags
	regulator string
	threshold uint32
	inputTime time.Duration
	model     string
	key       string
	watch     bool
}

func (c *queryAskCall) register(command *cobra.Command) *cobra.Command {
	f := command.Flags()
	c.queryFlags.flags(f)
	f.StringVar(&c.key, "idempotency-key", "", "a key under which the same call may be repeated")
	f.BoolVar(&c.watch, "watch", false, "follow the query until nothing more can come, and print the result")
	c.apiCall.flags(f)
	return command
}

func newQueryFederatedCommand(p *cli.Printer) *cobra.Command {
	c := &queryAskCall{apiCall: apiCall{Printer: p}}
	command := &cobra.Command{
		Use:   "federated [QUERY.json]",
		Short: "Ask for totals over several owners' fleets",
		Long: `Federated asks three owners or more for totals over all their fleets together: how many batteries a cohort has, and the sum, mean, variance and histogram of one
lane over it. The query is JSON in any layout (- is standard input); flags take the place of what it says, or of all of it. What is missing the node fills in: the
fleets' schema, requester, a random nonce, an expiry of 24 hours, 600 seconds for inputs, a threshold of one owner fewer than there are, and the encryption's parameters.

It is recorded under the id that it prints, whatever becomes of it. With --watch it prints every step, then the result; the exit code is 0 if there is one.
With --idempotency-key the same call can be repeated without asking twice. The token must be an operator's.`,
		Example: `  assay query federated --fleet east:spring --fleet north:spring --fleet south:spring --count --mean state_of_health --cohort 'state_of_health>=70' \
      --epoch 11 --purpose loan-underwriting --minimum-cohort 100 --regulator authority --watch
  assay query federated query.json --histogram state_of_health:60,70,80,90 --epsilon 0.5`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.federated(command.Context(), args) },
	}
	f := command.Flags()
	c.totals.flags(f)
	f.StringVar(&c.regulator, "regulator", "", "the organisation without which nothing is opened")
	f.Uint32Var(&c.threshold, "threshold", 0, "how many owners open the sum, with the regulator")
	f.DurationVar(&c.inputTime, "input-time", 0, "how long a session waits for every owner's input, such as 10m")
	return c.register(command)
}

func newQueryScoreCommand(p *cli.Printer) *cobra.Command {
	c := &queryAskCall{apiCall: apiCall{Printer: p}}
	command := &cobra.Command{
		Use:   "score [QUERY.json] --model MODEL.json",
		Short: "Score a fleet with a secret model",
		Long: `Score asks for the mean of a model's score over the batteries of one fleet. The model (JSON, linear or logistic) goes to the organisation's own node, which
keeps it sealed and sends it to the owner encrypted. Everyone sees which lanes it uses, between which bounds, and its degree; nobody else sees a weight.

The query is JSON in any layout, of which the model gives features, degree and spread; flags take the place of what it says, or of all of it. What is missing the
node fills in. With --watch it prints every step, then the result; the exit code is 0 if there is one. The token must be an operator's.`,
		Example: `  assay query score --model model.json --fleet east:spring --epoch 11 --purpose loan-underwriting --minimum-cohort 100 --watch`,
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(command *cobra.Command, args []string) error { return c.score(command.Context(), args) },
	}
	command.Flags().StringVar(&c.model, "model", "", "file with the model, which stays the organisation's secret")
	cli.Require(command, "model")
	return c.register(command)
}

func (c *queryAskCall) federated(ctx context.Context, args []string) error {
	d, err := c.draft(args)
	if err != nil {
		return err
	}
	if d.Kind = cmp.Or(d.Kind, ledger.QueryFederated); d.Kind != ledger.QueryFederated {
		return cli.Usage("%s: kind is %.40q: 'assay query score' asks that", args[0], d.Kind)
	}
	if err := c.totals.apply(d); err != nil {
		return err
	}
	d.Regulator = cmp.Or(c.regulator, d.Regulator)
	d.Threshold = cmp.Or(c.threshold, d.Threshold)
	switch {
	case c.inputTime < 0 || c.inputTime%time.Second != 0:
		return cli.Usage("--input-time %v: must be above 0, in whole seconds", c.inputTime)
	case c.inputTime > 0:
		d.InputSeconds = int64(c.inputTime / time.Second)
	}
	return c.ask(ctx, d, "")
}

func (c *queryAskCall) score(ctx context.Context, args []string) error {
	d, err := c.draft(args)
	if err != nil {
		return err
	}
	if d.Kind = cmp.Or(d.Kind, ledger.QueryScore); d.Kind != ledger.QueryScore {
		return cli.Usage("%s: kind is %.40q: 'assay query federated' asks that", args[0], d.Kind)
	}
	model, err := readInput(c.Printer, c.model, score.MaxModelFile)
	if err != nil {
		return err
	}
	if _, err := score.ParseModel(model); err != nil {
		return cli.No("%s: %w", c.model, err)
	}
	return c.ask(ctx, d, string(model))
}

// draft is what the file and the flags of both kinds say.
func (c *queryAskCall) draft(args []string) (*ledger.Query, error) {
	d, err := readQuery(c.Printer, args)
	if err != nil {
		return nil, err
	}
	if err := c.apply(d, time.Now()); err != nil {
		return nil, err
	}
	if c.expires > 0 && c.key != "" {
		return nil, cli.Usage("--expires counts from now, so that with it no call is the same as another under --idempotency-key: say expiry in the query, in seconds since 1970")
	}
	return d, missingOf(d)
}

// missingOf names the flags without which there is no query.
func missingOf(d *ledger.Query) error {
	var flags []string
	for _, f := range []struct {
		flag    string
		missing bool
	}{{"fleet", len(d.Parts) == 0}, {"purpose", d.Purpose == ""}, {"minimum-cohort", d.MinimumCohort == 0}} {
		if f.missing {
			flags = append(flags, "--"+f.flag)
		}
	}
	if len(flags) > 0 {
		return cli.Usage("the query does not say: %s", strings.Join(flags, ", "))
	}
	return nil
}

func (c *queryAskCall) ask(ctx context.Context, d *ledger.Query, model string) error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return c.with(ctx, func(ctx context.Context, node *client.Client) error {
		answer, err := node.Queries.CreateQuery(keyed(ctx, c.key), &assayv1.CreateQueryRequest{Query: string(b), Model: model})
		if err != nil {
			return err
		}
		q := answer.GetQuery()
		if c.watch {
			return followQuery(ctx, c.Printer, node, q.GetId())
		}
		if c.JSON {
			return printMessage(c.Printer, "query", q)
		}
		return c.Line("Query %s asks %s about %s at epoch %d.", q.GetId(), strings.Join(ownersOf(q), ", "), strings.Join(fleetsOf(q), ", "), q.GetEpoch())
	})
}

func ownersOf(q *assayv1.Query) (out []string) {
	for _, part := range q.GetParts() {
		out = append(out, part.GetOwner())
	}
	return slices.Clip(out)
}
