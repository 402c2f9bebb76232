package gateway_test

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/gateway"
)

func TestAttackThousandsOfIdleConnections(t *testing.T) {
	slow(t)
	w := newWorld(t, func(_ *access.Options, g *gateway.Options) { g.Bounds.PerHost, g.Bounds.Connections = 16, 64 })
	for name, address := range map[string]net.Addr{"rest": w.gateway.REST(), "grpc": w.gateway.GRPC()} {
		var open atomic.Int64
		var connections []net.Conn
		for range 2000 {
			c, err := net.Dial("tcp", address.String())
			if err != nil {
				continue // refused by the machine is refused as well
			}
			connections = append(connections, c)
			open.Add(1)
			go func() {
				_, _ = io.Copy(io.Discard, c)
				open.Add(-1)
			}()
		}
		until(t, name+": all but sixteen closed", func() bool { return open.Load() == 16 })
		for _, c := range connections {
			_ = c.Close()
		}
		until(t, name+": room again", func() bool {
			if name == "rest" {
				return w.rest("GET", "/v1/status", w.token(access.Viewer), "").code == http.StatusOK
			}
			return w.statusAs(access.Viewer) == nil
		})
	}
}

func TestHostsShareTheConnections(t *testing.T) {
	w := newWorld(t, func(_ *access.Options, g *gateway.Options) { g.Bounds.PerHost, g.Bounds.Connections = 4, 6 })
	count := func(from string, n int) (open *atomic.Int64) {
		open = &atomic.Int64{}
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		for range n {
			c, err := d.Dial("tcp", w.gateway.REST().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			open.Add(1)
			go func() {
				_, _ = io.Copy(io.Discard, c)
				open.Add(-1)
			}()
		}
		return open
	}
	first := count("127.0.0.2", 10)
	until(t, "four of the first host", func() bool { return first.Load() == 4 })
	second := count("127.0.0.3", 10)
	until(t, "two of the second", func() bool { return second.Load() == 2 })
	if first.Load() != 4 {
		t.Errorf("the first host has %d", first.Load())
	}
}
