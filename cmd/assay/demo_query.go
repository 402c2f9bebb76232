package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/record"
)

// queryDemo is the demonstration of queries on encrypted data: three owners, a lender and a regulator.
type queryDemo struct {
	*stage
	epoch   uint64                     // that is asked about
	records map[string][]record.Record // by owner, in the clear: what nobody but the demonstration sees together
	asked   []queryPlayed
}

// queryPlayed is a query with what became of it.
type queryPlayed struct {
	Query    string          `json:"query"`
	Kind     string          `json:"kind"`
	Status   string          `json:"status"`
	Sessions []string        `json:"sessions,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Truth    string          `json:"truth,omitempty"`
	Reasons  []string        `json:"reasons,omitempty"`
}

// The owners' roles. Each role names an organisation, role and "co", and its fleet.
var queryOwners = []string{"east", "north", "south"}

const (
	queryDevices = 60
	queryGrant   = "pooled-2026"
)

func (c *demoCall) runQuery(command *cobra.Command) error {
	s, err := c.setStage(command, "query", queryDevices, 2000)
	if err != nil {
		return err
	}
	d := &queryDemo{stage: s, records: map[string][]record.Record{}}
	defer d.close()
	ctx := command.Context()
	if err := d.steps(ctx, d.prepare, d.report, d.permit, d.askTogether, d.askNoised, d.askScore, d.askTooMuch, d.finish); err != nil || !d.stay {
		return err
	}
	return d.hold(ctx)
}

// prepare makes a network of five organisations, and starts their nodes.
func (d *queryDemo) prepare(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return cli.Usage("--out: %w", err)
	}
	d.say("", "Assay demonstration: queries on encrypted data. Three owners of %d simulated batteries each, a lender and a regulator, in %s", d.fleetSize, d.demoCall.dir)
	organisations, err := d.writeOrganisations()
	if err != nil {
		return err
	}
	if err := d.found(ctx, "--organisations", organisations); err != nil {
		return err
	}
	if err := d.agree(ctx); err != nil {
		return err
	}
	if err := d.startAll(ctx); err != nil {
		return err
	}
	d.say("Nodes", "Each organisation's node runs: assay serve --config ROLE.yaml.")
	return nil
}

func (d *queryDemo) writeOrganisations() (string, error) {
	var all []ledger.Organisation
	for _, role := range queryOwners {
		d.add(&demoNode{role: role, organisation: role + "co", fleet: role + "-fleet", subject: "olga", tokenRole: "administrator"})
		all = append(all, ledger.Organisation{ID: role + "co", Name: strings.ToUpper(role[:1]) + role[1:] + " Swap", Roles: []ledger.Role{ledger.RoleOwner}})
	}
	// A session that does not get on is given up soon: there is one that does not.
	d.add(&demoNode{role: playsLender, organisation: "greenbank", subject: "liam", tokenRole: "operator", more: "queries: {patience: 15s}\n"})
	d.add(&demoNode{role: playsRegulator, organisation: playsRegulator, subject: "rosa", tokenRole: "auditor"})
	all = append(all, ledger.Organisation{ID: "greenbank", Name: "Green Bank", Roles: []ledger.Role{ledger.RoleFinancier}},
		ledger.Organisation{ID: playsRegulator, Name: "Regulator", Roles: []ledger.Role{ledger.RoleRegulator}})
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return "", err
	}
	path := d.at("organisations.json")
	return path, os.WriteFile(path, b, 0o644)
}

// agree pins keys and registers the devices' maker.
func (d *queryDemo) agree(ctx context.Context) error {
	n, err := d.network(ctx)
	if err != nil {
		return err
	}
	defer n.Close()
	published, err := d.agreeOnKeys(ctx, n, playsRegulator)
	if err != nil {
		return err
	}
	d.say("Consortium", "eastco, northco and southco (owners), greenbank (financier) and the regulator run ledger %s on Hyperledger Fabric.\nThe regulator registers the devices' maker and pins %d verifying keys, whose setup is UNSAFE: one party made it.",
		short(n.Genesis().ID()), published)
	return nil
}

// report lets an epoch pass about which the devices of all fleets report.
func (d *queryDemo) report(ctx context.Context) error {
	status, err := d.status(ctx, d.nodes[playsLender])
	if err != nil {
		return err
	}
	for i, role := range queryOwners {
		if err := d.simulate(d.nodes[role], d.seed+uint64(i)); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("devices take their seats, and an epoch of %v passes about which all report", stageEpoch)
	var fleets []string
	for _, role := range queryOwners {
		fleets = append(fleets, d.nodes[role].fleet)
	}
	attested := uint64(0)
	err = d.until(ctx, 16*stageEpoch, what, func(ctx context.Context) (bool, error) {
		all, err := d.covered(ctx, status.GetEpoch(), fleets...)
		for _, c := range all {
			attested, d.epoch = attested+c.GetAttested(), c.GetEpoch()
		}
		return all != nil, err
	})
	if err != nil {
		return err
	}
	d.say("Devices", "%d batteries of three fleets report for epoch %d; their owners anchor the commitments. Each owner's records are in its own encrypted store.", attested, d.epoch)
	return d.readRecords(ctx)
}
