package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/loopback"
)

// demoNode is one of the three nodes.
type demoNode struct {
	role, organisation, subject string
	tokenRole                   string
	config, data, token         string
	rest, grpc, operations      string
	process                     *demoProcess
}

// access are the flags of a call of the node, which a person sets in the environment.
func (n *demoNode) access() []string {
	return []string{"--api", n.grpc, "--ca", filepath.Join(n.data, "api", "ca.pem"), "--token-file", n.token}
}

// prepare makes the network, tells it what a consortium agrees on before it begins, and starts the nodes.
func (d *nodesDemo) prepare(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return cli.Usage("--out: %w", err)
	}
	d.say("", "Assay demonstration: three nodes, %d simulated batteries, chunks of %d, in %s", d.fleetSize, d.chunkSize, d.demoCall.dir)
	if err := d.found(ctx); err != nil {
		return err
	}
	if err := d.agreeOnKeys(ctx); err != nil {
		return err
	}
	if err := d.configure(); err != nil {
		return err
	}
	for _, role := range []string{playsRegulator, playsOwner, playsLender} {
		if err := d.start(ctx, d.nodes[role]); err != nil {
			return err
		}
	}
	d.say("Nodes", "%s (owner), %s (lender) and %s run: assay serve --config owner.yaml, lender.yaml, regulator.yaml.\nEach has a certificate of its own, which the others know by the ledger.",
		d.nodes[playsOwner].organisation, d.nodes[playsLender].organisation, d.nodes[playsRegulator].organisation)
	return nil
}

// found starts the network.
func (d *nodesDemo) found(ctx context.Context) error {
	if err := d.findFabric(); err != nil {
		return err
	}
	d.Note("… assay-fabric up")
	out, err := d.runFabric(ctx, d.assayFabric, "up", "--json", "--dir", d.at("network"), "--epoch", nodesEpoch.String(), "--clock-skew", "5s")
	if err != nil {
		return err
	}
	d.networkUp = true
	var up struct {
		Ledger string `json:"ledger"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(out), &up); err != nil {
		return fmt.Errorf("assay-fabric up printed %.200q: %w", out, err)
	}
	d.ledgerID = up.Ledger
	return nil
}

// findFabric finds the command that administers networks: what administers a network and what uses it cannot be one program.
func (d *nodesDemo) findFabric() (err error) {
	if d.assayFabric != "" {
		return nil
	}
	beside := filepath.Join(filepath.Dir(d.self), "assay-fabric")
	if _, err := os.Stat(beside); err == nil {
		d.assayFabric = beside
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if d.assayFabric, err = exec.LookPath("assay-fabric"); err != nil {
		return cli.Usage("--assay-fabric: there is no assay-fabric beside this program nor in $PATH; 'make build' makes it")
	}
	return nil
}

// agreeOnKeys pins keys and registers the maker, in the regulator's name.
func (d *nodesDemo) agreeOnKeys(ctx context.Context) error {
	keys, err := openKeyCache(d.cache, func(step string) { d.Note("… %s", step) })
	if err != nil {
		return err
	}
	network := *d.demoCall
	network.networkAt = d.at("network")
	n, err := openFabricNetwork(ctx, &network)
	if err != nil {
		return err
	}
	defer n.Close()
	owner, lender, regulator, err := roles(n.Genesis())
	if err != nil {
		return err
	}
	for role, org := range map[string]string{playsOwner: owner, playsLender: lender, playsRegulator: regulator} {
		d.nodes[role] = &demoNode{role: role, organisation: org}
	}
	book, err := n.Book(regulator)
	if err != nil {
		return err
	}
	wanted, err := keys.Published(d.chunkSize)
	if err != nil {
		return err
	}
	published, err := pinKeys(ctx, book, wanted, n.Agree)
	if err != nil {
		return err
	}
	if err := d.registerMaker(ctx, n, book); err != nil {
		return err
	}
	d.say("Consortium", "%s\nThe regulator registers the devices' maker and pins %d verifying keys, whose setup is UNSAFE: one party made it.",
		n.Title(owner, lender, regulator), len(published))
	return nil
}

func (d *nodesDemo) registerMaker(ctx context.Context, n *fabricNetwork, book ledger.Book) error {
	const id = "voltworks"
	if err := newMakerFiles(id, d.at("maker")); err != nil {
		return err
	}
	der, err := readCertificate(d.at("maker", "maker.pem"))
	if err != nil {
		return err
	}
	maker := ledger.RegisterMaker{ID: id, Name: "VoltWorks", Certificate: der}
	if err := n.Agree(maker.Digest(), "maker "+id); err != nil {
		return err
	}
	_, err = book.RegisterMaker(ctx, maker)
	return err
}

// configure writes the nodes' configurations.
func (d *nodesDemo) configure() error {
	ports, err := loopback.Ports(10)
	if err != nil {
		return err
	}
	if err := file.CreateIdentity(d.at("machine.key")); err != nil {
		return err
	}
	for i, role := range []string{playsOwner, playsLender, playsRegulator} {
		n := d.nodes[role]
		n.config, n.data, n.token = d.at(role+".yaml"), d.at(role), d.at(role, "token")
		n.rest, n.grpc, n.operations = loopback.Address(ports[3*i]), loopback.Address(ports[3*i+1]), loopback.Address(ports[3*i+2])
		n.subject = map[string]string{playsOwner: "olga", playsLender: "liam", playsRegulator: "rosa"}[role]
		n.tokenRole = map[string]string{playsOwner: "administrator", playsLender: "operator", playsRegulator: "auditor"}[role]
		text := fmt.Sprintf(nodeConfig, n.organisation, n.data, n.operations, d.at("network", "profiles", n.organisation+".json"), n.rest, n.grpc)
		if role == playsOwner {
			text += fmt.Sprintf(ownerConfig, nodesFleet, d.chunkSize, "file:"+d.at("machine.key"), loopback.Address(ports[9]))
		}
		if err := os.MkdirAll(n.data, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(n.config, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const nodeConfig = `# The node of %s, as assay demo --nodes made it. 'assay serve --example' prints the manual of all fields.
data: %q
operations: {listen: %q}
ledger: {profile: %q}
api:
  listen: %q
  grpc: %q
  names: [localhost, 127.0.0.1]
`

const ownerConfig = `fleets:
  - id: %s
    schema: battery/v1
    chunk_size: %d
    battery: {rated_capacity_Ah: "50", low_voltage_V: "302.4", high_voltage_V: "403.2", max_voltage_V: "450"}
keys: {driver: file, file: {directory: keys, create: true, identity: %q}}
broker: {listen: %q}
epochs: {grace: 1s, gather: 8s}
`

// start starts a node, makes a token for its interface and waits until it answers.
func (d *nodesDemo) start(ctx context.Context, n *demoNode) error {
	var err error
	if n.process, err = startProcess("the node of "+n.organisation, d.at(n.role+".log"), "serve", "--config", n.config); err != nil {
		return err
	}
	var token bytes.Buffer
	mint := &tokenCall{Printer: &cli.Printer{Out: &token, Notes: d.Notes}, configAt: n.config, subject: n.subject, roles: []string{n.tokenRole}, lifetime: time.Hour}
	if err := mint.run(ctx); err != nil {
		return err
	}
	if err := durable.WriteFile(n.token, token.Bytes()); err != nil {
		return err
	}
	return d.until(ctx, time.Minute, "the node of "+n.organisation+" starts", func(ctx context.Context) (bool, error) {
		if _, err := os.Stat(filepath.Join(n.data, "api", "ca.pem")); err != nil {
			return false, nil
		}
		status, err := d.status(ctx, n)
		return err == nil && status.GetReachable(), nil
	})
}

// ask calls a node.
func (d *nodesDemo) ask(ctx context.Context, n *demoNode, do func(context.Context, *client.Client) error) error {
	c := apiCall{Printer: d.Printer, address: n.grpc, ca: filepath.Join(n.data, "api", "ca.pem"), tokenFile: n.token}
	return c.with(ctx, do)
}

func (d *nodesDemo) status(ctx context.Context, n *demoNode) (status *assayv1.GetStatusResponse, err error) {
	err = d.ask(ctx, n, func(ctx context.Context, node *client.Client) (err error) {
		status, err = node.Node.GetStatus(ctx, &assayv1.GetStatusRequest{})
		return err
	})
	return status, err
}

// until looks twice a second whether something is so.
func (d *nodesDemo) until(ctx context.Context, patience time.Duration, what string, so func(context.Context) (bool, error)) error {
	d.Note("… %s", what)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if err := d.alive(); err != nil {
			return err
		}
		if yes, err := so(ctx); yes || err != nil {
			return err
		}
		if wait(ctx, 500*time.Millisecond) != nil {
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		}
	}
}
