package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// nodesDemo is the demonstration with processes: a network, three nodes and a fleet of devices. What its parties do they do with commands of this program.
type nodesDemo struct {
	*demoCall
	dir, self  string // absolute: the folder, and this program
	ledgerID   string
	chunkSize  int
	fleetSize  int
	begun      time.Time
	nodes      map[string]*demoNode // by role
	simulated  *demoProcess
	networkUp  bool
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
	nodesEpoch   = 30 * time.Second
	nodesFleet   = "swapco-fleet"
	nodesGrant   = "spring-loans"
	nodesPurpose = "loan-underwriting"
)

func (c *demoCall) runNodes(command *cobra.Command) error {
	f := command.Flags()
	for _, flag := range []string{"from", "format", "rated-capacity", "ledger", "network"} {
		if f.Changed(flag) {
			return cli.Usage("--%s does not go with --nodes, which makes a network and devices of its own", flag)
		}
	}
	d := &nodesDemo{demoCall: c, chunkSize: c.chunk, fleetSize: nodesDevices, nodes: map[string]*demoNode{}, begun: time.Now()}
	if f.Changed("devices") {
		d.fleetSize = c.devices
	}
	if d.fleetSize < 20 || d.fleetSize > 5000 {
		return cli.Usage("--devices is %d, must be 20 to 5000 with --nodes: each is a connection", d.fleetSize)
	}
	var err error
	if d.dir, err = filepath.Abs(c.dir); err != nil {
		return err
	}
	if d.self, err = os.Executable(); err != nil {
		return err
	}
	if err := c.checkPlace(d.at("owner.yaml")); err != nil {
		return err
	}
	return d.play(command.Context())
}

func (d *nodesDemo) play(ctx context.Context) error {
	defer d.close()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.follow, d.permit, d.askWithin, d.askOutside, d.revoke, d.audit, d.finish} {
		if err := d.alive(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	if !d.stay {
		return nil
	}
	d.Note("The nodes run on until you press Ctrl-C.")
	for wait(ctx, time.Second) == nil {
		if err := d.alive(); err != nil {
			return err
		}
	}
	return nil
}

// alive says whether what was started still runs.
func (d *nodesDemo) alive() error {
	for _, n := range d.nodes {
		if n.process != nil {
			if err := n.process.ended(); err != nil {
				return err
			}
		}
	}
	if d.simulated == nil {
		return nil
	}
	return d.simulated.ended()
}

// close stops what was started, in the order in which it is needed.
func (d *nodesDemo) close() {
	if d.simulated != nil {
		d.simulated.stop()
	}
	for _, role := range []string{playsLender, playsOwner, playsRegulator} {
		if n := d.nodes[role]; n != nil && n.process != nil {
			n.process.stop()
		}
	}
	if !d.networkUp {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if _, err := d.runFabric(ctx, d.assayFabric, "down", "--dir", d.at("network")); err != nil {
		d.Note("%v", err)
	}
}

func (d *nodesDemo) at(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// command gives a command at one of the nodes and returns its results in JSON. Another exit code than the one that is expected is an error.
func (d *nodesDemo) command(ctx context.Context, role string, expect int, args ...string) ([]byte, error) {
	out, _, err := d.give(ctx, role, expect, args, "--json")
	return out, err
}

// show gives a command and prints what it prints.
func (d *nodesDemo) show(ctx context.Context, role string, args ...string) error {
	out, notes, err := d.give(ctx, role, cli.ExitYes, args)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(append(out, notes...)) {
		d.tell("%s", strings.TrimRight(string(line), "\n"))
	}
	return nil
}

// give prints a command as a person at one of the nodes would give it, and carries it out.
func (d *nodesDemo) give(ctx context.Context, role string, expect int, args []string, more ...string) (out, notes []byte, err error) {
	d.tell("$ assay %s", strings.Join(quoted(d.shorten(args)), " "))
	all := slices.Concat(args, more)
	if !slices.Contains(offline, args[0]+" "+args[1]) {
		all = append(all, d.nodes[role].access()...)
	}
	var o, n bytes.Buffer
	err = run(ctx, all, &cli.Printer{In: strings.NewReader(""), Out: &o, Notes: &n})
	if code := cli.ExitCode(err); code != expect {
		return nil, nil, fmt.Errorf("assay %s ended with %d in place of %d: %s", strings.Join(args, " "), code, expect, strings.TrimSpace(n.String()))
	}
	return o.Bytes(), n.Bytes(), nil
}

// tell is a line beneath what a party does.
func (d *nodesDemo) tell(format string, args ...any) {
	d.say("", "                "+format, args...)
}

// offline are the commands that ask no node.
var offline = []string{"policy test", "policy check", "verify --evidence"}

// shorten leaves the demonstration's folder out of what is printed.
func (d *nodesDemo) shorten(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.TrimPrefix(a, d.dir+string(filepath.Separator))
		if len(a) == 64 && !strings.Contains(a, " ") {
			out[i] = shortID(a)
		}
	}
	return out
}

func quoted(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if strings.ContainsAny(a, " '\"") {
			out[i] = "'" + a + "'"
		}
	}
	return out
}

// last reads the last line of results.
func last(out []byte, into any) error {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], into); err != nil {
		return fmt.Errorf("reading %.200q: %w", lines[len(lines)-1], err)
	}
	return nil
}
