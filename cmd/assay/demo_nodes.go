package main

import "github.com/spf13/cobra"

// nodesDemo is the demonstration with nodes of an owner, a lender and a regulator.
type nodesDemo struct {
	*stage
	reported   uint64 // the epoch that is asked about
	published  string // digest of the policy
	within     string // ids of requests
	outside    string
	after      string
	reverified bool
	evidenceAt string
}

// Roles in the demonstration, which name its files too.
const (
	playsOwner     = "owner"
	playsLender    = "lender"
	playsRegulator = "regulator"
)

const (
	nodesDevices = 200
	nodesFleet   = "swapco-fleet"
	nodesGrant   = "spring-loans"
	nodesPurpose = "loan-underwriting"
)

func (c *demoCall) runNodes(command *cobra.Command) error {
	s, err := c.setStage(command, "nodes", nodesDevices, 5000)
	if err != nil {
		return err
	}
	d := &nodesDemo{stage: s}
	defer d.close()
	ctx := command.Context()
	if err := d.steps(ctx, d.prepare, d.follow, d.permit, d.askWithin, d.askOutside, d.revoke, d.audit, d.finish); err != nil || !d.stay {
		return err
	}
	return d.hold(ctx)
}
