package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/commit"
)

// nodesDemo is the demonstration with processes: a network, three nodes and a fleet of devices. What its parties do they do with commands of this program.
type nodesDemo struct {
	*demoCall
	dir        string // absolute
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
	if !slices.Contains(commit.Sizes[:], c.chunk) {
		return cli.Usage("--chunk is %d, must be one of %v", c.chunk, commit.Sizes)
	}
	var err error
	if d.dir, err = filepath.Abs(c.dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(d.dir, "owner.yaml")); !errors.Is(err, fs.ErrNotExist) {
		return cli.Usage("--out: %s holds a demonstration already; name another directory or remove it", c.dir)
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

// command gives a command at one of the nodes, as a person there would, and prints it. It returns the command's results and its exit code, and fails only where that is
// not one of those expected.
func (d *nodesDemo) command(ctx context.Context, role string, expect int, args ...string) ([]byte, error) {
	n := d.nodes[role]
	d.say("", "                $ assay %s", strings.Join(quoted(d.shorten(args)), " "))
	var out, notes bytes.Buffer
	all := append(slices.Clone(args), "--json")
	if !slices.Contains(offline, args[0]+" "+args[1]) {
		all = append(all, n.access()...)
	}
	err := run(ctx, all, &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes})
	if code := cli.ExitCode(err); code != expect {
		return nil, fmt.Errorf("assay %s ended with %d in place of %d: %s", strings.Join(args, " "), code, expect, strings.TrimSpace(notes.String()))
	}
	return out.Bytes(), nil
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
