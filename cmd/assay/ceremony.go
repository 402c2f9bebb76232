package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// ceremonyCall is one call of assay ceremony.
type ceremonyCall struct {
	memberCall
	genesis, name, announced string
	contributors             []string
	sizes                    []int
	minimum                  int
	key, keys                string
	beacon, source           string
	// compile has the circuits of a plan.
	compile func(*transcript.Plan) (*ceremony.Keyset, error)
}

func newCeremonyCommand(p *cli.Printer) *cobra.Command {
	return ceremonyCommand(p, ceremony.StandardOf)
}

func ceremonyCommand(p *cli.Printer, compile func(*transcript.Plan) (*ceremony.Keyset, error)) *cobra.Command {
	command := &cobra.Command{
		Use:   "ceremony",
		Short: "Make proving keys together, so that one honest organisation suffices",
		Long: `A ceremony makes the keys that proofs stand on: an SRS, and a key pair for each circuit. Every organisation contributes on its own
machine; if one of them forgot what it drew, nobody can forge a proof.

A ceremony is a folder of files, none of them secret, that organisations pass on as they like. It has two stages: the SRS and the powers of
tau, which all circuits share, and then each circuit. The hash of the block that holds a stage's end on the ledger closes it, or another value
that the plan announces.

  init         write the plan: who may contribute, to what, and where the closing values will come from
  contribute   verify what is there and add this organisation's contributions (each organisation, in each stage)
  record       bring to the ledger what it does not have: plan, contributions, closings
  finalize     verify and close the stage; after the second, write the keys (anybody, and everybody gets the same)
  status       how far it is
  verify       replay everything from the files, and compare the keys of the key cache

Without a ledger the folder is all there is. Keys can be published on a ledger that the ceremony was recorded on ('assay keys publish --ceremony').`,
	}
	call := func() *ceremonyCall { return &ceremonyCall{memberCall: memberCall{Printer: p}, compile: compile} }
	command.AddCommand(newCeremonyInit(call()), newCeremonyContribute(call()), newCeremonyRecord(call()), newCeremonyVerify(call()), newCeremonyFinalize(call()), newCeremonyStatus(call()))
	return command
}

func newCeremonyInit(c *ceremonyCall) *cobra.Command {
	command := &cobra.Command{
		Use:   "init FOLDER --genesis GENESIS",
		Short: "Write a ceremony's plan",
		Long: `Init makes the folder of a ceremony and writes its plan. The contributors are the genesis' organisations with their keys, or those
that are named. Every contribution signs the plan's digest, so read it before you contribute.

The closing values are hashes of the ledger's blocks, and the ceremony is recorded there. For one that no ledger records, --beacon-rule says where
they will come from, so exactly that nobody can choose among several when the time has come.
--minimum is how many contributions every part needs; without it, everybody's.`,
		Example: `  assay ceremony init ceremony --genesis genesis.json --chunk 1024
  assay ceremony init ceremony --genesis genesis.json --chunk 1024 \
      --beacon-rule "hash of the first block of channel assay after 2027-01-10 12:00 UTC; second stage 2027-01-20 12:00 UTC"`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.init(args[0]) },
	}
	f := command.Flags()
	f.StringVar(&c.genesis, "genesis", "", "the consortium's genesis")
	f.StringVar(&c.announced, "beacon-rule", transcript.LedgerBeacon, "where the closing values will come from")
	f.StringVar(&c.name, "name", "proving keys", "what the ceremony is called")
	f.StringSliceVar(&c.contributors, "contributor", nil, "organisations that may contribute (default all of the genesis)")
	f.IntSliceVar(&c.sizes, "chunk", []int{1024}, "chunk sizes whose circuits get keys")
	f.IntVar(&c.minimum, "minimum", 0, "contributions that every part needs (default everybody's)")
	cli.Require(command, "genesis")
	return command
}

func (c *ceremonyCall) init(dir string) error {
	b, err := readFile(c.genesis, ledger.MaxGenesis)
	if err != nil {
		return err
	}
	genesis, err := ledger.ParseGenesis(b)
	if err != nil {
		return cli.Usage("%s: %w", c.genesis, err)
	}
	plan := transcript.Plan{Name: c.name, Ledger: genesis.ID(), Beacon: c.announced, Minimum: c.minimum}
	if plan.Contributors, err = c.whoContributes(genesis); err != nil {
		return err
	}
	if plan.Minimum == 0 {
		plan.Minimum = len(plan.Contributors)
	}
	for _, n := range c.sizes {
		if !slices.Contains(commit.Sizes, n) {
			return cli.Usage("--chunk %d: must be one of %v", n, commit.Sizes)
		}
	}
	keys, err := ceremony.Standard(c.sizes...)
	if err != nil {
		return cli.Usage("--chunk: %w", err)
	}
	made, err := ceremony.Init(dir, plan, keys)
	if errors.Is(err, fs.ErrExist) {
		return cli.Usage("%s holds a ceremony already", dir)
	}
	if err != nil {
		return cli.Usage("%w", err)
	}
	return c.Result(planObject{"ceremony_plan", made.ID(), made.Plan()}, "PLANNED  ceremony %s\n%s", made.ID(), planText(made.Plan()))
}

type planObject struct {
	Kind string        `json:"kind"`
	ID   commit.Digest `json:"id"`
	*transcript.Plan
}

func planText(p *transcript.Plan) string {
	var who, what []string
	for _, o := range p.Contributors {
		who = append(who, o.ID)
	}
	for _, circuit := range p.Circuits {
		what = append(what, circuit.ID)
	}
	return fmt.Sprintf("Ledger       %s\nCircuits     %s\nContributors %s, at least %d to every part\nBeacon       %s",
		p.Ledger, strings.Join(what, ", "), strings.Join(who, ", "), p.Minimum, p.Beacon)
}

func (c *ceremonyCall) whoContributes(g *ledger.Genesis) ([]transcript.Contributor, error) {
	ids := c.contributors
	if len(ids) == 0 {
		for i := range g.Organisations {
			ids = append(ids, g.Organisations[i].ID)
		}
	}
	var out []transcript.Contributor
	for _, id := range ids {
		o, ok := g.Organisation(id)
		if !ok {
			return nil, cli.Usage("--contributor %s: no organisation of the genesis", id)
		}
		out = append(out, transcript.Contributor{ID: o.ID, Key: o.Key})
	}
	return out, nil
}

// open reads the plan and, if wanted, compiles its circuits.
func (c *ceremonyCall) open(ctx context.Context, dir string, compile bool) (*ceremony.Ceremony, error) {
	opened, err := ceremony.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cli.Usage("%w", err)
	}
	if err != nil || !compile {
		return opened, err
	}
	opened.Step = func(title string, total int64) func(int64) {
		const soon = 16 << 20
		if total == 0 {
			c.Note("… %s", title)
		}
		if total < soon {
			return nil
		}
		bar := c.Progress(fmt.Sprintf("%s (%s)", title, humanize.IBytes(uint64(total))), int(total))
		return func(done int64) { bar(int(done)) }
	}
	base, err := setup.DefaultDir()
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	opened.Marks = filepath.Join(base, "ceremony-verified")
	c.Note("… compiling the plan's circuits")
	keys, err := c.compile(opened.Plan())
	if err != nil {
		return nil, err
	}
	if err := opened.Use(keys); err != nil {
		return nil, err
	}
	return opened, ctx.Err()
}
