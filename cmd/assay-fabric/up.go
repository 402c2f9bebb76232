package main

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/localnet"
	"github.com/assay-net/assay/zk/setup"
)

// upFlags are what up is called with.
type upFlags struct {
	options                  localnet.Options
	consensus                string
	epoch, window, skew, age time.Duration
	epochZero                string
	organisations            string
	noSRS                    bool
}

func newUpCommand(p *cli.Printer) *cobra.Command {
	var f upFlags
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a local network, or bring it back to work",
		Long: `Up starts a consortium of three organisations (an owner, a financier, a regulator) on a real Hyperledger Fabric network of
plain processes on this machine, and returns when it takes transactions. The first time on a machine it builds Fabric from source, which
takes a few minutes; the binaries are kept in the cache.

What the network consists of is settled by the first up in a folder. A later one starts what does not run, keeps all state, and refuses flags
that do not fit. It listens on 127.0.0.1 only, on free ports. All keys of all organisations are in the folder: it is for trying things.

The contract services check against an SRS that was made on this machine by a single party, which could forge proofs. Every verdict says so. A consortium
that makes its own in a ceremony starts with --no-srs, and gets it later by --srs FILE; contract services that run are then started anew. A network that has
an SRS keeps it.`,
		Example: `  assay-fabric up
  assay-fabric up --dir /tmp/net --consensus bft
  assay-fabric up --orderers 3 --epoch 8s --clock-skew 2s
  assay-fabric up --no-srs
  assay-fabric up --srs srs.bin`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return up(c.Context(), p, f) },
	}
	flags := c.Flags()
	dirFlag(c, &f.options.Dir)
	flags.StringVar(&f.consensus, "consensus", "", "how orderers agree: raft or bft (default raft)")
	flags.IntVar(&f.options.Orderers, "orderers", 0, "number of orderers: 1 or 3 with raft, 4 with bft (default 1, or 4)")
	flags.DurationVar(&f.epoch, "epoch", 0, "length of an epoch (default 1m)")
	flags.StringVar(&f.epochZero, "epoch-zero", "", "when epoch 0 starts, as 2026-01-02T15:04:05Z (default now)")
	flags.DurationVar(&f.window, "anchor-window", 0, "how long after an epoch its anchors are taken (default one epoch)")
	flags.DurationVar(&f.skew, "clock-skew", 0, "how far clocks may differ (default a quarter of an epoch, at most 15s)")
	flags.DurationVar(&f.age, "proposal-age", 0, "how long a proposal may be on its way (default 5m)")
	flags.DurationVar(&f.options.BatchTimeout, "batch-timeout", 0, "how long an orderer gathers a block (default 250ms)")
	flags.StringVar(&f.options.Cache, "cache", "", "where Fabric's binaries and the SRS are kept (default $ASSAY_CACHE, or assay in the user's cache)")
	flags.StringVar(&f.options.Contract, "contract", "", "the assay-chaincode binary (default the one beside this program, else built from source)")
	flags.StringVar(&f.options.SRS, "srs", "", "the SRS file of the contract services (default one made by a single party)")
	flags.BoolVar(&f.noSRS, "no-srs", false, "start without an SRS, until a later up gives one: no anchor is taken before")
	flags.StringVar(&f.organisations, "organisations", "", "a JSON file of other organisations than the three, without keys")
	flags.StringToStringVar(&f.options.Services, "service", nil, "another contract service for one organisation, ORGANISATION=BINARY (repeatable)")
	flags.BoolVar(&f.options.Keep, "keep", false, "leave processes running when up fails, to look at")
	return c
}

// networkObject is what a network's user needs to know of it.
type networkObject struct {
	Kind      string            `json:"kind"`
	Dir       string            `json:"dir"`
	Consensus string            `json:"consensus"`
	Ledger    string            `json:"ledger"`
	Seconds   float64           `json:"seconds"`
	Profiles  map[string]string `json:"profiles"`
}

func up(ctx context.Context, p *cli.Printer, f upFlags) error {
	begun := time.Now()
	if err := f.complete(); err != nil {
		return err
	}
	if err := f.options.Check(); err != nil {
		return cli.Usage("%w", err)
	}
	f.options.Report = func(step localnet.Progress) {
		if step.Total > 0 {
			p.Note("%s (%d of %d)", step.Step, step.Done, step.Total)
			return
		}
		p.Note("%s", step.Step)
	}
	if err := f.chooseSRS(p); err != nil {
		return err
	}
	n, err := localnet.Up(ctx, f.options)
	if err != nil {
		return err
	}
	return printNetwork(p, n, time.Since(begun))
}

func printNetwork(p *cli.Printer, n *localnet.Network, took time.Duration) error {
	g, err := n.Genesis()
	if err != nil {
		return err
	}
	o := networkObject{"network", n.Dir(), string(n.Consensus()), g.ID().String(), took.Seconds(), map[string]string{}}
	var rows [][]string
	for _, id := range n.Organisations() {
		o.Profiles[id] = n.Profile(id)
		rows = append(rows, []string{id, n.Profile(id)})
	}
	if err := p.Result(o, "READY   %s, ledger %s, after %.1f s", n.Dir(), o.Ledger, o.Seconds); err != nil || p.JSON {
		return err
	}
	return p.Table([]string{"organisation", "profile"}, rows)
}

// complete takes over what options need in another form.
func (f *upFlags) complete() error {
	if f.noSRS && f.options.SRS != "" {
		return cli.Usage("--srs and --no-srs exclude one another")
	}
	f.options.Consensus = localnet.Consensus(f.consensus)
	if f.consensus != "" && f.options.Consensus != localnet.Raft && f.options.Consensus != localnet.BFT {
		return cli.Usage("--consensus is %q, must be %s or %s", f.consensus, localnet.Raft, localnet.BFT)
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
		to    *int64
	}{
		{"epoch", f.epoch, &f.options.EpochSeconds},
		{"anchor-window", f.window, &f.options.AnchorWindowSeconds},
		{"clock-skew", f.skew, &f.options.ClockSkewSeconds},
		{"proposal-age", f.age, &f.options.ProposalAgeSeconds},
	} {
		if d.value < 0 || d.value%time.Second != 0 {
			return cli.Usage("--%s is %s, must be whole seconds", d.flag, d.value)
		}
		*d.to = int64(d.value / time.Second)
	}
	if err := f.readOrganisations(); err != nil || f.epochZero == "" {
		return err
	}
	zero, err := time.Parse(time.RFC3339, f.epochZero)
	if err != nil {
		return cli.Usage("--epoch-zero: %w", err)
	}
	f.options.EpochZero = zero
	return nil
}

// readOrganisations reads who takes part, if it is not the usual three.
func (f *upFlags) readOrganisations() error {
	if f.organisations == "" {
		return nil
	}
	b, err := readFile(f.organisations, ledger.MaxGenesis)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f.options.Organisations); err != nil {
		return cli.Usage("--organisations: %s: %w", f.organisations, err)
	}
	return nil
}

// chooseSRS settles the SRS file of the contract services. A network that has one, or has been ready without, is given none that nobody named.
func (f *upFlags) chooseSRS(p *cli.Printer) error {
	if f.options.SRS != "" || f.noSRS {
		return nil
	}
	if n, err := localnet.Open(f.options.Dir); err == nil && (n.Ready() || n.HasSRS()) {
		return nil
	}
	keys, err := setup.UnsafeSingleParty(f.options.Cache, func(step string) { p.Note("%s", step) })
	if err != nil {
		return err
	}
	f.options.SRS = keys.SRSFile()
	return nil
}
