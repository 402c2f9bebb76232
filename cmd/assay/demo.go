package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// demoCall is one call of assay demo.
type demoCall struct {
	*cli.Printer
	devices   int
	chunk     int
	seed      uint64
	from      string
	format    string
	rated     int64
	dir       string
	cache     string
	ledger    string
	networkAt string

	nodes       bool
	query       bool
	ceremony    bool
	stay        bool
	assayFabric string

	step int
}

func newDemoCommand(p *cli.Printer) *cobra.Command {
	c := &demoCall{Printer: p}
	command := &cobra.Command{
		Use:   "demo",
		Short: "Play the whole job: devices commit, the owner proves, a regulator verifies",
		Long: `Demo plays an owner, a financier and a regulator. A fleet's devices commit to their health records and sign them,
the owner anchors them and grants the financier an answer by a policy, the financier asks what the fleet is worth, the
owner proves the answer, the ledger accepts the proof, and the regulator verifies it from files alone.

The ledger is a new embedded one in DIR, whose three organisations each have their own key and their own copy of the
rules in one process, and whose time is simulated; or, with --ledger fabric, a Hyperledger Fabric network that
'assay-fabric up' started, where an epoch takes as long as it takes.

The fleet is simulated, or made of real cells measured in a file (--from). DIR receives bundle.cbor, statement.json,
trust.json (the regulator's export) and the embedded ledger. Proving keys come from an unsafe single-party setup,
made once and kept in the key cache.

With --nodes it is played by processes: a Fabric network made for it in DIR, a node for each of owner, lender and
regulator ('assay serve' with a configuration of its own), simulated devices that talk to the owner's, and the commands
that people would give. A request within the lender's grant is proven and verified, one outside is refused, and
revocation stops the next; the regulator audits all of it. It takes about three minutes, and leaves configurations,
logs and curl.sh, which does the same by curl. With --stay the nodes run on until they are interrupted.

With --query three owners, a lender and a regulator play queries on encrypted data in the same way: totals over all three
fleets that nobody learns a part of, exact and with noise, a score by the lender's secret model, and a query that is
refused as its budget is spent. An owner's process is killed in the middle, twice. Each result is printed beside the truth,
which nobody has but the demonstration. It takes about three minutes.

With --ceremony the consortium makes its proving keys itself, before anything is proven: a Fabric network starts without keys, owner, lender and regulator
each contribute in processes and with key caches of their own, the ledger records it and closes each stage with the hash of a block, each replays all of it,
and the keys are pinned with their consent. Then it goes on as with --nodes, until a proof is verified from files under keys that none of them could
forge with alone. A contribution that was copied and a key of another ceremony are refused. It takes some seven minutes with chunks of 64, and longer with larger ones.`,
		Example: `  assay demo
  assay demo --devices 20000 --chunk 1024 --out out/large
  assay-fabric up && assay demo --ledger fabric --out out/fabric
  assay demo --from nasa-pcoe-cycles.csv --format cycles --out out/nasa
  assay demo --nodes --stay --out out/nodes
  assay demo --query --out out/query
  assay demo --ceremony --out out/ceremony`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			switch {
			case c.nodes && c.query || c.ceremony && (c.nodes || c.query):
				return cli.Usage("--nodes, --query and --ceremony are demonstrations of their own: choose one")
			case c.nodes:
				return c.runNodes(command)
			case c.query:
				return c.runQuery(command)
			case c.ceremony:
				return c.runCeremony(command)
			}
			return c.run(command.Context())
		},
	}
	c.flags(command.Flags())
	return command
}

func (c *demoCall) flags(f *pflag.FlagSet) {
	f.IntVar(&c.devices, "devices", 1000, "number of simulated batteries")
	f.IntVar(&c.chunk, "chunk", 256, fmt.Sprintf("slots of a chunk, one of %v; with --ceremony 64 if not given", commit.Sizes))
	f.Uint64Var(&c.seed, "seed", 1, "seed of the simulated batteries' ageing")
	f.StringVar(&c.from, "from", "", "take the batteries from a file of measurements instead")
	f.StringVar(&c.format, "format", "", "format of the file: bdf or cycles")
	f.Var(&decimalFlag{value: &c.rated, places: 6, unit: "AH"}, "rated-capacity", "rated capacity of the file's cells in Ah (default 2.0 for cycles and 6.55 for bdf, as in the public data sets)")
	f.StringVar(&c.dir, "out", "assay-demo", "directory for the results; it must not hold any yet")
	f.StringVar(&c.ledger, "ledger", "embedded", "the ledger to play on: embedded or fabric")
	f.StringVar(&c.networkAt, "network", networkDir, "with --ledger fabric: the network's directory, which assay-fabric up made")
	f.BoolVar(&c.nodes, "nodes", false, "play it with three nodes on a Fabric network made for it")
	f.BoolVar(&c.query, "query", false, "play queries on encrypted data with five nodes on a Fabric network made for it")
	f.BoolVar(&c.ceremony, "ceremony", false, "have the consortium make its proving keys together first, on a Fabric network made for it")
	f.BoolVar(&c.stay, "stay", false, "with --nodes, --query or --ceremony: leave network and nodes running until interrupted")
	f.StringVar(&c.assayFabric, "assay-fabric", "", "with --nodes, --query or --ceremony: the assay-fabric command (default the one beside this program, else the one in $PATH)")
	f.StringVar(&c.cache, "cache", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
}

const maxDemoDevices = 1 << 20

func (c *demoCall) check() error {
	if c.devices < 1 || c.devices > maxDemoDevices {
		return cli.Usage("--devices is %d, must be 1 to %d", c.devices, maxDemoDevices)
	}
	if (c.from == "") != (c.format == "") {
		return cli.Usage("--from and --format go together")
	}
	if c.ledger != "embedded" && c.ledger != "fabric" {
		return cli.Usage("--ledger is %q, must be embedded or fabric", c.ledger)
	}
	return c.checkPlace(c.files().Bundle)
}

// checkPlace checks what every demonstration has: the size of its chunks, and a folder without another's results.
func (c *demoCall) checkPlace(result string) error {
	if !slices.Contains(commit.Sizes, c.chunk) {
		return cli.Usage("--chunk is %d, must be one of %v", c.chunk, commit.Sizes)
	}
	if _, err := os.Stat(result); !errors.Is(err, fs.ErrNotExist) {
		return cli.Usage("--out: %s holds a demonstration already; name another directory or remove it", c.dir)
	}
	return nil
}

func (c *demoCall) run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	start := time.Now()
	batteries, err := c.batteries(ctx)
	if err != nil {
		return err
	}
	c.say("", "Assay demonstration: %s, chunks of %d", batteries.Title(), c.chunk)
	keys, err := openKeyCache(c.cache, func(step string) { c.Note("… %s", step) })
	if err != nil {
		return err
	}
	w, err := newWorld(ctx, c, keys, batteries)
	if err != nil {
		return err
	}
	defer w.network.Close()
	for _, step := range []func(context.Context) error{w.enrol, w.epoch, w.permit, w.ask, w.prove, w.regulate} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return w.finish(time.Since(start))
}

// say tells the story: on standard output, or among the notes with --json.
func (c *demoCall) say(who, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if who != "" {
		c.step++
		text = fmt.Sprintf("%2d  %-11s %s", c.step, who, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 16)))
	}
	w := c.Out
	if c.JSON {
		w = c.Notes
	}
	fmt.Fprintln(w, cli.Printable(text))
}

// demoResult is the demonstration as a line of JSON.
type demoResult struct {
	Kind      string        `json:"kind"`
	Valid     bool          `json:"valid"`
	Holds     bool          `json:"holds"`
	Devices   int           `json:"devices"`
	Attested  uint64        `json:"attested"`
	Ledger    commit.Digest `json:"ledger"`
	Fleet     string        `json:"fleet"`
	Epoch     uint64        `json:"epoch"`
	Request   commit.Digest `json:"request"`
	Height    uint64        `json:"height"`
	Endorsers []string      `json:"endorsers"`
	Files     demoFiles     `json:"files"`
	Seconds   float64       `json:"seconds"`
}

type demoFiles struct {
	Bundle    string `json:"bundle"`
	Trust     string `json:"trust"`
	Statement string `json:"statement"`
	Ledger    string `json:"ledger"`
}

func (c *demoCall) files() demoFiles {
	return demoFiles{
		Bundle: filepath.Join(c.dir, "bundle.cbor"), Trust: filepath.Join(c.dir, "trust.json"),
		Statement: filepath.Join(c.dir, "statement.json"), Ledger: filepath.Join(c.dir, ledgerDir),
	}
}

// demoGenesis is a consortium of three. Its clock starts with 2026; an epoch
// lasts 30 days.
func demoGenesis() ledger.Genesis {
	return ledger.Genesis{
		Version: ledger.GenesisVersion, Name: "Assay demonstration",
		Organisations: []ledger.Organisation{
			{ID: "swapco", Name: "SwapCo Battery Swapping", Roles: []ledger.Role{ledger.RoleOwner}},
			{ID: "greenbank", Name: "GreenBank", Roles: []ledger.Role{ledger.RoleFinancier}},
			{ID: "regulator", Name: "Battery Finance Regulator", Roles: []ledger.Role{ledger.RoleRegulator}},
		},
		EpochZero: demoStart.Unix(), EpochSeconds: int64(demoEpoch / time.Second), AnchorWindowSeconds: 3 * 24 * 3600,
		ClockSkewSeconds: 15, ProposalAgeSeconds: 300,
		Quorum: ledger.Quorum{Regulators: 1, Others: 1},
	}
}

const (
	demoEpoch = 30 * 24 * time.Hour
	ledgerDir = "ledger"
)

var demoStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// demoStatement is what the financier asks. Its thresholds suit the kind of fleet,
// not this one: nobody told it anything about it but its size. The caller names
// fleet, epoch, requester, grant, nonce and expiry.
func demoStatement(real bool, enrolled int) *statement.Statement {
	s := &statement.Statement{
		Version: statement.Version, Schema: "battery/v1",
		Valuation: &statement.Valuation{Price: "1200.00", Currency: "EUR"},
		Disclose:  []string{"value"}, MinimumCoverage: "90.00",
		Purpose: demoPurpose,
	}
	knots := func(pairs ...string) (ks []statement.Knot) {
		for i := 0; i < len(pairs); i += 2 {
			ks = append(ks, statement.Knot{At: pairs[i], Factor: pairs[i+1]})
		}
		return ks
	}
	claim := func(bound string, terms ...statement.Term) statement.Claim {
		return statement.Claim{Terms: terms, AtLeast: bound}
	}
	one := func(total string) statement.Term { return statement.Term{Total: total, Coefficient: "1"} }
	if real { // laboratory cells, cycled to their end of life and beyond
		s.Cohort = []statement.Range{{Lane: "state_of_health", Min: "50.00"}}
		s.Valuation.Price = "8.00"
		s.Valuation.Curves = []statement.Curve{{Lane: "state_of_health", Knots: knots("50.00", "0.1", "70.00", "0.35", "80.00", "0.6", "100.00", "1")}}
		s.Claims = []statement.Claim{claim(fmt.Sprint(enrolled), one("count")), claim("0", one("state_of_health"), statement.Term{Total: "count", Coefficient: "-55"})}
		return s
	}
	s.Cohort = []statement.Range{{Lane: "state_of_health", Min: "70.00"}, {Lane: "fault_count", Max: "5"}}
	s.Valuation.Curves = []statement.Curve{
		{Lane: "state_of_health", Knots: knots("69.99", "0", "70.00", "0.2", "80.00", "0.6", "100.00", "1")},
		{Lane: "age_days", Knots: knots("0", "1", "3650", "0.5")},
	}
	s.Claims = []statement.Claim{
		claim(fmt.Sprint(max(1, enrolled*7/10)), one("count")),
		claim("0", one("state_of_health"), statement.Term{Total: "count", Coefficient: "-80"}),
		claim(fmt.Sprint(enrolled*300), one("value")),
	}
	return s
}
