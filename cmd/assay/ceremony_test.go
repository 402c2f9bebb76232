package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
	"github.com/assay-net/assay/zk/setup/transcript"
)

func smallKeyset(t *testing.T) *ceremony.Keyset {
	return &ceremony.Keyset{
		Powers:    ceremonytest.Powers,
		EncodeSRS: func(srs *commit.SRS) ([]byte, error) { d := srs.Digest(); return d[:], nil },
		Circuits: []ceremony.Circuit{
			{ID: ceremonytest.TwiceID, System: ceremonytest.Compile(t, &ceremonytest.Twice{}), Encode: ceremonytest.Encode},
		},
	}
}

// TestCeremonyCommands carries a ceremony of three organisations out, with circuits so small that it takes no time.
func TestCeremonyCommands(t *testing.T) {
	t.Setenv("ASSAY_CACHE", t.TempDir())
	dir, keys := t.TempDir(), smallKeyset(t)
	plan := transcript.Plan{Name: "test", Beacon: "blocks 7 and 9", Minimum: 3}
	for _, org := range []string{"owner", "lender", "regulator"} {
		key, err := orgkey.Create(filepath.Join(dir, org+".key"))
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		plan.Contributors = append(plan.Contributors, transcript.Contributor{ID: org, Key: der})
	}
	folder := filepath.Join(dir, "ceremony")
	if _, err := ceremony.Init(folder, plan, keys); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args string
		code int
		want string
	}{
		{"status FOLDER", cli.ExitYes, "OPEN    stage 1  srs/v1         may still contribute: owner, lender, regulator\n"},
		{"contribute FOLDER --key nowhere", cli.ExitUsage, "no such file"},
		{"contribute FOLDER --key DIR/owner.key", cli.ExitYes, "CONTRIBUTED  powers/v1      1 by owner"},
		{"contribute FOLDER --key DIR/owner.key", cli.ExitNo, "owner has contributed to every part that is open"},
		{"finalize FOLDER", cli.ExitUsage, "stage 1 is open: name the ledger that closes it"},
		{"finalize FOLDER --beacon 1 --beacon-source b --org regulator", cli.ExitUsage, "leave them out"},
		{"finalize FOLDER --network nowhere", cli.ExitUsage, "nowhere"},
		{"record FOLDER --network nowhere", cli.ExitUsage, "nowhere"},
		{"finalize FOLDER --beacon 12 --beacon-source b", cli.ExitUsage, "--beacon: digest has 2 characters"},
		{"finalize FOLDER --beacon 1 --beacon-source b", cli.ExitNo, "refused (too-few): 1 contributions, the plan demands 3"},
		{"contribute FOLDER --key DIR/lender.key", cli.ExitYes, "2 by lender"},
		{"contribute FOLDER --key DIR/regulator.key --json", cli.ExitYes, `"kind":"contribution","part":"srs/v1","number":3,"contributor":"regulator"`},
		{"status FOLDER", cli.ExitYes, "everybody has contributed; can be closed"},
		{"verify FOLDER", cli.ExitYes, "VERIFIED  ceremony"},
		{"finalize FOLDER --beacon 1 --beacon-source block-7", cli.ExitYes, "CLOSED  ceremony"},
		{"contribute FOLDER --key DIR/owner.key", cli.ExitYes, "twice/v1"},
		{"contribute FOLDER --key DIR/lender.key", cli.ExitYes, "twice/v1"},
		{"contribute FOLDER --key DIR/regulator.key", cli.ExitYes, "twice/v1"},
		{"finalize FOLDER --beacon 1 --beacon-source block-7", cli.ExitNo, "refused (beacon)"},
		{"finalize FOLDER --beacon 2 --beacon-source block-9", cli.ExitYes, "in the key cache"},
		{"finalize FOLDER", cli.ExitYes, "Transcript  "},
		{"verify FOLDER --json", cli.ExitYes, `"kept":true`},
		{"verify FOLDER --keys DIR/other", cli.ExitYes, "not in the key cache"},
		{"status FOLDER", cli.ExitYes, "CLOSED  transcript"},
		{"status FOLDER --json", cli.ExitYes, `"kind":"ceremony_status"`},
		{"contribute FOLDER --key DIR/owner.key", cli.ExitNo, "every part is closed"},
		{"verify DIR", cli.ExitUsage, "plan.json"},
	} {
		args := strings.NewReplacer("FOLDER", folder, "DIR", dir, "--beacon 1 ", "--beacon "+strings.Repeat("a1", 32)+" ",
			"--beacon 2 ", "--beacon "+strings.Repeat("b2", 32)+" ").Replace(step.args)
		out, code := ceremonyRun(t, keys, args)
		if code != step.code || !strings.Contains(out, step.want) {
			t.Fatalf("%s: exit code %d, want %d with %q:\n%s", step.args, code, step.code, step.want, out)
		}
	}
}

func ceremonyRun(t *testing.T, keys *ceremony.Keyset, args string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	p := &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &out}
	command := func(p *cli.Printer) *cobra.Command {
		return ceremonyCommand(p, func(*transcript.Plan) (*ceremony.Keyset, error) { return keys, nil })
	}
	err := cli.Run(context.Background(), p, cli.Root(p, &cobra.Command{Use: "assay"}, command), append([]string{"ceremony"}, strings.Fields(args)...))
	if p.JSON {
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "{") && !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %s", line)
			}
		}
	}
	return out.String(), cli.ExitCode(err)
}

// TestEveryCeremonyCommandHasAnExample, as the commands above them do.
func TestEveryCeremonyCommandHasAnExample(t *testing.T) {
	for _, c := range newCeremonyCommand(&cli.Printer{}).Commands() {
		if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, "assay "+c.CommandPath()) {
			t.Errorf("%s lacks a help text or an example", c.CommandPath())
		}
	}
}

// TestCeremonyInit plans for the circuits that the program has.
func TestCeremonyInit(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles circuits")
	}
	dir := t.TempDir()
	genesis := filepath.Join(dir, "genesis.json")
	if err := os.WriteFile(genesis, contracttest.WithKeys(contracttest.Genesis()).Canonical(), 0o600); err != nil {
		t.Fatal(err)
	}
	rule := " --genesis " + genesis
	for _, step := range []struct {
		args string
		code int
		want string
	}{
		{"init DIR/a", cli.ExitUsage, "required flag"},
		{"init DIR/a --genesis nowhere", cli.ExitUsage, "nowhere"},
		{"init DIR/a --chunk 65" + rule, cli.ExitUsage, "--chunk 65: must be one of"},
		{"init DIR/a --chunk 64 --contributor nobody" + rule, cli.ExitUsage, "no organisation of the genesis"},
		{"init DIR/a --chunk 64 --contributor operator" + rule, cli.ExitUsage, "1 contributors, must be 2 to 64"},
		{"init DIR/a --chunk 64 --minimum 5" + rule, cli.ExitUsage, "minimum is 5"},
		{"init DIR/a --chunk 64 --minimum 3" + rule, cli.ExitYes, "operator, rival, lender, regulator, at least 3 to every part\nBeacon       " + transcript.LedgerBeacon},
		{"init DIR/a --chunk 64" + rule, cli.ExitUsage, "holds a ceremony already"},
		{"init DIR/b --chunk 64 --contributor operator,lender --beacon-rule block-7 --json" + rule, cli.ExitYes, `"kind":"ceremony_plan"`},
		{"status DIR/b", cli.ExitYes, "may still contribute: operator, lender"},
	} {
		out, code := ceremonyRun(t, nil, strings.ReplaceAll(step.args, "DIR", dir))
		if code != step.code || !strings.Contains(out, step.want) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", step.args, code, step.code, step.want, out)
		}
	}
	opened, err := ceremony.Open(filepath.Join(dir, "b"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ceremony.StandardOf(opened.Plan())
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Use(keys); err != nil { // compiled again, the circuits are the plan's
		t.Error(err)
	}
}
