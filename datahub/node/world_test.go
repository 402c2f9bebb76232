package node

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

const (
	patience = 60 * time.Second
	fleetID  = "fleet-a"
)

// world is a node on a ledger of its own, with a regulator that opens epochs and a maker of devices.
type world struct {
	t       *testing.T
	dir     string
	config  *Config
	srs     *commit.SRS
	keys    *setup.Unsafe // nil but for tests that prove
	ledger  network
	book    flaky
	maker   *device.Maker
	node    *Node
	stop    context.CancelFunc
	paused  atomic.Bool // the regulator opens no epochs
	stopped chan error
	// stopping is closed when the node is told to stop.
	stopping chan struct{}
}

// genesis has short epochs in real time.
func genesis(epoch int64) ledger.Genesis {
	g := contracttest.Genesis()
	g.EpochZero, g.EpochSeconds, g.AnchorWindowSeconds = time.Now().Unix()/epoch*epoch-10*epoch, epoch, epoch-1
	g.ClockSkewSeconds, g.ProposalAgeSeconds = 1, 5
	return g
}

func newWorld(t *testing.T, epoch int64, change func(*Config)) *world {
	t.Helper()
	return newWorldWith(t, epoch, nil, change)
}

// newWorldWith has proving keys in place of the tests' SRS.
func newWorldWith(t *testing.T, epoch int64, keys *setup.Unsafe, change func(*Config)) *world {
	t.Helper()
	return newWorldOf(t, epoch, keys, must(device.NewMaker("maker-a"))(t), change)
}

func newWorldOf(t *testing.T, epoch int64, keys *setup.Unsafe, maker *device.Maker, change func(*Config)) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a node for several epochs")
	}
	w := &world{t: t, dir: t.TempDir(), maker: maker, srs: contracttest.SRS()}
	if keys != nil {
		w.keys, w.srs = keys, keys.SRS()
	}
	l := must(embedded.Create(w.dir+"/ledger", genesis(epoch), embedded.Options{SRS: w.srs}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	w.ledger = inProcess{l}
	return w.begin(change)
}

// begin configures the owner's node, does what a regulator does first, and starts the node.
func (w *world) begin(change func(*Config)) *world {
	w.t.Helper()
	text := fmt.Sprintf(`
data: %s
operations: {listen: ""}
api: {listen: "", grpc: ""}
ledger: {trial: {directory: unused, epoch: 8s, anchor_window: 7s}}
fleets:
  - id: %s
    chunk_size: 64
    battery: {rated_capacity_Ah: "10", low_voltage_V: "3", high_voltage_V: "4.2", max_gap: 60s}
keys: {driver: file, file: {directory: keys}}
broker: {listen: "127.0.0.1:0"}
epochs: {gather: 3s}
proving: {answer: false}
`, w.dir, fleetID)
	w.config = must(ParseConfig([]byte(text)))(w.t)
	if change != nil {
		change(w.config)
	}
	w.regulate()
	w.book.Client = must(w.ledger.Book(contracttest.Operator))(w.t).Client
	w.start()
	w.t.Cleanup(w.end)
	return w
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// regulate does what a regulator does, and goes on opening epochs.
func (w *world) regulate() {
	ctx := w.t.Context()
	regulator := must(w.ledger.Book(contracttest.Regulator))(w.t)
	keys := []verify.PublishedKey{contracttest.SRSKey(w.srs)}
	if w.keys != nil {
		keys = must(w.keys.Published(int(w.config.Fleets[0].ChunkSize)))(w.t)
	}
	for _, k := range keys {
		w.agree(k.Pin())
		must(regulator.PublishKey(ctx, k))(w.t)
	}
	maker := ledger.RegisterMaker{ID: w.maker.ID(), Name: "Maker", Certificate: w.maker.Certificate()}
	w.agree(maker.Digest())
	must(regulator.RegisterMaker(ctx, maker))(w.t)
	go func() {
		for ctx.Err() == nil {
			if !w.paused.Load() {
				regulator.OpenEpoch(ctx) //nolint:errcheck // it is tried again
			}
			sleep(ctx, 100*time.Millisecond)
		}
	}()
}

func (w *world) agree(digest commit.Digest) {
	w.t.Helper()
	if err := w.ledger.Agree(digest); err != nil {
		w.t.Fatal(err)
	}
}

// start starts the node.
func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() && *benchTable == "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	env := Environment{Book: ledger.Book{Client: &w.book}, Organisation: contracttest.Operator, Signer: must(w.ledger.Signer(contracttest.Operator))(w.t),
		Blocks: w.ledger.Blocks(), SRS: w.srs, Logger: log, Metrics: prometheus.NewRegistry()}
	if w.keys != nil {
		env.Proving = w.keys
	}
	n, err := Open(ctx, w.config, env)
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	w.node, w.stop, w.stopped = n, cancel, make(chan error, 1)
	w.stopping = make(chan struct{})
	// Devices find the node again where it was.
	if at := n.broker.Address(); at != "" {
		w.config.Broker.Listen = at
	}
	go func(stopped chan error) { stopped <- n.Run(ctx) }(w.stopped)
}

// end stops it.
func (w *world) end() {
	if w.stop == nil {
		return
	}
	close(w.stopping)
	w.stop()
	w.stop = nil
	if err := <-w.stopped; err != nil {
		w.t.Errorf("the node ended with %v", err)
	}
}

// join connects a device; own, if it is set, are the records that its firmware computes.
func (w *world) join(serial string, own func(uint64, agent.Measured) (record.Record, bool)) *agent.Agent {
	w.t.Helper()
	schema := must(record.Lookup("battery/v1"))(w.t)
	d := must(device.New(w.maker, device.Config{Serial: serial, Class: commit.Software, Algorithm: commit.Ed25519, Schema: schema}))(w.t)
	return w.connect(d, func(o *agent.Options) { o.Own = own })
}

func (w *world) connect(d *device.Device, change func(*agent.Options)) *agent.Agent {
	w.t.Helper()
	p := must(w.node.provision(0))(w.t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(p.Roots))
	key := must(commit.ParsePublicKey(must(hex.DecodeString(p.Organisation))(w.t)))(w.t)
	o := agent.Options{
		Broker: p.Broker, Roots: roots, ServerName: p.ServerName, Ledger: p.Ledger, Genesis: p.Genesis, Fleet: p.Fleet, NodeKey: &key,
		SRS:         func(commit.Digest) (*commit.SRS, error) { return w.srs, nil },
		ResendAfter: 300 * time.Millisecond, ResendMost: time.Second, ReconnectAfter: 20 * time.Millisecond, ReconnectMost: 300 * time.Millisecond, Skew: time.Second,
	}
	if testing.Verbose() {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("who", d.Certificate().Serial)
	}
	if change != nil {
		change(&o)
	}
	a := must(agent.New(d, o))(w.t)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	w.t.Cleanup(func() { cancel(); <-done })
	return a
}

// discharge is a full discharge of 9.5 Ah that ended an hour ago, and a reading of now.
func discharge() []telemetry.Reading {
	var out []telemetry.Reading
	begin := time.Now().Add(-5 * time.Hour)
	reading := func(at time.Time, volts, amperes int64) {
		out = append(out, telemetry.Reading{
			TimeMicros: at.UnixMicro(), VoltageMicroV: health.Known(volts), CurrentMicroA: health.Known(amperes), HottestMilliC: health.Known(28_000),
			LowestCellMicroV: health.Known(volts - 2_000), HighestCellMicroV: health.Known(volts),
		})
	}
	const minutes = 4 * 60 // at 2.375 A
	reading(begin.Add(-time.Minute), 4_200_000, 0)
	for m := range int64(minutes + 1) {
		reading(begin.Add(time.Duration(m)*time.Minute), 4_200_000-m*1_200_000/minutes, -2_375_000)
	}
	reading(begin.Add((minutes+1)*time.Minute), 3_050_000, 0)
	return append(out, now())
}

// now is a reading at rest.
func now() telemetry.Reading {
	return telemetry.Reading{TimeMicros: time.Now().UnixMicro(), VoltageMicroV: health.Known(3_700_000), CurrentMicroA: health.Known(0), HottestMilliC: health.Known(25_000),
		LowestCellMicroV: health.Known(3_699_000), HighestCellMicroV: health.Known(3_700_000)}
}

// report publishes a reading of now and then, until the node is stopped.
func (w *world) report(a *agent.Agent) {
	for stopped := w.stopping; ; {
		if err := a.Publish(w.t.Context(), []telemetry.Reading{now()}); err != nil {
			w.t.Error(err)
		}
		select {
		case <-stopped:
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}
