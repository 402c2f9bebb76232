package ingest

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// The server keeps up to maxMessage of what a client sends before it says who it is. So a device has a few connections at a time that have
// shown its certificate and were not authorised yet, and its host some more. A certificate is seen before the proof that the
// client has its key, so that each host has its own count: who merely knows a device's certificate keeps out nobody elsewhere.
const (
	maxWaitingDevice = 4
	maxWaitingHost   = 256
)

// waiting counts those connections. The server ends each after connectSeconds, without saying so here.
type waiting struct {
	mu      sync.Mutex
	since   map[caller][]time.Time
	hosts   map[string]int
	cleared time.Time
}

// caller is a device at a host.
type caller struct {
	host string
	id   commit.DeviceID
}

func newWaiting() *waiting { return &waiting{since: map[caller][]time.Time{}, hosts: map[string]int{}} }

// enter counts a connection, unless there are too many.
func (w *waiting) enter(who caller, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.cleared) >= time.Second {
		w.clear(now)
	}
	if len(w.since[who]) >= maxWaitingDevice || w.hosts[who.host] >= maxWaitingHost {
		return false
	}
	w.since[who] = append(w.since[who], now)
	w.hosts[who.host]++
	return true
}

// leave says that a connection of this caller got as far as the authorisation.
func (w *waiting) leave(who caller) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if all := w.since[who]; len(all) > 0 {
		w.keep(who, all[1:])
	}
}

// clear forgets connections that the server has ended by now.
func (w *waiting) clear(now time.Time) {
	w.cleared = now
	for who, all := range w.since {
		over := 0
		for over < len(all) && now.Sub(all[over]) > (connectSeconds+1)*time.Second {
			over++
		}
		w.keep(who, all[over:])
	}
}

func (w *waiting) keep(who caller, left []time.Time) {
	w.hosts[who.host] -= len(w.since[who]) - len(left)
	w.since[who] = left
	if len(left) == 0 {
		delete(w.since, who)
	}
	if w.hosts[who.host] <= 0 {
		delete(w.hosts, who.host)
	}
}

// hostOf is what counts as one host: an IPv4 address, or the network of 64 bits that an IPv6 address is in.
func hostOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}

var errWaiting = errors.New("too many connections that are not authorised yet")

// handshakes gives each connection a configuration that looks at the client's certificate and knows where it comes from.
func (c *callout) handshakes(config *tls.Config) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		host, _, err := net.SplitHostPort(hello.Conn.RemoteAddr().String())
		if err != nil {
			return nil, err
		}
		one := config.Clone()
		one.VerifyConnection = func(state tls.ConnectionState) error {
			reason, err := c.receive(state.PeerCertificates[0].Raw, hostOf(host))
			if err != nil {
				c.metrics.authorised.WithLabelValues(reason).Inc()
			}
			return err
		}
		return one, nil
	}
}

func (c *callout) receive(der []byte, host string) (reason string, err error) {
	certificate, reason, err := c.admit(der)
	if err != nil {
		return reason, err
	}
	if !c.waiting.enter(caller{host, certificate.Key.DeviceID()}, time.Now()) {
		return "waiting", errWaiting
	}
	return "", nil
}
