package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/cmd/internal/cli/clitest"
	"github.com/assay-net/assay/fabricnet/localnet"
	"github.com/assay-net/assay/zk/setup"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"assay-fabric": main})
}

// TestScripts runs the command lines of testdata/script. A script that starts a network begins with [short] skip, keeps it in $WORK/net, and gives
// $CONTRACT as its contract service.
func TestScripts(t *testing.T) {
	cache, err := setup.DefaultDir() // scripts have no home directory
	if err != nil {
		t.Fatal(err)
	}
	contract := ""
	if !testing.Short() {
		contract = filepath.Join(t.TempDir(), "assay-chaincode")
		if out, err := exec.Command("go", "build", "-o", contract, "../assay-chaincode").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ASSAY_CACHE", cache)
			e.Setenv("CONTRACT", contract)
			e.Defer(func() { stopNetwork(t, filepath.Join(e.WorkDir, "net")) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": clitest.ExitCode, "crash": crashCmd},
	})
}

// stopNetwork stops what a script that failed left running.
func stopNetwork(t *testing.T, dir string) {
	n, err := localnet.Open(dir)
	if err != nil {
		return // there is none, or it is gone
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := n.Down(ctx); err != nil {
		t.Error(err)
	}
}

// crashCmd is the script command "crash DIR NAME": a process of the network in the folder crashes.
func crashCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: crash DIR NAME")
	}
	n, err := localnet.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(n.Kill(args[1]))
}

func TestExitCodes(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		args string
		code int
	}{
		{"", cli.ExitYes}, {"--help", cli.ExitYes}, {"--version", cli.ExitYes}, {"up --help", cli.ExitYes}, {"contract", cli.ExitYes}, {"channel", cli.ExitYes},
		{"nothing", cli.ExitUsage}, {"--nothing", cli.ExitUsage}, {"contract nothing", cli.ExitUsage}, {"up x", cli.ExitUsage},
		{"status", cli.ExitUsage}, {"down", cli.ExitUsage}, {"destroy", cli.ExitUsage}, {"destroy --yes", cli.ExitUsage}, {"logs", cli.ExitUsage}, {"logs x", cli.ExitUsage},
		{"height", cli.ExitUsage}, {"height --org x", cli.ExitUsage}, {"height --profile x", cli.ExitUsage},
		{"height --profile x --admin-cert a --admin-key b", cli.ExitUsage}, {"height --profile x --org y", cli.ExitUsage},
		{"height --org x --admin-cert a --admin-key b", cli.ExitUsage}, {"height --org x --timeout 0s", cli.ExitUsage},
		{"export --org x", cli.ExitUsage}, {"contract package", cli.ExitUsage}, {"contract install --org x", cli.ExitUsage},
		{"contract approve --org x --version 1", cli.ExitUsage}, {"contract commit --org x", cli.ExitUsage},
		{"contract commit --org x --version 1 --endorser a", cli.ExitUsage},
		{"up --consensus paxos", cli.ExitUsage}, {"up --srs x --no-srs", cli.ExitUsage}, {"up --epoch 1500ms", cli.ExitUsage}, {"up --epoch-zero yesterday", cli.ExitUsage},
	} {
		var out, notes bytes.Buffer
		err := run(context.Background(), strings.Fields(test.args), &cli.Printer{Out: &out, Notes: &notes})
		if got := cli.ExitCode(err); got != test.code {
			t.Errorf("assay-fabric %s: exit code %d, want %d (%v)", test.args, got, test.code, err)
		}
		if (out.Len() > 0) != (test.code == cli.ExitYes) || (notes.Len() > 0) != (test.code != cli.ExitYes) {
			t.Errorf("assay-fabric %s: results %q, notes %q", test.args, out.String(), notes.String())
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Every command has a help text with an example.
func TestEveryCommandHasAnExample(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if !c.HasSubCommands() && (c.Short == "" || c.Long == "" || !strings.Contains(c.Example, c.CommandPath())) {
			t.Errorf("%s lacks a help text or an example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand(&cli.Printer{}))
}

func TestParseNodes(t *testing.T) {
	for text, want := range map[string]string{
		"host:1=ca.pem":      "host:1||ca.pem",
		"name@host:1=ca.pem": "host:1|name|ca.pem",
		"[::1]:1=a=b":        "[::1]:1||a=b",
		"host:1":             "", "host:1=": "", "@host:1=ca.pem": "", "name@=ca.pem": "", "": "",
	} {
		nodes, err := parseNodes("--orderer", []string{text})
		got := ""
		if err == nil {
			got = nodes[0].Address + "|" + nodes[0].ServerName + "|" + nodes[0].TLSRoots
		}
		if got != want {
			t.Errorf("%q: %q (%v), want %q", text, got, err, want)
		}
	}
}
