package gateway

import (
	"net"
	"sync"

	"github.com/assay-net/assay/datahub/api/access"
)

// bounded takes a number of connections at one time, and of these a number from one host (access.Host). What is beyond is closed at once: it would only wait, and the others behind it.
type bounded struct {
	net.Listener
	most, perHost int

	mu    sync.Mutex
	all   int
	hosts map[string]int
}

func newBounded(l net.Listener, most, perHost int) *bounded {
	return &bounded{Listener: l, most: most, perHost: perHost, hosts: map[string]int{}}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := access.Host(c.RemoteAddr())
		if b.take(host) {
			return &connection{Conn: c, giveBack: sync.OnceFunc(func() { b.release(host) })}, nil
		}
		_ = c.Close() // nothing was promised to it
	}
}

func (b *bounded) take(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= b.most || b.hosts[host] >= b.perHost {
		return false
	}
	b.all++
	b.hosts[host]++
	return true
}

func (b *bounded) release(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.hosts[host]--; b.hosts[host] == 0 {
		delete(b.hosts, host)
	}
}

// connection gives its place back when it is closed.
type connection struct {
	net.Conn
	giveBack func()
}

func (c *connection) Close() error {
	defer c.giveBack()
	return c.Conn.Close()
}

// RemoteAddr is an address by which the connection can be ended (access.Connection).
func (c *connection) RemoteAddr() net.Addr { return remote{c.Conn.RemoteAddr(), c} }

type remote struct {
	net.Addr
	connection *connection
}

// Cut ends the connection, whatever is under way on it.
func (r remote) Cut() { _ = r.connection.Close() }
