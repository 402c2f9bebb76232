package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// stage is what a demonstration with processes is played on: a network, nodes, and devices that talk to them. What its parties do they do with commands of this program.
type stage struct {
	*demoCall
	dir, self string // absolute: the folder, and this program
	ledgerID  string
	chunkSize int
	fleetSize int // devices of each fleet
	begun     time.Time
	nodes     map[string]*demoNode // by role
	order     []string             // roles, in the order in which nodes start
	simulated []*demoProcess
	srs       string // the file that devices attest with, or empty for the key cache's
	networkUp bool
}

// setStage finds out where the demonstration is played that a flag chose, and with how many devices in each fleet.
func (c *demoCall) setStage(command *cobra.Command, flag string, devices, most int) (*stage, error) {
	for _, other := range []string{"from", "format", "rated-capacity", "ledger", "network"} {
		if command.Flags().Changed(other) {
			return nil, cli.Usage("--%s does not go with --%s, which makes a network and devices of its own", other, flag)
		}
	}
	s := &stage{demoCall: c, chunkSize: c.chunk, fleetSize: devices, nodes: map[string]*demoNode{}, begun: time.Now()}
	if command.Flags().Changed("devices") {
		s.fleetSize = c.devices
	}
	if s.fleetSize < 20 || s.fleetSize > most {
		return nil, cli.Usage("--devices is %d, must be 20 to %d with --%s: each is a connection", s.fleetSize, most, flag)
	}
	var err error
	if s.dir, err = filepath.Abs(c.dir); err != nil {
		return nil, err
	}
	if s.self, err = os.Executable(); err != nil {
		return nil, err
	}
	return s, c.checkPlace(s.at("network"))
}

// hold leaves the nodes running until the demonstration is interrupted.
func (d *stage) hold(ctx context.Context) error {
	d.Note("The nodes run on until you press Ctrl-C.")
	for wait(ctx, time.Second) == nil {
		if err := d.alive(); err != nil {
			return err
		}
	}
	return nil
}

// steps plays one step after the other, as long as everything runs that was started.
func (d *stage) steps(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := d.alive(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// alive says whether what was started still runs.
func (d *stage) alive() error {
	for _, n := range d.nodes {
		if n.process != nil {
			if err := n.process.ended(); err != nil {
				return err
			}
		}
	}
	for _, p := range d.simulated {
		if err := p.ended(); err != nil {
			return err
		}
	}
	return nil
}

// close stops what was started, in the order in which it is needed.
func (d *stage) close() {
	for _, p := range d.simulated {
		p.stop()
	}
	for _, role := range slices.Backward(d.order) {
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

func (d *stage) at(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// command gives a command at one of the nodes and returns its results in JSON. Another exit code than the one that is expected is an error.
func (d *stage) command(ctx context.Context, role string, expect int, args ...string) ([]byte, error) {
	out, _, err := d.give(ctx, role, expect, args, "--json")
	return out, err
}

// show gives a command and prints what it prints.
func (d *stage) show(ctx context.Context, role string, args ...string) error {
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
func (d *stage) give(ctx context.Context, role string, expect int, args []string, more ...string) (out, notes []byte, err error) {
	d.tell("$ assay %s", strings.Join(quoted(d.shorten(args)), " "))
	all := slices.Concat(args, more)
	if args[0] != "verify" && !slices.Contains(offline, args[0]+" "+args[1]) {
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
func (d *stage) tell(format string, args ...any) {
	d.say("", "                "+format, args...)
}

// offline are the commands, besides verify, that ask no node.
var offline = []string{"policy test", "policy check"}

// shorten leaves the demonstration's folder out of what is printed.
func (d *stage) shorten(args []string) []string {
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

// reviewed is how many approvals and answers, of requests or of queries, the regulator's node found to be as the ledger says, by its metrics. One that is not is an error.
func (d *stage) reviewed(ctx context.Context, n *demoNode, of string) (agrees int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.operations+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil // it is looked at again
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	const most = 4 << 20
	b, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return 0, nil
	}
	count := func(outcome string) (n int) {
		_, rest, found := bytes.Cut(b, fmt.Appendf(nil, "\nassay_review_%s_total{outcome=%q} ", of, outcome))
		if found {
			fmt.Sscan(string(rest), &n) //nolint:errcheck // it is 0 then
		}
		return n
	}
	if n := count("disagrees"); n > 0 {
		return 0, cli.No("the regulator's node disagrees with the ledger about %d %s", n, of)
	}
	return count("agrees"), nil
}
