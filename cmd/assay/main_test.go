package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/zk/setup"
)

func TestMain(m *testing.M) {
	testscript.Main(onNetworks{m}, map[string]func(){"assay": main})
}

// onNetworks is all tests, some of which start networks.
type onNetworks struct{ *testing.M }

func (m onNetworks) Run() int { return networktest.Main(m.M) }

// TestScripts runs the command lines of testdata/script. $DATA is the folder of measured data, where there is one: a script that
// needs it begins with [!data] skip.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs("../../../shared/data")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := setup.DefaultDir() // scripts have no home directory
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("DATA", data)
			e.Setenv("ASSAY_CACHE", cache)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitcodeCmd},
		Condition: func(condition string) (bool, error) {
			_, err := os.Stat(data)
			return condition == "data" && err == nil, nil
		},
	})
}

// exitcodeCmd is the script command "exitcode N program args": it runs the program and checks its exit code.
func exitcodeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N program args...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s (%v)", got, args[0], err)
	}
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
	}{
		{"", cli.ExitYes}, {"--help", cli.ExitYes}, {"--version", cli.ExitYes}, {"import --help", cli.ExitYes},
		{"nothing", cli.ExitUsage}, {"--nothing", cli.ExitUsage}, {"import", cli.ExitUsage}, {"import a b", cli.ExitUsage},
		{"import a --format bdf", cli.ExitUsage}, {"import a --format xml --rated-capacity 1", cli.ExitUsage},
	} {
		var out, notes bytes.Buffer
		err := run(context.Background(), strings.Fields(test.args), &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes})
		if got := cli.ExitCode(err); got != test.code {
			t.Errorf("assay %s: exit code %d, want %d", test.args, got, test.code)
		}
		if (out.Len() > 0) != (test.code == cli.ExitYes) || (notes.Len() > 0) != (test.code != cli.ExitYes) {
			t.Errorf("assay %s: results %q, notes %q", test.args, out.String(), notes.String())
		}
	}
	if cli.ExitCode(cli.No("%w", os.ErrNotExist)) != cli.ExitNo || cli.ExitCode(os.ErrNotExist) != cli.ExitNo {
		t.Error("an answer of no, or a plain error, has another exit code than 1")
	}
}

// Every command has a help text with an example.
func TestEveryCommandHasAnExample(t *testing.T) {
	for _, c := range newRootCommand(&cli.Printer{}).Commands() {
		if c.Runnable() && (c.Short == "" || c.Long == "" || !strings.Contains(c.Example, c.CommandPath())) {
			t.Errorf("%s lacks a help text or an example", c.CommandPath())
		}
	}
}
