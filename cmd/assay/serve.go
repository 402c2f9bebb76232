package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/deploy/examples"
)

// serveCall is one call of assay serve.
type serveCall struct {
	*cli.Printer
	configAt  string
	check     bool
	example   bool
	exampleOf string
}

func newServeCommand(p *cli.Printer) *cobra.Command {
	c := &serveCall{Printer: p}
	command := &cobra.Command{
		Use:   "serve --config NODE.yaml",
		Short: "Run an organisation's node",
		Long: `Serve runs an organisation's node. What runs follows from the organisation's roles in the consortium.

Every node serves an interface, gRPC and REST, to its organisation's people and programs ('assay token' makes tokens for
it) and, for what concerns them both, to other organisations' nodes. An owner's takes in what devices send over MQTT,
keeps it encrypted, collects the devices' signed records at the end of every epoch, anchors them on the ledger, decides
requests as the owner's policy says, and answers those that are approved with proofs. A regulator's opens epochs and
verifies again whatever the ledger says was verified.

The example configurations are the manual of all fields. The owner's runs as it is, on a trial ledger in a folder; with
another terminal's 'assay device simulate' it has devices too. The lender's and the regulator's need a network.`,
		Example: `  assay serve --example > owner.yaml
  assay serve --config owner.yaml
  assay serve --example-of regulator > regulator.yaml
  assay serve --config regulator.yaml --check`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	f := command.Flags()
	f.StringVar(&c.configAt, "config", "", "the node's configuration")
	f.BoolVar(&c.check, "check", false, "check the configuration and the files that it names, and stop")
	f.BoolVar(&c.example, "example", false, "print the example configuration of an owner's node and stop")
	f.StringVar(&c.exampleOf, "example-of", "", "print the example configuration of an owner's, a lender's or a regulator's node and stop")
	return command
}

func (c *serveCall) run(ctx context.Context) error {
	if c.example || c.exampleOf != "" {
		return c.printExample()
	}
	config, err := readConfig(c.configAt)
	if err != nil {
		return err
	}
	if c.check {
		return checkConfig(config)
	}
	log := newLogger(config.Log, c.Notes)
	slog.SetDefault(log)
	if err := serve(ctx, config, log); err != nil {
		log.Error("the node stopped", "error", err)
		return err
	}
	log.Info("stopped")
	return nil
}

func (c *serveCall) printExample() error {
	text := map[string][]byte{"": examples.Owner, "owner": examples.Owner, "lender": examples.Lender, "regulator": examples.Regulator}[c.exampleOf]
	if text == nil {
		return cli.Usage("--example-of is %q, must be owner, lender or regulator", c.exampleOf)
	}
	_, err := c.Out.Write(text)
	return err
}

// readConfig reads a node's configuration.
func readConfig(path string) (*node.Config, error) {
	if path == "" {
		return nil, cli.Usage("--config: name the node's configuration; 'assay serve --example' prints one")
	}
	b, err := readFile(path, node.MaxConfig)
	if err != nil {
		return nil, err
	}
	config, err := node.ParseConfig(b)
	if err != nil {
		return nil, cli.Usage("%s: %w", path, err)
	}
	return config, nil
}

func newLogger(c node.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	level.UnmarshalText([]byte(c.Level)) //nolint:errcheck // it was checked with the configuration
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// serve runs a node with its ledger until it is told to stop.
func serve(ctx context.Context, config *node.Config, log *slog.Logger) (err error) {
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return cli.Usage("data: %w", err)
	}
	if bytes, err := config.MemoryBytes(); err == nil && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(bytes))
	}
	tracing, flush, err := newTracing(ctx, config.Tracing)
	if err != nil {
		return cli.Usage("tracing: %w", err)
	}
	defer flush()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := openMembership(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	env := m.environment()
	env.Logger, env.Tracer, env.Metrics = log, tracing, prometheus.NewRegistry()
	env.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	group, ctx := errgroup.WithContext(ctx)
	if m.trial != nil {
		group.Go(func() error { return m.trial.run(ctx) })
	}
	n, err := node.Open(ctx, config, env)
	if err != nil {
		cancel()     // what writes to the trial's ledger ends before that is closed
		group.Wait() //nolint:errcheck // it was told to stop
		return err
	}
	group.Go(func() error { return n.Run(ctx) })
	return group.Wait()
}

// checkConfig checks what can be checked of a configuration without the ledger: the files that it names, and that it is one for its organisation.
func checkConfig(c *node.Config) error {
	if err := c.CheckFiles(); err != nil {
		return cli.Usage("%w", err)
	}
	if c.Ledger.Trial != nil {
		return nil
	}
	p, g, err := profileOf(c)
	if err != nil {
		return err
	}
	own, _ := g.Organisation(p.Organisation) // ReadGenesis found it
	if err := c.CheckFor(own); err != nil {
		return cli.Usage("%w", err)
	}
	if _, err := blocksOf(p, g); err != nil {
		return err
	}
	signer, err := signerOf(p)
	if err == nil && signer == nil && c.Review.Of(own) {
		err = cli.Usage("review.verify: what is found is signed with the organisation's key, which the profile does not name (organisation_key)")
	}
	return err
}
