package node

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/ingest"
)

// cluster is a NATS server in a process of its own, configured as deploy/nats says.
type cluster struct {
	t       *testing.T
	binary  string
	env     []string
	devices string
	url     string
	keys    string
	roots   string
	command *exec.Cmd
}

func newCluster(t *testing.T, maker *device.Maker) *cluster {
	t.Helper()
	dir := t.TempDir()
	c := &cluster{t: t, binary: filepath.Join(dir, "nats-server"), devices: freeAddress(t), url: freeAddress(t), keys: filepath.Join(dir, "nats.keys"), roots: filepath.Join(dir, "ca.pem")}
	if out, err := exec.Command("go", "build", "-o", c.binary, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("building nats-server: %v\n%s", err, out)
	}
	if err := makeTLS(dir, "localhost"); err != nil {
		t.Fatal(err)
	}
	makers := filepath.Join(dir, "makers.pem")
	if err := os.WriteFile(makers, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: maker.Certificate()}), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := must(ingest.NewClusterKeys())(t)
	if err := os.WriteFile(c.keys, keys.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	c.env = append(must(keys.Environment())(t), "ASSAY_SERVER_NAME=nats-1", "ASSAY_LISTEN="+c.url, "ASSAY_MQTT_LISTEN="+c.devices, "ASSAY_TLS_CERTIFICATE="+filepath.Join(dir, "broker.pem"),
		"ASSAY_TLS_KEY="+filepath.Join(dir, "broker.key"), "ASSAY_STORE="+filepath.Join(dir, "jetstream"), "ASSAY_JETSTREAM_KEY="+strings.Repeat("5a", 32), "ASSAY_MAKERS="+makers)
	t.Cleanup(c.kill)
	return c
}

func (c *cluster) start() {
	c.t.Helper()
	c.command = exec.Command(c.binary, "-c", "../../deploy/nats/nats-server.conf")
	c.command.Env = append(os.Environ(), c.env...)
	c.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.command.Start(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) kill() {
	if c.command != nil {
		c.command.Process.Kill() //nolint:errcheck // it may have ended
		c.command.Wait()         //nolint:errcheck // it was killed
		c.command = nil
	}
}

// A node on a NATS cluster in place of its own broker: by configuration, and the server is killed under load.
func TestNodeOnACluster(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs a NATS server")
	}
	maker := must(device.NewMaker("maker-a"))(t)
	c := newCluster(t, maker)
	c.start()
	w := newWorldOf(t, 8, nil, maker, func(config *Config) {
		config.Broker.URL, config.Broker.Devices, config.Broker.Keys, config.Broker.Roots = "tls://"+c.url, "tls://"+c.devices, "file:"+c.keys, c.roots
	})
	devices := w.sending(4)
	w.goesOn("at first", devices)
	c.kill()
	c.start()
	w.goesOn("after the server was killed", devices)
	w.closedWith(4)
	w.complete(devices)
}
