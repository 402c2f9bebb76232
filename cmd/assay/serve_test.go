package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
)

// served is a node in a process of its own, started with assay serve.
type served struct {
	t      *testing.T
	dir    string
	config string
	cmd    *exec.Cmd
	log    *growing
}

// growing is a log that is read while it is written.
type growing struct {
	mu sync.Mutex
	b  []byte
}

func (g *growing) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.b = append(g.b, b...)
	return len(b), nil
}

func (g *growing) Bytes() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return bytes.Clone(g.b)
}

func (g *growing) String() string { return string(g.Bytes()) }

func serveForTest(t *testing.T, epoch string) *served {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a node for several epochs")
	}
	s := &served{t: t, dir: t.TempDir()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() //nolint:errcheck // the node takes the port
	s.config = filepath.Join(s.dir, "owner.yaml")
	text := fmt.Sprintf(`
data: %s
operations: {listen: ""}
api: {listen: "", grpc: ""}
ledger: {trial: {directory: ledger, epoch: %s, anchor_window: 7s}}
fleets: [{id: fleet-a, chunk_size: 64, battery: {rated_capacity_Ah: "10", low_voltage_V: "3", high_voltage_V: "4.2"}}]
keys: {driver: file, file: {directory: keys}}
broker: {listen: "%s"}
epochs: {gather: 2s}
ingest: {frames_per_second: 10000}
`, filepath.Join(s.dir, "data"), epoch, address)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts the node, and waits until it is ready.
func (s *served) start() {
	s.t.Helper()
	binary, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	os.Remove(filepath.Join(s.dir, "data", "provision.json")) //nolint:errcheck // it is not there the first time
	s.log = &growing{}
	s.cmd = &exec.Cmd{Path: binary, Args: []string{"assay", "serve", "--config", s.config}, Env: os.Environ(), Stderr: s.log,
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.dir, "data", "provision.json")); err == nil {
			return
		}
		if time.Now().After(end) || bytes.Contains(s.log.Bytes(), []byte("the node stopped")) {
			s.t.Fatalf("the node does not start:\n%s", s.log)
		}
	}
}

func (s *served) end(signal os.Signal) error {
	s.cmd.Process.Signal(signal) //nolint:errcheck // it may have ended by itself, which Wait tells
	return s.cmd.Wait()
}

// sender is a device that knows what was acknowledged.
type sender struct {
	*agent.Agent
	id    commit.DeviceID
	mu    sync.Mutex
	acked map[uint64]int // readings by sequence
}

func (s *served) device(ctx context.Context, maker *device.Maker, srs *commit.SRS, serial string) *sender {
	s.t.Helper()
	var p node.Provision
	b, err := os.ReadFile(filepath.Join(s.dir, "data", "provision.json"))
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	schema, err := record.Lookup(p.Schema)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := device.New(maker, device.Config{Serial: serial, Class: commit.Module, Algorithm: commit.Ed25519, Schema: schema})
	if err != nil {
		s.t.Fatal(err)
	}
	der, err := hex.DecodeString(p.Organisation)
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := commit.ParsePublicKey(der)
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(p.Roots))
	out := &sender{id: d.ID(), acked: map[uint64]int{}}
	out.Agent, err = agent.New(d, agent.Options{
		Broker: p.Broker, Roots: roots, ServerName: p.ServerName, Ledger: p.Ledger, Genesis: p.Genesis, Fleet: p.Fleet, NodeKey: &key, Skew: time.Second,
		SRS: func(commit.Digest) (*commit.SRS, error) { return srs, nil },
		Own: func(uint64, agent.Measured) (record.Record, bool) {
			return record.Record{1, 9000, 100, 50, 9000, 5, 650, 0}, true
		},
		ResendAfter: 300 * time.Millisecond, ResendMost: time.Second, ReconnectAfter: 20 * time.Millisecond, ReconnectMost: 300 * time.Millisecond,
		Acknowledged: func(a agent.Delivery) {
			out.mu.Lock()
			defer out.mu.Unlock()
			out.acked[a.Sequence] = a.Readings
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); out.Run(ctx) }()
	s.t.Cleanup(func() { <-done })
	return out
}

// A node is killed again and again while devices send, also while it closes epochs. What devices saw acknowledged is in the store, once; every epoch that it says is
// anchored is on the ledger with the content that it fixed.
func TestNodeIsKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := serveForTest(t, "8s")
	s.start()
	keys, err := setup.UnsafeSingleParty(cacheDir(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	maker := readMaker(t, filepath.Join(s.dir, "data", "trial"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var senders []*sender
	var sending sync.WaitGroup
	stop := make(chan struct{})
	for i := range 6 {
		d := s.device(ctx, maker, keys.SRS(), fmt.Sprintf("pack-%d", i))
		senders = append(senders, d)
		sending.Go(func() { d.send(t, stop) })
	}
	kills, closing := 0, 0
	for end := time.Now().Add(50 * time.Second); time.Now().Before(end); kills++ {
		if kills%2 == 0 {
			closing += s.whenClosing(rand.N(400 * time.Millisecond))
		} else {
			<-time.After(rand.N(3 * time.Second)) // anywhere
		}
		s.end(syscall.SIGKILL) //nolint:errcheck // it was killed
		s.start()
	}
	close(stop)
	sending.Wait()
	for _, d := range senders {
		drain, done := context.WithTimeout(ctx, time.Minute)
		if err := d.Drain(drain); err != nil {
			t.Errorf("what is on its way does not arrive: %v\n%s", err, s.log)
		}
		done()
	}
	cancel()
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("the node ends with %v\n%s", err, s.log)
	}
	t.Logf("killed %d times, %d of them while an epoch was closed", kills, closing)
	s.compare(senders)
}

func cacheDir(t *testing.T) string {
	dir, err := setup.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func readMaker(t *testing.T, dir string) *device.Maker {
	t.Helper()
	der, err := readCertificate(filepath.Join(dir, "maker.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := agent.ReadKey(filepath.Join(dir, "maker.key"))
	if err != nil {
		t.Fatal(err)
	}
	maker, err := device.OpenMaker(der, key.(ed25519.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return maker
}

// send publishes until it is told to stop.
func (d *sender) send(t *testing.T, stop chan struct{}) {
	for n := int64(0); ; n++ {
		at := time.Now()
		var readings []telemetry.Reading
		for i := range int64(10) {
			readings = append(readings, telemetry.Reading{TimeMicros: at.Add(-time.Duration(10-i) * time.Millisecond).UnixMicro(), VoltageMicroV: health.Known(3_700_000 + n),
				CurrentMicroA: health.Known(i), HottestMilliC: health.Known(25_000)})
		}
		if err := d.Publish(t.Context(), readings); err != nil {
			t.Error(err)
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// whenClosing waits until the node says that it closes an epoch, and a moment longer.
func (s *served) whenClosing(moment time.Duration) int {
	for end := time.Now().Add(9 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if bytes.Contains(s.log.Bytes(), []byte("closing the epoch")) {
			<-time.After(moment)
			return 1
		}
	}
	return 0
}

// compare holds what the stopped node has against what devices and ledger know.
func (s *served) compare(senders []*sender) {
	t, ctx := s.t, context.Background()
	config, err := readConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	storage, err := node.OpenStorage(ctx, config, node.StorageOptions{Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	defer storage.Close() //nolint:errcheck // it was only read
	frames := 0
	for _, d := range senders {
		frames += d.compare(t, storage.Store)
	}
	t.Logf("%d frames are stored once each", frames)
	l, err := embedded.Open(filepath.Join(s.dir, "data", "ledger"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was only read
	book, err := l.Book("regulator")
	if err != nil {
		t.Fatal(err)
	}
	closings, err := storage.Store.Closings(ctx, "fleet-a", 100)
	if err != nil {
		t.Fatal(err)
	}
	anchored := 0
	for _, c := range closings {
		chunks, err := storage.Store.Chunks(ctx, "fleet-a", c.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		anchors, err := book.Anchors(ctx, "fleet-a", c.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		anchored += compareAnchors(t, c.Epoch, chunks, anchors)
	}
	if anchored < 3 {
		t.Errorf("%d epochs are anchored, of %d that were closed", anchored, len(closings))
	}
}

func (d *sender) compare(t *testing.T, s *store.Store) int {
	var after uint64
	for {
		frames, err := s.Frames(context.Background(), d.id, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(frames) == 0 {
			break
		}
		for _, f := range frames {
			if f.Sequence != after+1 {
				t.Fatalf("device %s: frame %d comes after %d", d.id, f.Sequence, after)
			}
			after = f.Sequence
			if want, ok := d.acked[after]; ok && want != int(f.Readings) {
				t.Errorf("device %s: frame %d has %d readings, %d were acknowledged", d.id, after, f.Readings, want)
			}
		}
	}
	for sequence := range d.acked {
		if sequence > after {
			t.Errorf("device %s: frame %d was acknowledged, the store ends with %d", d.id, sequence, after)
		}
	}
	return int(after)
}

func compareAnchors(t *testing.T, epoch uint64, chunks []store.Chunk, anchors []ledger.AnchorEntry) (anchored int) {
	for _, c := range chunks {
		if c.State != store.Anchored {
			continue
		}
		fixed, err := ledger.DecodeRecord[ledger.AnchorChunk]("anchor", c.Anchor)
		if err != nil {
			t.Fatal(err)
		}
		if len(anchors) != 1 || anchors[0].Anchor.Root != fixed.Root || !bytes.Equal(anchors[0].Anchor.Commitment, fixed.Commitment) {
			t.Errorf("epoch %d: the ledger has %+v, the node fixed %+v", epoch, anchors, fixed)
		}
		anchored++
	}
	if len(anchors) > len(chunks) {
		t.Errorf("epoch %d: the ledger has %d anchors, the node knows of %d", epoch, len(anchors), len(chunks))
	}
	return anchored
}
