package ingest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/loopback"
	"github.com/assay-net/assay/zk/commit"
)

// A node in a process of its own is this test binary, started with this variable set to its directory.
const nodeDirectory = "ASSAY_INGEST_TEST_NODE"

// killingKind is a kind of frame that ends the process that decodes it, which no process should survive knowing.
const killingKind = 201

func TestMain(m *testing.M) {
	if dir := os.Getenv(nodeDirectory); dir != "" {
		if err := runNode(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// nodeSetup is what a node's process is told.
type nodeSetup struct {
	Listen           string
	Certificate, Key []byte // PKCS#8
	Maker            []byte
	Devices          []nodeDevice
	Cluster          *clusterSetup `json:",omitempty"`
}

type nodeDevice struct {
	Certificate []byte
	Transport   []byte
}

func runNode(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var setup nodeSetup
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, "setup.json"))), &setup); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(must(os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)), nil))
	s, closeStore, err := openNodeStore(dir)
	if err != nil {
		return err
	}
	defer closeStore()
	r, err := setup.registry(ctx, s)
	if err != nil {
		return err
	}
	b, err := setup.broker(ctx, dir, r, log)
	if err != nil {
		return err
	}
	defer b.Close()
	f := &faulty{Store: s}
	if _, err := os.Stat(filepath.Join(dir, "stall")); err == nil {
		f.fail(store.ErrUnavailable)
	}
	p, err := New(Options{
		Ledger: testLedger, Broker: b, Registry: r, Sink: newTestSink(), Store: f, EpochAt: epochAt, Logger: log, DeviceRate: 1e6, DeviceBurst: 1e6,
		Decoders: map[frame.Kind]Decoder{killingKind: func(*Known, *frame.Frame) (*telemetry.Decoded, error) { os.Exit(7); return nil, nil }},
	})
	if err != nil {
		return err
	}
	fmt.Println("ready", b.Address())
	return p.Run(ctx)
}

func (s *nodeSetup) broker(ctx context.Context, dir string, r Registry, log *slog.Logger) (*Broker, error) {
	if s.Cluster != nil {
		return s.Cluster.connect(ctx, r, log)
	}
	key := must(x509.ParsePKCS8PrivateKey(s.Key))
	return StartBroker(ctx, Embedded{
		Directory: filepath.Join(dir, "broker"), Key: make([]byte, 32), Listen: s.Listen, Logger: log,
		TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{s.Certificate}, PrivateKey: key}}},
	}, r)
}

// registry knows the devices of the set-up, with what the store has of them.
func (s *nodeSetup) registry(ctx context.Context, st *store.Store) (*registry, error) {
	r := &registry{makers: map[string]*x509.Certificate{}, known: map[commit.DeviceID]Known{}}
	ca, err := commit.ParseMakerCA(s.Maker)
	if err != nil {
		return nil, err
	}
	r.makers[ca.Subject.Organization[0]] = ca
	rows := make([]store.Device, len(s.Devices))
	for i, d := range s.Devices {
		c, err := commit.ParseDeviceCertificate(d.Certificate)
		if err != nil {
			return nil, err
		}
		id := c.Key.DeviceID()
		r.known[id] = Known{ID: id, Fleet: "fleet-a", Key: c.Key, Transport: frame.TransportKey(d.Transport)}
		rows[i] = store.Device{ID: id, Fleet: "fleet-a", Slot: uint32(i), Certificate: d.Certificate, State: store.Enrolled}
	}
	if err := st.PutDevices(ctx, rows); err != nil {
		return nil, err
	}
	rows, err = st.Devices(ctx)
	for _, row := range rows {
		k := r.known[row.ID]
		k.Through = row.Through
		r.known[row.ID] = k
	}
	return r, err
}

// nodeProcess is a node that can be killed and started again.
type nodeProcess struct {
	t       *testing.T
	dir     string
	address string
	roots   *x509.CertPool
	maker   *device.Maker
	devices []*testDevice
	command *exec.Cmd
}

func newNodeProcess(t *testing.T, devices int) *nodeProcess {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a process")
	}
	p := &nodeProcess{t: t, dir: t.TempDir(), maker: must(device.NewMaker("maker-a")), address: must(loopback.FreeAddress())}
	for i := range devices {
		p.devices = append(p.devices, newTestDevice(p.maker, fmt.Sprint(i)))
	}
	certificate, roots := serverCertificate()
	p.roots = roots
	p.write(&nodeSetup{Listen: p.address, Certificate: certificate.Certificate[0], Key: must(x509.MarshalPKCS8PrivateKey(certificate.PrivateKey))})
	t.Cleanup(func() {
		p.kill()
		if log, err := os.ReadFile(filepath.Join(p.dir, "log")); err == nil && t.Failed() {
			t.Logf("the node's log:\n%s", log)
		}
	})
	return p
}

func (p *nodeProcess) write(setup *nodeSetup) {
	setup.Maker = p.maker.Certificate()
	for _, d := range p.devices {
		setup.Devices = append(setup.Devices, nodeDevice{d.certificate.DER(), d.transport[:]})
	}
	if err := os.WriteFile(filepath.Join(p.dir, "setup.json"), must(json.Marshal(setup)), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// start starts the process and waits until it says that it is ready.
func (p *nodeProcess) start() {
	p.t.Helper()
	c := exec.Command(must(os.Executable()))
	c.Env = append(os.Environ(), nodeDirectory+"="+p.dir)
	c.Stderr = p.t.Output()
	out := must(c.StdoutPipe())
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.command = c
	ready := make(chan bool, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		ready <- strings.HasPrefix(line, "ready")
	}()
	select {
	case ok := <-ready:
		if !ok {
			p.t.Fatal("the node did not start")
		}
	case <-time.After(patience):
		p.t.Fatalf("the node is not ready after %s", patience)
	}
}

// kill ends the process as a loss of power would, but for the disk.
func (p *nodeProcess) kill() {
	if p.command != nil {
		p.command.Process.Kill() //nolint:errcheck // it may have ended
		p.command.Wait()         //nolint:errcheck // it was killed
		p.command = nil
	}
}

// stop ends it in order.
func (p *nodeProcess) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("the node ended: %v", err)
	}
	p.command = nil
}
