package ingest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/fabricnet/loopback"
)

// clusterSetup is how a node reaches an external server.
type clusterSetup struct {
	URL   string
	Roots []byte // PEM
	Keys  []byte
}

func (c *clusterSetup) connect(ctx context.Context, r Registry, log *slog.Logger) (*Broker, error) {
	keys, err := ParseClusterKeys(c.Keys)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.Roots)
	return ConnectBroker(ctx, Cluster{URLs: []string{c.URL}, TLS: &tls.Config{RootCAs: roots}, Keys: keys, Logger: log}, r)
}

// natsProcess is a NATS server of its own, with the configuration that the package gives as an example.
type natsProcess struct {
	t         *testing.T
	binary    string
	config    string
	env       []string
	mqtt, url string
	roots     *x509.CertPool
	setup     clusterSetup
	command   *exec.Cmd
}

func newNATSProcess(t *testing.T, makers ...*device.Maker) *natsProcess {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts a NATS server")
	}
	dir := t.TempDir()
	p := &natsProcess{t: t, binary: filepath.Join(dir, "nats-server"), config: "../../deploy/nats/nats-server.conf", mqtt: must(loopback.FreeAddress()), url: must(loopback.FreeAddress())}
	if out, err := exec.Command("go", "build", "-o", p.binary, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("building nats-server: %v\n%s", err, out)
	}
	certificate, roots := serverCertificate()
	p.roots = roots
	write := func(name string, blocks ...*pem.Block) string {
		var out []byte
		for _, b := range blocks {
			out = append(out, pem.EncodeToMemory(b)...)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var cas []*pem.Block
	for _, m := range makers {
		cas = append(cas, &pem.Block{Type: "CERTIFICATE", Bytes: m.Certificate()})
	}
	key := make([]byte, 32)
	rand.Read(key)
	p.setup.URL = "tls://" + p.url
	own := write("node.pem", &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	p.setup.Roots = must(os.ReadFile(own))
	set := func(name, value string) { p.env = append(p.env, "ASSAY_"+name+"="+value) }
	set("SERVER_NAME", "nats-1")
	set("LISTEN", p.url)
	set("MQTT_LISTEN", p.mqtt)
	set("TLS_CERTIFICATE", own)
	set("TLS_KEY", write("node.key", &pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(certificate.PrivateKey))}))
	set("STORE", filepath.Join(dir, "jetstream"))
	set("JETSTREAM_KEY", hex.EncodeToString(key))
	set("MAKERS", write("makers.pem", cas...))
	keys := must(NewClusterKeys())
	p.setup.Keys = keys.Encode()
	p.env = append(p.env, must(keys.Environment())...)
	t.Cleanup(p.kill)
	return p
}

func (p *natsProcess) start() {
	p.t.Helper()
	c := exec.Command(p.binary, "-c", p.config)
	c.Env = append(os.Environ(), p.env...)
	c.Stderr = p.t.Output()
	if os.Getenv("ASSAY_TEST_LOG") == "" {
		c.Stderr = nil
	}
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.command = c
}

func (p *natsProcess) kill() {
	if p.command != nil {
		p.command.Process.Kill() //nolint:errcheck // it may have ended
		p.command.Wait()         //nolint:errcheck // it was killed
		p.command = nil
	}
}

func (n *natsProcess) broker(t *testing.T, r Registry) *testBroker {
	t.Helper()
	b, err := n.setup.connect(t.Context(), r, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return &testBroker{b, n.roots}
}

// TestExternalServer runs the same code against a server in a process of its own, which is killed and started under load.
func TestExternalServer(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	server := newNATSProcess(t, maker)
	server.start()
	n := &testNode{t: t, maker: maker, registry: newRegistry(maker), sink: newTestSink(), store: &faulty{Store: openTestStore(t, t.TempDir())}}
	n.broker = server.broker(t, n.registry)
	n.start(nil)

	own, other := n.device("1"), n.device("2")
	for name, c := range map[string]struct {
		id     string
		config *tls.Config
		ok     bool
	}{
		"its own name":          {own.id.String(), own.tls(server.roots), true},
		"another's name":        {other.id.String(), own.tls(server.roots), false},
		"a maker nobody knows":  {own.id.String(), newTestDevice(must(device.NewMaker("maker-b")), "1").tls(server.roots), false},
		"no certificate at all": {own.id.String(), &tls.Config{RootCAs: server.roots, ServerName: "127.0.0.1"}, false},
	} {
		c2, err := connect(server.mqtt, c.id, c.config)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		c2.Disconnect(0)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	more := make(chan struct{})
	p := &nodeProcess{t: t, address: server.mqtt, roots: server.roots, devices: []*testDevice{own, other, n.device("3")}}
	senders, ended := p.send(ctx, more)
	for range 3 {
		_, before, _ := senders[0].state()
		eventually(t, "frames are acknowledged", func() bool { _, now, _ := senders[0].state(); return now >= before+100 })
		server.kill()
		server.start()
	}
	close(more)
	for _, s := range senders {
		eventually(t, "everything is acknowledged", func() bool { made, acked, _ := s.state(); return made == acked })
		made, _, _ := s.state()
		if d := cmp.Diff(upTo(1, made), n.stored(s.testDevice)); d != "" {
			t.Error(d)
		}
		if rows := n.quarantined(s.testDevice); len(rows) != 0 {
			t.Errorf("in the quarantine: %s: %s", rows[0].Reason, rows[0].Detail)
		}
	}
	cancel()
	ended()

	c := must(connect(server.mqtt, own.id.String(), own.tls(server.roots)))
	if err := n.broker.Ban(own.id, time.Hour); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a banned device is disconnected", func() bool { return !c.IsConnectionOpen() })
}
