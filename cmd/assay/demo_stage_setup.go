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

// stageEpoch is how long an epoch lasts.
const stageEpoch = 30 * time.Second

// demoNode is one of the nodes.
type demoNode struct {
	role, organisation, subject string
	fleet                       string // of an owner
	more                        string // of its configuration
	tokenRole                   string
	config, data, token         string
	rest, grpc, operations      string
	process                     *demoProcess
}

// access are the flags of a call of the node, which a person sets in the environment.
func (n *demoNode) access() []string {
	return []string{"--api", n.grpc, "--ca", filepath.Join(n.data, "api", "ca.pem"), "--token-file", n.token}
}

// found starts the network.
func (d *stage) found(ctx context.Context, more ...string) error {
	if err := d.findFabric(); err != nil {
		return err
	}
	d.Note("… assay-fabric up")
	args := []string{"up", "--json", "--dir", d.at("network"), "--epoch", stageEpoch.String(), "--clock-skew", "5s"}
	out, err := d.runFabric(ctx, d.assayFabric, append(args, more...)...)
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
func (d *stage) findFabric() (err error) {
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

// agreeOnKeys pins keys and registers the maker, in the regulator's name, and returns how many were pinned.
func (d *stage) agreeOnKeys(ctx context.Context, n *fabricNetwork, regulator string) (int, error) {
	keys, err := openKeyCache(d.cache, func(step string) { d.Note("… %s", step) })
	if err != nil {
		return 0, err
	}
	book, err := n.Book(regulator)
	if err != nil {
		return 0, err
	}
	wanted, err := keys.Published(d.chunkSize)
	if err != nil {
		return 0, err
	}
	published, err := pinKeys(ctx, book, wanted, n.Agree)
	if err != nil {
		return 0, err
	}
	return len(published), d.registerMaker(ctx, n, book)
}

// network opens what was founded, in everyone's name.
func (d *stage) network(ctx context.Context) (*fabricNetwork, error) {
	call := *d.demoCall
	call.networkAt = d.at("network")
	return openFabricNetwork(ctx, &call)
}

func (d *stage) registerMaker(ctx context.Context, n *fabricNetwork, book ledger.Book) error {
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

// add has another node play.
func (d *stage) add(n *demoNode) {
	n.config, n.data, n.token = d.at(n.role+".yaml"), d.at(n.role), d.at(n.role, "token")
	d.nodes[n.role] = n
	d.order = append(d.order, n.role)
}

// startAll writes the nodes' configurations and starts them.
func (d *stage) startAll(ctx context.Context) error {
	if err := file.CreateIdentity(d.at("machine.key")); err != nil {
		return err
	}
	for _, role := range d.order {
		if err := d.configure(d.nodes[role]); err != nil {
			return err
		}
		if err := d.start(ctx, d.nodes[role]); err != nil {
			return err
		}
	}
	return nil
}

// configure writes a node's configuration.
func (d *stage) configure(n *demoNode) error {
	ports, err := loopback.Ports(4)
	if err != nil {
		return err
	}
	n.rest, n.grpc, n.operations = loopback.Address(ports[0]), loopback.Address(ports[1]), loopback.Address(ports[2])
	text := fmt.Sprintf(nodeConfig, n.organisation, n.data, n.operations, d.at("network", "profiles", n.organisation+".json"), n.rest, n.grpc, "file:"+d.at("machine.key"))
	if n.fleet != "" {
		text += fmt.Sprintf(ownerConfig, n.fleet, d.chunkSize, loopback.Address(ports[3]))
	}
	if err := os.MkdirAll(n.data, 0o700); err != nil {
		return err
	}
	return os.WriteFile(n.config, []byte(text+n.more), 0o644)
}

const nodeConfig = `# The node of %s, as assay demo made it. 'assay serve --example' prints the manual of all fields.
data: %q
operations: {listen: %q}
ledger: {profile: %q}
api:
  listen: %q
  grpc: %q
  names: [localhost, 127.0.0.1]
keys: {driver: file, file: {directory: keys, create: true, identity: %q}}
`

const ownerConfig = `fleets:
  - id: %s
    schema: battery/v1
    chunk_size: %d
    battery: {rated_capacity_Ah: "50", low_voltage_V: "302.4", high_voltage_V: "403.2", max_voltage_V: "450"}
    clip_steps: {state_of_health: "10.00", age_days: "365"}
broker: {listen: %q}
epochs: {grace: 1s, gather: 8s}
`

// start starts a node, makes a token for its interface and waits until it answers.
func (d *stage) start(ctx context.Context, n *demoNode) error {
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
func (d *stage) ask(ctx context.Context, n *demoNode, do func(context.Context, *client.Client) error) error {
	c := apiCall{Printer: d.Printer, address: n.grpc, ca: filepath.Join(n.data, "api", "ca.pem"), tokenFile: n.token}
	return c.with(ctx, do)
}

func (d *stage) status(ctx context.Context, n *demoNode) (status *assayv1.GetStatusResponse, err error) {
	err = d.ask(ctx, n, func(ctx context.Context, node *client.Client) (err error) {
		status, err = node.Node.GetStatus(ctx, &assayv1.GetStatusRequest{})
		return err
	})
	return status, err
}

// until looks twice a second whether something is so.
func (d *stage) until(ctx context.Context, patience time.Duration, what string, so func(context.Context) (bool, error)) error {
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

// simulate has the devices of an owner's fleet talk to its node.
func (d *stage) simulate(owner *demoNode, seed uint64) error {
	p, err := startProcess("the devices of "+owner.fleet, d.at(owner.role+"-devices.log"), "device", "simulate", "--node", owner.data, "--maker", d.at("maker"),
		"--devices", fmt.Sprint(d.fleetSize), "--rate", fmt.Sprint(max(50, d.fleetSize/2)), "--records", "own", "--seed", fmt.Sprint(seed), "--patience", (2 * stageEpoch).String(),
		"--srs", d.srs)
	if err == nil {
		d.simulated = append(d.simulated, p)
	}
	return err
}

// covered finds an epoch from the first on, for which nearly all devices of the fleets reported, as the ledger has it of each.
func (d *stage) covered(ctx context.Context, first uint64, fleets ...string) (found []*assayv1.Coverage, err error) {
	err = d.ask(ctx, d.nodes[playsLender], func(ctx context.Context, node *client.Client) error {
		status, err := node.Node.GetStatus(ctx, &assayv1.GetStatusRequest{})
		if err != nil {
			return err
		}
		for back := uint64(1); back <= 3 && status.GetEpoch() >= first+back && found == nil; back++ {
			if found, err = d.coveredAt(ctx, node, status.GetEpoch()-back, fleets); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// coveredAt is nil unless nearly all devices reported for the epoch, and nothing more can come.
func (d *stage) coveredAt(ctx context.Context, node *client.Client, epoch uint64, fleets []string) (found []*assayv1.Coverage, err error) {
	for _, fleet := range fleets {
		answer, err := node.Fleets.GetCoverage(ctx, &assayv1.GetCoverageRequest{Fleet: fleet, Epoch: &epoch})
		if p, ok := client.ProblemOf(err); ok && p.Reason == "not_found" {
			return nil, nil // nobody is enrolled yet
		}
		if err != nil {
			return nil, err
		}
		c := answer.GetCoverage()
		if !c.GetFinal() || c.GetEnrolled() < uint64(d.fleetSize) || 100*c.GetAttested() < 95*c.GetEnrolled() {
			return nil, nil
		}
		found = append(found, c)
	}
	return found, nil
}
