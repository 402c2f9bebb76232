package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/zk/statement"
)

// follow lets devices connect to the owner's node and report, until an epoch of theirs can be asked about.
func (d *nodesDemo) follow(ctx context.Context) error {
	owner := d.nodes[playsOwner]
	if err := d.simulate(owner, d.seed); err != nil {
		return err
	}
	status, err := d.status(ctx, owner)
	if err != nil {
		return err
	}
	var found *assayv1.Coverage
	what := fmt.Sprintf("devices take their seats, and an epoch of %v passes about which all report", stageEpoch)
	err = d.until(ctx, 12*stageEpoch, what, func(ctx context.Context) (bool, error) {
		all, err := d.covered(ctx, status.GetEpoch(), nodesFleet)
		if all != nil {
			found = all[0]
		}
		return all != nil, err
	})
	if err != nil {
		return err
	}
	d.reported = found.GetEpoch()
	d.say("Devices", "%d of %d report for epoch %d, by MQTT over TLS 1.3; %s anchors their commitments, which\nthe others' peers endorse after checking every signature. The records are in %s's encrypted store alone.",
		found.GetAttested(), found.GetEnrolled(), d.reported, owner.organisation, owner.organisation)
	return nil
}

// permit has the owner write a policy, try it out, publish it, and grant the lender answers.
func (d *nodesDemo) permit(ctx context.Context) error {
	if err := d.writeQuestions(); err != nil {
		return err
	}
	d.say(d.nodes[playsOwner].organisation, "writes a policy and cases that it must decide, publishes it, and grants the lender two answers:")
	if _, err := d.command(ctx, playsOwner, cli.ExitYes, "policy", "test", d.at("policy.cedar"), "--cases", d.at("cases.yaml")); err != nil {
		return err
	}
	out, err := d.command(ctx, playsOwner, cli.ExitYes, "policy", "publish", d.at("policy.cedar"))
	if err != nil {
		return err
	}
	var policy struct {
		Digest string `json:"digest"`
	}
	if err := last(out, &policy); err != nil {
		return err
	}
	d.published = policy.Digest
	terms, err := d.command(ctx, playsOwner, cli.ExitYes, "grant", "create", "--print", "--id", nodesGrant, "--grantee", d.nodes[playsLender].organisation, "--covering", d.at("statement.json"),
		"--max-price", "1250", "--minimum-cohort", "20", "--minimum-coverage", "90", "--answers", "2", "--budget", "30", "--cost-claim", "1", "--cost-disclosure", "3", "--for", "720h")
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, terms, "", "  "); err != nil {
		return err
	}
	if err := os.WriteFile(d.at("terms.json"), pretty.Bytes(), 0o644); err != nil {
		return err
	}
	_, err = d.command(ctx, playsOwner, cli.ExitYes, "grant", "create", d.at("terms.json"))
	return err
}

// askWithin is the request that is proven.
func (d *nodesDemo) askWithin(ctx context.Context) error {
	lender := d.nodes[playsLender]
	d.say(lender.organisation, "asks within the grant; the owner's node approves by policy, proves, and the ledger verifies:")
	out, err := d.command(ctx, playsLender, cli.ExitYes, "request", "create", d.at("statement.json"), "--watch")
	if err != nil {
		return err
	}
	r, err := d.settled(out, "verified")
	if err != nil {
		return err
	}
	d.within = r.ID
	d.tell("approved %s by policy %s, %s of 30 units spent; verified %s", r.Decision.At, strings.Join(r.Decision.PolicyIDs, ", "), r.Decision.Cost, r.Result.At)
	return d.show(ctx, playsLender, "proof", "show", d.within)
}

// askOutside is the one that is refused.
func (d *nodesDemo) askOutside(ctx context.Context) error {
	d.say(d.nodes[playsLender].organisation, "asks for another purpose, and to see one more total; the owner's node refuses:")
	return d.refused(ctx, "outside.json", &d.outside)
}

// revoke has the owner revoke the grant, which stops the next request.
func (d *nodesDemo) revoke(ctx context.Context) error {
	d.say(d.nodes[playsOwner].organisation, "revokes the grant; the lender's next request, the same as the first, is refused:")
	if _, err := d.command(ctx, playsOwner, cli.ExitYes, "grant", "revoke", nodesGrant, "--reason", "the loan was repaid"); err != nil {
		return err
	}
	return d.refused(ctx, "statement.json", &d.after)
}

// refused has the lender ask what is not answered, and says why it is not.
func (d *nodesDemo) refused(ctx context.Context, statement string, id *string) error {
	out, err := d.command(ctx, playsLender, cli.ExitNo, "request", "create", d.at(statement), "--watch")
	if err != nil {
		return err
	}
	r, err := d.settled(out, "refused")
	if err != nil {
		return err
	}
	*id = r.ID
	for _, reason := range r.Decision.Reasons {
		d.tell("- %s", reason)
	}
	return nil
}

// played is what the demonstration reads of a request.
type played struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Decision struct {
		At        string   `json:"at"`
		Reasons   []string `json:"reasons"`
		PolicyIDs []string `json:"policy_ids"`
		Cost      string   `json:"cost"`
	} `json:"decision"`
	Result struct {
		At string `json:"at"`
	} `json:"result"`
}

// settled reads the end of a request that was watched.
func (d *nodesDemo) settled(out []byte, want string) (*played, error) {
	r := new(played)
	if err := last(out, r); err != nil {
		return nil, err
	}
	if got := strings.ToLower(strings.TrimPrefix(r.Status, requestStatusPrefix)); got != want {
		return nil, fmt.Errorf("request %s is %s, want %s: %v", r.ID, got, want, r.Decision.Reasons)
	}
	return r, nil
}

// writeQuestions writes what the parties bring: policy and cases, and what the lender asks.
func (d *nodesDemo) writeQuestions() error {
	lender, owner := d.nodes[playsLender].organisation, d.nodes[playsOwner].organisation
	within := nodesStatement(d.fleetSize, d.reported)
	outside := nodesStatement(d.fleetSize, d.reported)
	outside.Purpose, outside.Disclose = "setting insurance premiums", append(outside.Disclose, "state_of_health")
	for name, s := range map[string]*statement.Statement{"statement.json": within, "outside.json": outside} {
		b, err := draftOf(s)
		if err != nil {
			return err
		}
		if err := os.WriteFile(d.at(name), b, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(d.at("policy.cedar"), []byte(nodesPolicy), 0o644); err != nil {
		return err
	}
	return os.WriteFile(d.at("cases.yaml"), fmt.Appendf(nil, nodesCases, lender, nodesFleet, owner), 0o644)
}

const nodesPolicy = `// Lenders of the consortium may have fleets valued for loans, where nearly all batteries reported.
@id("lending")
@description("valuation for loans")
permit (principal in Role::"financier", action == Action::"prove", resource)
when {
  context.purpose == "loan-underwriting" &&
  context.count == "exact" &&
  context.minimum_coverage.greaterThanOrEqual(decimal("90.0"))
};

// What regulators ask, a person decides.
@id("supervision")
@approval("person")
permit (principal in Role::"regulator", action == Action::"prove", resource)
when { context.purpose == "supervision" };

// A model that could single out a few batteries is never answered.
@id("no-singling-out")
forbid (principal, action, resource)
when { context.model_warnings > 0 };
`

const nodesCases = `version: assay-policy-cases/v1
question:
  requester: {id: %s, roles: [financier]}
  fleet: {id: %s, owner: %s, schema: battery/v1}
  purpose: loan-underwriting
  count: exact
  disclose: [count, value]
  minimum_coverage: 9000
cases:
  - name: the lender within its purpose
    expect: allow
    by: [lending]
  - name: another purpose
    question: {purpose: setting insurance premiums}
    expect: refuse
  - name: a cohort whose size stays hidden
    question: {count: hidden}
    expect: refuse
  - name: the regulator
    question: {requester: {id: regulator, roles: [regulator]}, purpose: supervision}
    expect: approve
    by: [supervision]
`

// nodesStatement is what the lender asks: no factor of the model is more than five times another within the cohort.
func nodesStatement(devices int, epoch uint64) *statement.Statement {
	s := demoStatement(false, devices)
	s.Fleet, s.Epoch, s.Grant, s.Purpose = nodesFleet, epoch, nodesGrant, nodesPurpose
	s.Disclose = []string{"count", "value"}
	s.Cohort = s.Cohort[:1]
	s.Valuation.Curves[0].Knots = []statement.Knot{{At: "70.00", Factor: "0.4"}, {At: "80.00", Factor: "0.6"}, {At: "100.00", Factor: "1"}}
	return s
}

// draftOf is a statement for people, without what a node fills in.
func draftOf(s *statement.Statement) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(s.Canonical(), &fields); err != nil {
		return nil, err
	}
	for _, filled := range []string{"requester", "nonce", "expiry"} {
		delete(fields, filled)
	}
	b, err := json.MarshalIndent(fields, "", "  ")
	return append(b, '\n'), err
}
