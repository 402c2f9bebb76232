package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/datahub/query"
)

// watched reads the end of a query that was watched.
func (d *queryDemo) watched(out []byte) (*queryPlayed, error) {
	var q struct {
		ID     string `json:"id"`
		Kind   string `json:"query_kind"`
		Status string `json:"status"`
		Parts  []struct {
			Owner    string `json:"owner"`
			Decision struct {
				Approved bool     `json:"approved"`
				Reasons  []string `json:"reasons"`
			} `json:"decision"`
		} `json:"parts"`
	}
	if err := last(out, &q); err != nil {
		return nil, err
	}
	p := &queryPlayed{Query: q.ID, Kind: queryKindText(q.Kind), Status: strings.ToLower(strings.TrimPrefix(q.Status, "QUERY_STATUS_"))}
	for _, part := range q.Parts {
		for _, reason := range part.Decision.Reasons {
			if !part.Decision.Approved {
				p.Reasons = append(p.Reasons, part.Owner+": "+reason)
			}
		}
	}
	return p, nil
}

func queryKindText(kind string) string {
	return strings.ToLower(strings.TrimPrefix(kind, "QUERY_KIND_"))
}

// compare prints a result beside the truth, and holds the two against each other.
func (d *queryDemo) compare(ctx context.Context, id string, truth *queryTruth) error {
	if err := d.answered(ctx, id); err != nil {
		return err
	}
	if err := d.show(ctx, playsLender, "query", "result", id); err != nil {
		return err
	}
	var answer *query.Answer
	err := d.ask(ctx, d.nodes[playsLender], func(ctx context.Context, node *client.Client) error {
		got, err := node.Queries.GetQueryResult(ctx, &assayv1.GetQueryResultRequest{Query: id})
		if err != nil {
			return err
		}
		answer, err = query.ParseAnswer([]byte(got.GetAnswer()))
		return err
	})
	if err != nil {
		return err
	}
	if err := truth.agrees(answer); err != nil {
		return fmt.Errorf("the answer to query %s is not the truth: %w", id, err)
	}
	d.tell("the truth, which nobody else has: %s", truth.text)
	q, err := d.query(ctx, id)
	if err != nil {
		return err
	}
	p := queryPlayed{Query: id, Kind: queryKindText(q.GetKind().String()), Status: "answered", Result: answer.Encode(), Truth: truth.text}
	for _, s := range q.GetSessions() {
		p.Sessions = append(p.Sessions, s.GetId())
	}
	d.asked = append(d.asked, p)
	return d.seen(ctx, q)
}

// seen says what the parties of the session saw that was answered: what the ledger has, which all of them see, and nothing else.
func (d *queryDemo) seen(ctx context.Context, q *assayv1.Query) error {
	s, err := d.session(ctx, q.GetActivated())
	if err != nil {
		return err
	}
	rounds := map[string]int{}
	for _, e := range s.GetEntries() {
		rounds[e.GetRound()]++
	}
	if s.GetRegulator() == "" {
		d.tell("the owner saw the names of the lanes and ciphertexts under the lender's key; the lender the mean; all others %d digests on the ledger", len(s.GetEntries()))
		return nil
	}
	d.tell("each owner saw its own totals and the others' ciphertexts; the regulator the ciphertexts; the lender the sum of %d; all others %d digests on the ledger",
		rounds["input"], len(s.GetEntries()))
	return nil
}

// queryResult is the demonstration as a line of JSON.
type queryResult struct {
	Kind    string            `json:"kind"`
	Ledger  string            `json:"ledger"`
	Epoch   uint64            `json:"epoch"`
	Devices int               `json:"devices"`
	Queries []queryPlayed     `json:"queries"`
	GRPC    map[string]string `json:"grpc"`
	Seconds float64           `json:"seconds"`
}

// finish has the regulator look at it, and says where things are.
func (d *queryDemo) finish(ctx context.Context) error {
	d.say(playsRegulator, "has made every approval again and read every session, and sees all of them:")
	answered := 3 * len(d.asked[:3]) // each has approvals and a result at least
	err := d.until(ctx, reviewPatience, "the regulator's node reviews the queries", func(ctx context.Context) (bool, error) {
		n, err := d.reviewed(ctx, d.nodes[playsRegulator], "queries")
		return n >= answered, err
	})
	if err != nil {
		return err
	}
	if err := d.show(ctx, playsRegulator, "query", "list"); err != nil {
		return err
	}
	first := d.asked[0]
	if err := d.show(ctx, playsRegulator, "mpc", "session", "show", first.Sessions[len(first.Sessions)-1]); err != nil {
		return err
	}
	if err := d.show(ctx, playsRegulator, "audit", "alerts"); err != nil {
		return err
	}
	took := time.Since(d.begun)
	if d.JSON {
		o := queryResult{Kind: "demo_query", Ledger: d.ledgerID, Epoch: d.epoch, Devices: d.fleetSize, Queries: d.asked, GRPC: map[string]string{}, Seconds: took.Seconds()}
		for role, n := range d.nodes {
			o.GRPC[role] = n.grpc
		}
		return d.Object(o)
	}
	return d.Line("%s", d.places(took))
}

func (d *queryDemo) places(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nIn %s (%.0f s in all)\n", d.demoCall.dir, took.Seconds())
	for _, role := range d.order {
		n := d.nodes[role]
		fmt.Fprintf(&b, "  %-22s%s: REST and its page https://%s/docs/, gRPC %s\n", role+".yaml", n.organisation, n.rest, n.grpc)
	}
	for _, f := range [][2]string{
		{"policy.cedar", "the owners' policy"}, {"model.json", "the lender's secret model"}, {"*.log", "what nodes and devices said"},
	} {
		fmt.Fprintf(&b, "  %-22s%s\n", f[0], f[1])
	}
	if !d.stay {
		fmt.Fprintf(&b, "\nNetwork and nodes are stopped now. To start them again:\n  %s up --dir %s\n  %s serve --config %s     (and the others, each in a terminal)\n",
			d.assayFabric, d.at("network"), d.self, d.nodes["east"].config)
	}
	return b.String()
}
