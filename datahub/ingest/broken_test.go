package ingest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
)

// A server does not find a stream of which the configuration is torn, as a kill at the wrong moment leaves it. The node then begins
// with an empty one: what was in it, devices send again.
func TestTornStream(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	maker := must(device.NewMaker("maker-a"))
	n := &testNode{t: t, maker: maker, registry: newRegistry(maker), sink: newTestSink(), store: &faulty{Store: openTestStore(t, t.TempDir())}}
	options, roots := embeddedOptions(t)
	n.broker = &testBroker{must(StartBroker(t.Context(), options, n.registry)), roots}
	n.start(nil)
	d := n.device("1")
	l := n.link(d)
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
	n.stop()
	n.broker.Close()
	sums := must(filepath.Glob(filepath.Join(options.Directory, "jetstream", "*", "streams", streamUp, "meta.sum")))
	if len(sums) != 1 {
		t.Fatalf("%d files", len(sums))
	}
	if err := os.WriteFile(sums[0], []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.broker = &testBroker{must(StartBroker(t.Context(), options, n.registry)), roots}
	n.registry.seat(d, 1)
	began := time.Now()
	n.start(nil)
	l = n.link(d)
	l.send(l.sealed(l.newFrame(2)))
	l.awaitThrough(2)
	t.Log(time.Since(began))
	n.stop()
	n.broker.Close()
}
