package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/commit"
)

// ceremonyDemo is the demonstration in which a consortium makes its proving keys together, and then goes on as with nodes.
type ceremonyDemo struct {
	*nodesDemo
	fabric     *fabricNetwork
	ceremony   commit.Digest
	transcript commit.Digest
	verdict    string
}

// contributors are the roles of those who contribute, in their order.
var contributors = []string{playsOwner, playsLender, playsRegulator}

// ceremonyChunk is the size of chunks whose circuit has the smallest keys.
const ceremonyChunk = 64

func (c *demoCall) runCeremony(command *cobra.Command) error {
	if !command.Flags().Changed("chunk") {
		c.chunk = ceremonyChunk
	}
	s, err := c.setStage(command, "ceremony", nodesDevices, 5000)
	if err != nil {
		return err
	}
	d := &ceremonyDemo{nodesDemo: &nodesDemo{stage: s}}
	defer d.close()
	ctx := command.Context()
	if err := d.steps(ctx, d.begin, d.announce, d.powers, d.circuits, d.replay, d.equip, d.publish, d.employ, d.follow, d.permit, d.askWithin, d.judge, d.inspect, d.finish); err != nil || !d.stay {
		return err
	}
	return d.hold(ctx)
}

func (d *ceremonyDemo) close() {
	if d.fabric != nil {
		d.fabric.Close()
	}
	d.stage.close()
}

// folder is the ceremony's, which the organisations pass on.
func (d *ceremonyDemo) folder() string { return d.at("ceremony") }

// cache is an organisation's own key cache.
func (d *ceremonyDemo) cache(role string) string { return d.at(role, "cache") }

// member are the flags of a call of the ledger in an organisation's name, by its own profile.
func (d *ceremonyDemo) member(role string) []string {
	return []string{"--profile", profilePath(d.at("network"), d.nodes[role].organisation)}
}

// as gives a command on an organisation's own machine: in a process of its own, with a key cache of its own. It returns its results in JSON, and why it failed.
func (d *ceremonyDemo) as(ctx context.Context, role string, expect int, args ...string) (out []byte, said string, err error) {
	d.tell("%-10s$ assay %s", d.nodes[role].organisation, strings.Join(quoted(d.shorten(args)), " "))
	var o, n bytes.Buffer
	cmd := exec.CommandContext(ctx, d.self)
	cmd.Args = slices.Concat([]string{"assay"}, args, []string{"--json"})
	cmd.Env = append(os.Environ(), "ASSAY_CACHE="+d.cache(role))
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &o, io.MultiWriter(&n, stepWriter{d.demoCall}), own()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopPatience
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return nil, "", fmt.Errorf("assay %s: %w", strings.Join(args, " "), err)
	}
	if code := cmd.ProcessState.ExitCode(); code != expect {
		return nil, "", fmt.Errorf("assay %s, as %s, ended with %d in place of %d: %s", strings.Join(args, " "), role, code, expect, strings.TrimSpace(n.String()))
	}
	return o.Bytes(), failure(n.String()), nil
}

// failure is the reason among what a command said: the line that begins with its name.
func failure(notes string) string {
	for line := range strings.Lines(notes) {
		if command, reason, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.HasPrefix(command, "assay ") {
			return reason
		}
	}
	return ""
}

// stepWriter passes on what takes time.
type stepWriter struct{ c *demoCall }

func (w stepWriter) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("… ")) {
			w.c.Note("%s", strings.TrimRight(string(line), "\n"))
		}
	}
	return len(b), nil
}

// must is as for a command that has to succeed.
func (d *ceremonyDemo) must(ctx context.Context, role string, args ...string) ([]byte, error) {
	out, _, err := d.as(ctx, role, cli.ExitYes, args...)
	return out, err
}
