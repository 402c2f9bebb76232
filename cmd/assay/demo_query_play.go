package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// queryPatience bounds how long a query may take.
const queryPatience = 5 * time.Minute

// permit has every owner write a policy and grant the lender.
func (d *queryDemo) permit(ctx context.Context) error {
	if err := os.WriteFile(d.at("policy.cedar"), []byte(queryPolicy), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(d.at("model.json"), []byte(queryModel), 0o600); err != nil {
		return err
	}
	d.say("Owners", "publish a policy each, and grant the lender answers with a budget of 30 units: 3 for an exact number, and the epsilon of one with noise:")
	for _, role := range queryOwners {
		n := d.nodes[role]
		if _, err := d.command(ctx, role, cli.ExitYes, "policy", "publish", d.at("policy.cedar")); err != nil {
			return err
		}
		if _, err := d.command(ctx, role, cli.ExitYes, "grant", "create", "--id", queryGrant, "--grantee", d.nodes[playsLender].organisation, "--fleet", n.fleet,
			"--purpose", nodesPurpose, "--action", "aggregate,score", "--disclose", "count,state_of_health", "--lane", "state_of_health,age_days", "--minimum-cohort", "20",
			"--minimum-coverage", "90", "--answers", "8", "--budget", "30", "--cost-claim", "1", "--cost-disclosure", "3", "--for", "720h"); err != nil {
			return err
		}
	}
	return nil
}

// together are the flags of a query over all three fleets.
func (d *queryDemo) together(more ...string) []string {
	args := []string{"query", "federated", "--epoch", fmt.Sprint(d.epoch), "--purpose", nodesPurpose, "--minimum-cohort", "20", "--regulator", playsRegulator, "--threshold", "2"}
	for _, role := range queryOwners {
		args = append(args, "--fleet", d.nodes[role].fleet+":"+queryGrant)
	}
	return append(args, more...)
}

// askTogether is the query over all three fleets, in which an owner's process is killed twice.
func (d *queryDemo) askTogether(ctx context.Context) error {
	d.say(d.nodes[playsLender].organisation, "asks all three owners together how many batteries they have, and in what health. All three nodes approve by policy:")
	out, err := d.command(ctx, playsLender, cli.ExitYes, d.together("--count", "--mean", "state_of_health", "--histogram", "state_of_health:"+queryEdgesText)...)
	if err != nil {
		return err
	}
	var asked struct {
		ID string `json:"id"`
	}
	if err := last(out, &asked); err != nil {
		return err
	}
	if err := d.killedEarly(ctx, asked.ID); err != nil {
		return err
	}
	if err := d.killedLate(ctx, asked.ID); err != nil {
		return err
	}
	return d.compare(ctx, asked.ID, d.truth())
}

// killedEarly kills an owner's process when it has committed to its key and given no input: nobody can go on without it, and the lender's node gives the session up.
func (d *queryDemo) killedEarly(ctx context.Context, query string) error {
	victim := d.nodes["south"]
	s, err := d.awaitEntry(ctx, query, 1, func(e *assayv1.SessionEntry) bool {
		return e.GetParty() == victim.organisation && e.GetRound() == string(ledger.RoundKey)
	})
	if err != nil {
		return err
	}
	if err := d.kill(victim); err != nil {
		return err
	}
	d.say("Session 1", "%s: %s committed to its part of the key, and its process is killed (kill -9).", shortID(s.GetId()), victim.organisation)
	var ended *assayv1.Session
	err = d.until(ctx, queryPatience, "the lender's node gives the session up", func(ctx context.Context) (bool, error) {
		ended, err = d.session(ctx, s.GetId())
		return ended.GetStatus() != assayv1.SessionStatus_SESSION_STATUS_OPEN, err
	})
	if err != nil {
		return err
	}
	for _, e := range ended.GetEntries() {
		if e.GetRound() == string(ledger.RoundAbort) {
			d.tell("%s ends it: %s", e.GetParty(), e.GetReason())
		}
	}
	return d.startAgain(ctx, victim)
}

// killedLate kills the owner who is not to open the sum once that is named: the others do without it.
func (d *queryDemo) killedLate(ctx context.Context, query string) error {
	var named *assayv1.SessionEntry
	s, err := d.awaitEntry(ctx, query, 2, func(e *assayv1.SessionEntry) bool {
		if e.GetRound() == string(ledger.RoundActivate) {
			named = e
		}
		return named != nil
	})
	if err != nil {
		return err
	}
	var victim *demoNode
	for _, role := range queryOwners {
		if !slices.Contains(named.GetOpenedBy(), d.nodes[role].organisation) {
			victim = d.nodes[role]
		}
	}
	if err := d.kill(victim); err != nil {
		return err
	}
	d.say("Session 2", "%s, with fresh keys: all three owners gave their encrypted totals. %s are to open the sum with the regulator,\nand %s is killed.",
		shortID(s.GetId()), strings.Join(named.GetOpenedBy(), " and "), victim.organisation)
	if err := d.answered(ctx, query); err != nil {
		return err
	}
	d.tell("two of three owners and the regulator opened it")
	return d.startAgain(ctx, victim)
}

// askNoised asks the same with noise, of which every owner adds its own.
func (d *queryDemo) askNoised(ctx context.Context) error {
	d.say(d.nodes[playsLender].organisation, "asks for the count and mean again with differential privacy, for an epsilon of 2:")
	return d.whole(ctx, d.truth(), d.together("--count", "--mean", "state_of_health", "--epsilon", "2", "--watch")...)
}

// askScore has the lender's secret model run over one owner's fleet.
func (d *queryDemo) askScore(ctx context.Context) error {
	owner := d.nodes["east"]
	truth, err := d.scored("east")
	if err != nil {
		return err
	}
	d.say(d.nodes[playsLender].organisation, "has its own secret model, model.json, run over %s, encrypted. %s sees which lanes it uses, and no weight:", owner.fleet, owner.organisation)
	return d.whole(ctx, truth, "query", "score", "--model", d.at("model.json"), "--fleet", owner.fleet+":"+queryGrant, "--epoch", fmt.Sprint(d.epoch), "--purpose", nodesPurpose,
		"--minimum-cohort", "20", "--watch")
}

// askTooMuch asks for more than is left of the budgets.
func (d *queryDemo) askTooMuch(ctx context.Context) error {
	d.say(d.nodes[playsLender].organisation, "asks for five more exact numbers, which is more than is left of the budget:")
	out, err := d.command(ctx, playsLender, cli.ExitNo, d.together("--count", "--variance", "state_of_health", "--histogram", "state_of_health:90.00", "--watch")...)
	if err != nil {
		return err
	}
	q, err := d.watched(out)
	if err != nil {
		return err
	}
	if q.Status != "refused" {
		return fmt.Errorf("query %s is %s, want refused", q.Query, q.Status)
	}
	for _, reason := range q.Reasons {
		d.tell("- %s", reason)
	}
	d.asked = append(d.asked, *q)
	return nil
}

// whole asks and watches until there is a result, and compares.
func (d *queryDemo) whole(ctx context.Context, truth *queryTruth, args ...string) error {
	out, err := d.command(ctx, playsLender, cli.ExitYes, args...)
	if err != nil {
		return err
	}
	q, err := d.watched(out)
	if err != nil {
		return err
	}
	return d.compare(ctx, q.Query, truth)
}

// kill is what no process can prepare for.
func (d *queryDemo) kill(n *demoNode) error {
	p := n.process
	n.process = nil
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

func (d *queryDemo) startAgain(ctx context.Context, n *demoNode) error {
	if err := d.start(ctx, n); err != nil {
		return err
	}
	d.tell("%s is started again", n.organisation)
	return nil
}

// awaitEntry waits until the so-manyth session of a query has an entry, and returns the session.
func (d *queryDemo) awaitEntry(ctx context.Context, query string, number int, wanted func(*assayv1.SessionEntry) bool) (*assayv1.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, queryPatience)
	defer cancel()
	for {
		if err := d.alive(); err != nil {
			return nil, err
		}
		s, err := d.numbered(ctx, query, number)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(s.GetEntries(), wanted) {
			return s, nil
		}
		if e := s.GetEnd(); e != nil {
			return nil, fmt.Errorf("session %s ended with %s of %s before it could be seen", s.GetId(), e.GetRound(), e.GetParty())
		}
		if wait(ctx, 50*time.Millisecond) != nil {
			return nil, fmt.Errorf("waiting for session %d of query %s: %w", number, query, ctx.Err())
		}
	}
}

// numbered is the so-manyth session of a query, nil before it began.
func (d *queryDemo) numbered(ctx context.Context, query string, number int) (s *assayv1.Session, err error) {
	q, err := d.query(ctx, query)
	if err != nil {
		return nil, err
	}
	if q.GetStatus() == assayv1.QueryStatus_QUERY_STATUS_REFUSED {
		return nil, fmt.Errorf("query %s is refused: %v", query, reasonsOf(q))
	}
	if len(q.GetSessions()) < number {
		return nil, nil
	}
	return d.session(ctx, q.GetSessions()[number-1].GetId())
}

func (d *queryDemo) session(ctx context.Context, id string) (s *assayv1.Session, err error) {
	err = d.ask(ctx, d.nodes[playsLender], func(ctx context.Context, node *client.Client) error {
		answer, err := node.Sessions.GetSession(ctx, &assayv1.GetSessionRequest{Session: id})
		s = answer.GetSession()
		return err
	})
	return s, err
}

func (d *queryDemo) query(ctx context.Context, id string) (q *assayv1.Query, err error) {
	err = d.ask(ctx, d.nodes[playsLender], func(ctx context.Context, node *client.Client) error {
		answer, err := node.Queries.GetQuery(ctx, &assayv1.GetQueryRequest{Query: id})
		q = answer.GetQuery()
		return err
	})
	return q, err
}

// answered waits until the lender's node has a query's result.
func (d *queryDemo) answered(ctx context.Context, id string) error {
	return d.until(ctx, queryPatience, "the lender's node has the result", func(ctx context.Context) (there bool, err error) {
		err = d.ask(ctx, d.nodes[playsLender], func(ctx context.Context, node *client.Client) error {
			_, err := node.Queries.GetQueryResult(ctx, &assayv1.GetQueryResultRequest{Query: id})
			if p, ok := client.ProblemOf(err); ok && p.Reason == "not_found" {
				return nil
			}
			there = err == nil
			return err
		})
		return there, err
	})
}

func reasonsOf(q *assayv1.Query) (out []string) {
	for _, p := range q.GetParts() {
		if d := p.GetDecision(); d != nil && !d.GetApproved() {
			for _, reason := range d.GetReasons() {
				out = append(out, p.GetOwner()+": "+reason)
			}
		}
	}
	return out
}

const queryPolicy = `// Totals over three owners or more, and scores of low degree, over the whole fleet, for loans.
@id("pooled")
@description("totals over at least three owners' fleets")
permit (principal in Role::"financier", action == Action::"aggregate", resource)
when { context.purpose == "loan-underwriting" && context.owners >= 3 && context.minimum_cohort >= 20 && context.whole_fleet };

@id("scores")
@description("scores that bend little")
permit (principal in Role::"financier", action == Action::"score", resource)
when { context.purpose == "loan-underwriting" && context.degree <= 3 && context.minimum_cohort >= 20 && context.whole_fleet };
`
