package ingest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// testSink keeps what it was given.
type testSink struct {
	mu       sync.Mutex
	applied  map[commit.DeviceID][]uint64
	reports  []uint64
	accepts  []uint64
	replays  []uint64
	greeted  []Greeting
	heard    map[commit.DeviceID]int
	refuse   func(u *Upload) error
	complete func(*store.Batch) error
}

func newTestSink() *testSink {
	return &testSink{applied: map[commit.DeviceID][]uint64{}, heard: map[commit.DeviceID]int{}}
}

func (s *testSink) Greet(_ context.Context, greetings []Greeting) []Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greeted = append(s.greeted, greetings...)
	answers := make([]Answer, len(greetings))
	for i, g := range greetings {
		answers[i] = Answer{Down: fmt.Appendf(nil, "offer through %d", g.Through)}
	}
	return answers
}

func (s *testSink) Apply(_ context.Context, u *Upload) (Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		if err := s.refuse(u); err != nil {
			return Applied{}, err
		}
	}
	if u.Replay {
		s.replays = append(s.replays, u.Frame.Sequence)
	} else {
		s.applied[u.Known.ID] = append(s.applied[u.Known.ID], u.Frame.Sequence)
	}
	return Applied{}, nil
}

func (s *testSink) Accept(_ context.Context, u *Upload, _ *frame.Accept) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepts = append(s.accepts, u.Frame.Sequence)
	return nil
}

func (s *testSink) Report(_ context.Context, u *Upload, r *frame.Report) (*store.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, u.Frame.Sequence)
	return &store.Report{Fleet: u.Known.Fleet, Device: u.Known.ID, Epoch: r.Epoch, Sequence: u.Frame.Sequence, Received: u.Received, Attestation: r.Attestation, Own: r.Own}, nil
}

func (s *testSink) Complete(_ context.Context, b *store.Batch, devices []commit.DeviceID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.complete != nil {
		return s.complete(b)
	}
	for _, id := range devices {
		b.Snapshots = append(b.Snapshots, store.Snapshot{Fleet: "fleet-a", Device: id, Epoch: 1, State: []byte("state")})
	}
	return nil
}

func (s *testSink) Heard(devices []commit.DeviceID, _ uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range devices {
		s.heard[id]++
	}
}

func (s *testSink) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// faulty is a real store that can be made to fail.
type faulty struct {
	*store.Store
	mu  sync.Mutex
	err error
	// undeleted is how many deletions are still to fail.
	undeleted int
}

func (f *faulty) QuarantineDelete(ctx context.Context, ids []string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.undeleted > 0 {
		f.undeleted--
		return 0, store.ErrUnavailable
	}
	return f.Store.QuarantineDelete(ctx, ids)
}

func (f *faulty) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *faulty) Commit(ctx context.Context, b *store.Batch) error {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.Store.Commit(ctx, b)
}

func openTestStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, closeAll, err := openNodeStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeAll)
	return s
}

// openNodeStore opens the store in a directory, with its keys.
func openNodeStore(dir string) (*store.Store, func(), error) {
	identity := filepath.Join(dir, "machine.key")
	if err := file.CreateIdentity(identity); err != nil {
		return nil, nil, err
	}
	ks, err := file.Open(context.Background(), file.Config{Directory: filepath.Join(dir, "keys"), Identity: reference.Reference("file:" + identity), Create: true})
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(context.Background(), store.Config{URL: "sqlite:" + filepath.Join(dir, "store.db")}, ks, store.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, ks.Close())
	}
	return s, func() { s.Close(); ks.Close() }, nil
}

// testNode is a broker, a store and a pipeline between them.
type testNode struct {
	t        testing.TB
	maker    *device.Maker
	registry *registry
	broker   *testBroker
	store    *faulty
	sink     *testSink
	pipeline *Pipeline
	metrics  *prometheus.Registry
	stop     func()
}

func epochAt(t time.Time) (uint64, error) { return uint64(t.Unix() / 3600), nil }

func newTestNode(t testing.TB, change func(*Options)) *testNode {
	t.Helper()
	maker := must(device.NewMaker("maker-a"))
	r := newRegistry(maker)
	n := &testNode{t: t, maker: maker, registry: r, broker: startTestBroker(t, r), sink: newTestSink()}
	n.store = &faulty{Store: openTestStore(t, t.TempDir())}
	n.start(change)
	return n
}

func (n *testNode) start(change func(*Options)) {
	n.t.Helper()
	n.metrics = prometheus.NewRegistry()
	o := Options{
		Ledger: testLedger, Broker: n.broker.Broker, Registry: n.registry, Sink: n.sink, Store: n.store, EpochAt: epochAt,
		Logger: testLog(n.t), Metrics: n.metrics, ReplayEvery: 50 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	var err error
	if n.pipeline, err = New(o); err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := n.pipeline.Run(ctx); err != nil {
			n.t.Error(err)
		}
	}()
	n.stop = sync.OnceFunc(func() { cancel(); <-ended })
	n.t.Cleanup(n.stop)
}

func (n *testNode) device(serial string) *testDevice {
	d := newTestDevice(n.maker, serial)
	n.registry.seat(d, 0)
	return d
}

// value adds up a counter's series that have the label, "" for any.
func (n *testNode) value(name, label string) float64 {
	n.t.Helper()
	families, err := n.metrics.Gather()
	if err != nil {
		n.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != "assay_ingest_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if label == "" || len(m.GetLabel()) > 0 && m.GetLabel()[0].GetValue() == label {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// stored is the sequences of a device's frames in the store.
func (n *testNode) stored(d *testDevice) []uint64 {
	n.t.Helper()
	frames, err := n.store.Frames(context.Background(), d.id, 0, 100_000)
	if err != nil {
		n.t.Fatal(err)
	}
	out := make([]uint64, len(frames))
	for i, f := range frames {
		out[i] = f.Sequence
	}
	return out
}

func (n *testNode) quarantined(d *testDevice) []store.Quarantined {
	n.t.Helper()
	rows, err := n.store.QuarantineList(context.Background(), store.Filter{Device: &d.id, Limit: 1000})
	if err != nil {
		n.t.Fatal(err)
	}
	return rows
}

func upTo(from, to uint64) []uint64 {
	var out []uint64
	for ; from <= to; from++ {
		out = append(out, from)
	}
	return out
}

// testClock is a clock that is set.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
