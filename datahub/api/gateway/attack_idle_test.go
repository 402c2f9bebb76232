package gateway_test

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/gateway"
)

// connections bounds them. None ends for its handshake while a test looks.
func connections(most, perHost int) func(*access.Options, *gateway.Options) {
	return func(_ *access.Options, g *gateway.Options) {
		g.Bounds.Connections, g.Bounds.PerHost, g.Bounds.Headers = most, perHost, 5*time.Minute
	}
}

// idle opens connections from an address, and counts those that stay open until they are closed.
func idle(t *testing.T, from string, to net.Addr, n int) (open *atomic.Int64, closeAll func()) {
	t.Helper()
	open = &atomic.Int64{}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	var all []net.Conn
	for range n {
		c, err := d.Dial("tcp", to.String())
		if err != nil {
			continue // refused by the machine is refused as well
		}
		all = append(all, c)
		open.Add(1)
		go func() {
			_, _ = io.Copy(io.Discard, c)
			open.Add(-1)
		}()
	}
	closeAll = func() {
		for _, c := range all {
			_ = c.Close()
		}
	}
	t.Cleanup(closeAll)
	return open, closeAll
}

func TestAttackThousandsOfIdleConnections(t *testing.T) {
	slow(t)
	w := newWorld(t, connections(64, 16))
	for name, address := range map[string]net.Addr{"rest": w.gateway.REST(), "grpc": w.gateway.GRPC()} {
		open, closeAll := idle(t, "127.0.0.1", address, 2000)
		until(t, name+": all but sixteen closed", func() bool { return open.Load() == 16 })
		closeAll()
		until(t, name+": room again", func() bool {
			if name == "rest" {
				return w.rest("GET", "/v1/status", w.token(access.Viewer), "").code == http.StatusOK
			}
			return w.statusAs(access.Viewer) == nil
		})
	}
}

func TestHostsShareTheConnections(t *testing.T) {
	w := newWorld(t, connections(6, 4))
	first, _ := idle(t, "127.0.0.2", w.gateway.REST(), 10)
	until(t, "four of the first host", func() bool { return first.Load() == 4 })
	second, _ := idle(t, "127.0.0.3", w.gateway.REST(), 10)
	until(t, "two of the second", func() bool { return second.Load() == 2 })
	if first.Load() != 4 {
		t.Errorf("the first host has %d", first.Load())
	}
}
