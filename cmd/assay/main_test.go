package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/cmd/internal/cli/clitest"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": clitest.ExitCode},
		Condition: func(condition string) (bool, error) {
			_, err := os.Stat(data)
			return condition == "data" && err == nil, nil
		},
	})
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
