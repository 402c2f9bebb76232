package node

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"strings"
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
	ledger  *embedded.Ledger
	book    flaky
	maker   *device.Maker
	node    *Node
	stop    context.CancelFunc
	paused  atomic.Bool // the regulator opens no epochs
	stopped chan error
	// stopping is closed when the node is told to stop.
	stopping chan struct{}
}

// flaky is the owner's access to the ledger, which can be cut.
type flaky struct {
	ledger.Client
	cut atomic.Bool
	// lose loses the answers to anchors.
	lose atomic.Bool
	// before, if set, is called before every call is submitted.
	before atomic.Pointer[func(ledger.Call)]
}

func (f *flaky) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	if do := f.before.Load(); do != nil {
		(*do)(c)
	}
	if f.cut.Load() {
		return ledger.Receipt{}, fmt.Errorf("the ledger cannot be reached")
	}
	r, err := f.Client.Submit(ctx, c)
	if f.lose.Load() && c.Function == ledger.FnAnchor {
		return ledger.Receipt{}, fmt.Errorf("the answer was lost")
	}
	return r, err
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
	text := fmt.Sprintf(`
data: %s
operations: {listen: ""}
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
	var err error
	if w.config, err = ParseConfig([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(w.config)
	}
	w.ledger, err = embedded.Create(w.dir+"/ledger", genesis(epoch), embedded.Options{SRS: w.srs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.ledger.Close() }) //nolint:errcheck // the test is over
	w.regulate()
	w.book.Client = must(w.ledger.Book(contracttest.Operator))(t).Client
	w.start()
	t.Cleanup(w.end)
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
	if w.keys == nil {
		must(regulator.PublishKey(ctx, contracttest.SRSKey(w.srs)))(w.t)
	} else {
		for _, k := range must(w.keys.Published(64))(w.t) {
			must(regulator.PublishKey(ctx, k))(w.t)
		}
	}
	must(regulator.RegisterMaker(ctx, ledger.RegisterMaker{ID: w.maker.ID(), Name: "Maker", Certificate: w.maker.Certificate()}))(w.t)
	go func() {
		for ctx.Err() == nil {
			if !w.paused.Load() {
				regulator.OpenEpoch(ctx) //nolint:errcheck // it is tried again
			}
			sleep(ctx, 100*time.Millisecond)
		}
	}()
}

// start starts the node.
func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	env := Environment{Book: ledger.Book{Client: &w.book}, SRS: w.srs, Logger: log, Metrics: prometheus.NewRegistry()}
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
	p := must(w.node.provision())(w.t)
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

// until waits for something to become true.
func (w *world) until(what string, condition func() bool) {
	w.t.Helper()
	w.untilWithin(patience, what, condition)
}

func (w *world) untilWithin(patience time.Duration, what string, condition func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// status is the fleet's.
func (w *world) status() *Status {
	return must(FleetStatus(w.t.Context(), w.node.storage.Store, fleetID, 100))(w.t)
}

// closedWith waits for an epoch that was closed with so many devices, and returns it.
func (w *world) closedWith(attested int) EpochStatus {
	w.t.Helper()
	var found EpochStatus
	w.until(fmt.Sprintf("an epoch closed with %d devices", attested), func() bool {
		for _, e := range w.status().Epochs {
			if e.State == "closed" && e.Attested == attested && e.Anchored > 0 {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// anchors are what the ledger has of an epoch.
func (w *world) anchors(epoch uint64) []ledger.AnchorEntry {
	return must(ledger.Book{Client: w.book.Client}.Anchors(w.t.Context(), fleetID, epoch))(w.t)
}

// plaintext looks for bytes in every file of the node's folder but its keys.
func (w *world) plaintext(needle string) (found []string) {
	var walk func(dir string)
	walk = func(dir string) {
		for _, e := range must(os.ReadDir(dir))(w.t) {
			path := dir + "/" + e.Name()
			if e.IsDir() {
				walk(path)
				continue
			}
			if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), needle) {
				found = append(found, path)
			}
		}
	}
	walk(w.dir)
	return found
}
