package node

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/datahub/review"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Environment is what a node gets from its command: the drivers that it does not know itself.
type Environment struct {
	// Book is the organisation's access to the ledger, and Organisation its id there.
	Book         ledger.Book
	Organisation string
	// Signer is the organisation's own key, which signs files of evidence, and Blocks knows what the ledger's blocks rest on. Without both none are made.
	Signer crypto.Signer
	Blocks evidence.Blocks
	// SRS is what an owner's attestations and anchors are made with: the ledger has to pin the same.
	SRS *commit.SRS
	// Proving gives an owner's prover its circuits.
	Proving prove.Keys
	Logger  *slog.Logger
	Metrics *prometheus.Registry
	Tracer  trace.TracerProvider
	// TrialMaker is told to simulated devices in a trial.
	TrialMaker *TrialMaker
}

func (e Environment) withDefaults() Environment {
	if e.Tracer == nil {
		e.Tracer = noop.NewTracerProvider()
	}
	if e.Metrics == nil {
		e.Metrics = prometheus.NewRegistry()
	}
	if e.Logger == nil {
		e.Logger = slog.New(slog.DiscardHandler)
	}
	return e
}

// Node is an organisation's node. What is below the line is there in an owner's alone.
type Node struct {
	config     *Config
	env        Environment
	log        *slog.Logger
	genesis    *ledger.Genesis
	own        *ledger.Organisation
	metrics    *metrics
	api        *api             // nil where there is no interface
	neighbours *neighbours      // nil where there is no interface
	queries    *queries         // nil where no part is taken in queries
	review     *review.Reviewer // nil where nothing is verified again
	operations *operations

	storage              *Storage
	signer               crypto.Signer
	tls                  *serverTLS
	broker               *ingest.Broker
	workers              map[string]ingest.WorkerUser
	devicesAt, workersAt string // where they connect
	closeWork            func() // of the queue's connection
	prover               *prove.Prover
	local                *prove.Worker // this process as one of the workers
	desk                 *desk.Desk    // nil where nothing is answered

	devices  *devices
	greeter  *greeter
	enroller *enroller
	closer   *closer
	sink     *sink
	pipeline *ingest.Pipeline
}

// Open makes a node ready to run. An owner's registers its fleets on the ledger, brings its store up to date, and takes up what a process that was stopped left. Run
// must be called after it, or Close.
func Open(ctx context.Context, c *Config, env Environment) (*Node, error) {
	began := time.Now()
	env = env.withDefaults()
	n := &Node{config: c, env: env, log: env.Logger}
	for _, step := range []struct {
		what   string
		owners bool // only for those who own fleets
		do     func(context.Context) error
	}{
		{"metrics", false, n.openMetrics},
		{"ledger", false, n.openLedger},
		{"fleets", true, n.openFleets},
		{"storage", true, n.openStorage},
		{"devices", true, n.openDevices},
		{"folder", false, n.openFolder},
		{"derivations", true, n.openSink},
		{"clock", true, n.awaitClock},
		{"broker", true, n.openBroker},
		{"desk", true, n.openDesk},
		{"review", false, n.openReview},
		{"interface", false, n.openAPI},
		{"operations", false, n.openOperations},
	} {
		if step.owners && !n.owns() {
			continue
		}
		if err := step.do(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.what, err), n.Close())
		}
	}
	took := time.Since(began)
	n.metrics.recovered.Set(took.Seconds())
	n.ready(took)
	return n, nil
}

// owns reports whether the organisation owns fleets. It does not know before the ledger was asked.
func (n *Node) owns() bool { return n.own.Has(ledger.RoleOwner) }

func (n *Node) ready(took time.Duration) {
	log := n.log.With("organisation", n.own.ID, "roles", n.own.Roles, "ledger", n.genesis.ID())
	if n.owns() {
		log = log.With("broker", n.devicesAt, "devices", len(n.devices.byID))
	}
	log.Info("ready", "took", took.Round(time.Millisecond))
}

// Run runs the node until it is told to stop, and closes it.
func (n *Node) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range n.running() {
		group.Go(func() error { return part(ctx) })
	}
	return errors.Join(group.Wait(), n.Close())
}

// running are the node's parts, each of which runs until it is told to stop. One that fails stops all.
func (n *Node) running() (parts []func(context.Context) error) {
	if n.owns() {
		n.closer.started = time.Now()
		parts = append(parts, n.pipeline.Run, n.enroller.run, n.closer.run, n.tend)
	}
	if n.desk != nil {
		parts = append(parts, n.desk.Run)
	}
	if n.desk != nil && n.local != nil {
		parts = append(parts, n.runLocal)
	}
	if n.review != nil {
		parts = append(parts, n.review.Run)
	}
	if n.own.Has(ledger.RoleRegulator) && n.config.Review.OpenEpochs {
		parts = append(parts, n.openEpochs)
	}
	if n.queries != nil {
		parts = append(parts, n.queries.Run)
	}
	if n.api != nil {
		parts = append(parts, n.serveAPI, n.followNodes, n.publish)
	}
	if n.operations != nil {
		parts = append(parts, n.operations.run)
	}
	return parts
}

// Close lets go of everything. Frames that were taken and are not stored stay with the broker.
func (n *Node) Close() error {
	if n.api != nil {
		n.api.gateway.Close()
		n.api = nil
	}
	if n.neighbours != nil {
		n.neighbours.close()
	}
	if n.closeWork != nil {
		n.closeWork()
		n.closeWork = nil
	}
	if n.broker != nil {
		n.broker.Close()
	}
	var errs []error
	if n.queries != nil {
		errs = append(errs, n.queries.close())
		n.queries = nil
	}
	if n.storage != nil {
		errs = append(errs, n.storage.Close())
		n.storage = nil
	}
	return errors.Join(errs...)
}
