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
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/setup"
)

// serveCall is one call of assay serve.
type serveCall struct {
	*cli.Printer
	configAt string
	check    bool
	example  bool
}

func newServeCommand(p *cli.Printer) *cobra.Command {
	c := &serveCall{Printer: p}
	command := &cobra.Command{
		Use:   "serve --config OWNER.yaml",
		Short: "Run an owner's node",
		Long: `Serve takes in what devices send over MQTT, keeps it encrypted, and at the end of every epoch collects the devices'
signed records, anchors them on the ledger and, where requests were approved, answers them with proofs.

The example configuration is the manual of all fields. It runs as it is, on a trial ledger in a folder; with another
terminal's 'assay device simulate' it has devices too.`,
		Example: `  assay serve --example > owner.yaml
  assay serve --config owner.yaml
  assay serve --config owner.yaml --check`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	f := command.Flags()
	f.StringVar(&c.configAt, "config", "", "the node's configuration")
	f.BoolVar(&c.check, "check", false, "check the configuration and stop")
	f.BoolVar(&c.example, "example", false, "print the example configuration and stop")
	return command
}

func (c *serveCall) run(ctx context.Context) error {
	if c.example {
		_, err := c.Out.Write(examples.Owner)
		return err
	}
	config, err := readConfig(c.configAt)
	if err != nil || c.check {
		return err
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
	keys, err := provingKeys(config, log)
	if err != nil {
		return err
	}
	tracing, flush, err := newTracing(ctx, config.Tracing)
	if err != nil {
		return cli.Usage("tracing: %w", err)
	}
	defer flush()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	env := node.Environment{SRS: keys.SRS(), Proving: keys, Logger: log, Metrics: registry, Tracer: tracing}

	group, ctx := errgroup.WithContext(ctx)
	if config.Ledger.Trial != nil {
		t, err := openTrial(ctx, config, keys, log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		env.Book, env.TrialMaker = t.owner, &t.maker
		group.Go(func() error { return t.run(ctx) })
	} else {
		client, err := gateway.OpenProfile(ctx, config.Ledger.Profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, client.Close()) }()
		env.Book = ledger.Book{Client: client}
	}
	n, err := node.Open(ctx, config, env)
	if err != nil {
		return err
	}
	group.Go(func() error { return n.Run(ctx) })
	return group.Wait()
}

// provingKeys opens the cache of proving keys. It makes what is missing, which takes a while the first time.
func provingKeys(config *node.Config, log *slog.Logger) (*setup.Unsafe, error) {
	dir := config.Proving.Cache
	if dir == "" {
		var err error
		if dir, err = setup.DefaultDir(); err != nil {
			return nil, err
		}
	}
	return setup.UnsafeSingleParty(dir, func(step string) { log.Info(step) })
}
