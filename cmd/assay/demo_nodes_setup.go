package main

import (
	"context"
	"os"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// prepare makes the network, tells it what a consortium agrees on before it begins, and starts the nodes.
func (d *nodesDemo) prepare(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return cli.Usage("--out: %w", err)
	}
	d.say("", "Assay demonstration: three nodes, %d simulated batteries, chunks of %d, in %s", d.fleetSize, d.chunkSize, d.demoCall.dir)
	if err := d.found(ctx); err != nil {
		return err
	}
	if err := d.agree(ctx); err != nil {
		return err
	}
	if err := d.startAll(ctx); err != nil {
		return err
	}
	d.say("Nodes", "%s (owner), %s (lender) and %s run: assay serve --config owner.yaml, lender.yaml, regulator.yaml.\nEach has a certificate of its own, which the others know by the ledger.",
		d.nodes[playsOwner].organisation, d.nodes[playsLender].organisation, d.nodes[playsRegulator].organisation)
	return nil
}

// agree has the parties agree on keys and the maker.
func (d *nodesDemo) agree(ctx context.Context) error {
	n, err := d.network(ctx)
	if err != nil {
		return err
	}
	defer n.Close()
	owner, lender, regulator, err := roles(n.Genesis())
	if err != nil {
		return err
	}
	for _, node := range []*demoNode{
		{role: playsRegulator, organisation: regulator, subject: "rosa", tokenRole: "auditor"},
		{role: playsOwner, organisation: owner, subject: "olga", tokenRole: "administrator", fleet: nodesFleet},
		{role: playsLender, organisation: lender, subject: "liam", tokenRole: "operator"},
	} {
		d.add(node)
	}
	published, err := d.agreeOnKeys(ctx, n, regulator)
	if err != nil {
		return err
	}
	d.say("Consortium", "%s\nThe regulator registers the devices' maker and pins %d verifying keys, whose setup is UNSAFE: one party made it.",
		n.Title(owner, lender, regulator), published)
	return nil
}
