package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
)

// Embedded says how to run a NATS server in this process.
type Embedded struct {
	// Directory is where JetStream keeps frames until they are stored. It is the broker's alone: made if missing, mode
	// 0700, and locked while the broker runs.
	Directory string
	// Key encrypts all that JetStream writes (ChaCha20-Poly1305). 32 bytes, always the same for one directory.
	Key []byte
	// Listen is the address for MQTT, host:port; port 0 takes a free one, which Address tells. Default 127.0.0.1:0.
	Listen string
	// TLS has the node's certificate. The broker sets what concerns clients, and accepts TLS 1.3 only.
	TLS *tls.Config
	// MaxConnections bounds the clients. Default 50,000.
	MaxConnections int
	// MaxStore bounds what is on disk for devices in all, Backlog included, and WorkStore what workers' queues hold. Default
	// 16 GiB and 4 GiB.
	MaxStore, WorkStore int64
	// SyncAlways has JetStream write each frame through to the disk as it takes it, and throughput drops to what the disk can sync.
	// Otherwise it does so every SyncInterval (default 5 s); the end of the process costs nothing then, and a loss of power what
	// came since. Neither changes what devices are promised: they keep each frame until the node has acknowledged it from its store, and
	// MQTT's PUBACK does not wait for the disk in either case. It changes how much is sent again after a loss of power.
	SyncAlways   bool
	SyncInterval time.Duration
	// Workers opens a TLS listener for workers, which otherwise can only be in this process.
	Workers *WorkerListener
	// SessionLimit is after how long a device must connect again, at the latest, so that a maker's or device's withdrawal takes effect.
	// Default 12 h.
	SessionLimit time.Duration
	Backlog      Backlog
	Logger       *slog.Logger
	Metrics      prometheus.Registerer
}

// WorkerListener lets workers on other machines in, each to an account of its own in which there is nothing but what it may use.
type WorkerListener struct {
	Listen string // host:port; port 0 takes a free one
	TLS    *tls.Config
	// Users are who may come, and what each of them may do.
	Users []WorkerUser
}

const (
	serverName = "assay-node"
	// maxMessage is what workers need, and no more: until a client has said who it is, the server keeps a packet of this size for it.
	// Devices are held to maxDevicePayload.
	maxMessage   = workqueue.MaxMessage
	startTimeout = 30 * time.Second
	// authSeconds bound the handshake and the answer whether a device may connect, which take a node that all devices come back to a while.
	// connectSeconds bound the time between them, which is the client's: it has shown its certificate and has not said CONNECT.
	authSeconds    = 15
	connectSeconds = 5
)

type embeddedServer struct {
	server                     *server.Server
	lock                       *flock.Flock
	mqttAddress, workerAddress string
}

// StartBroker starts a NATS server in this process. It returns when devices can connect.
func StartBroker(ctx context.Context, e Embedded, registry Registry) (*Broker, error) {
	e, err := e.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	lock, err := claimDirectory(e.Directory, e.Key)
	if err != nil {
		return nil, err
	}
	b := &Broker{log: e.Logger, backlog: e.Backlog, metrics: newBrokerMetrics(e.Metrics)}
	if err := b.startEmbedded(ctx, e, registry, lock); err != nil {
		b.metrics.unregister()
		lock.Unlock() //nolint:errcheck // the process that ends drops it too
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	return b, nil
}

func (e Embedded) withDefaults() (Embedded, error) {
	e.Backlog = e.Backlog.withDefaults()
	e.Logger = orDiscard(e.Logger)
	setDefault(&e.Listen, "127.0.0.1:0")
	setDefault(&e.MaxConnections, 50_000)
	setDefault(&e.MaxStore, max(16<<30, 2*e.Backlog.MaxBytes))
	setDefault(&e.WorkStore, 4<<30)
	setDefault(&e.SyncInterval, 5*time.Second)
	setDefault(&e.SessionLimit, sessionLimit)
	switch {
	case e.Directory == "":
		return e, errors.New("no directory")
	case len(e.Key) != 32:
		return e, fmt.Errorf("key has %d bytes, must have 32", len(e.Key))
	case e.TLS == nil:
		return e, errors.New("no TLS configuration")
	case e.MaxStore < e.Backlog.MaxBytes:
		return e, fmt.Errorf("store of %d bytes is less than the backlog's %d", e.MaxStore, e.Backlog.MaxBytes)
	}
	if err := e.Workers.check(); err != nil {
		return e, err
	}
	return e, e.Backlog.check()
}

func (b *Broker) startEmbedded(ctx context.Context, e Embedded, registry Registry, lock *flock.Flock) error {
	issuer, err := newIssuer()
	if err != nil {
		return err
	}
	users, err := newUsers(accountDevices, accountWork, accountAuth)
	if err != nil {
		return err
	}
	b.callout = newCallout(registry, issuer, accountDevices, e.SessionLimit, b.log, b.metrics)
	options, err := e.options(issuer, users, b.callout)
	if err != nil {
		return err
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return err
	}
	srv.SetLoggerV2(newServerLog(b.log), false, false, false)
	b.embedded = &embeddedServer{server: srv, lock: lock}
	b.kick = kickEmbedded(srv)
	dial := func(account, name string) (*nats.Conn, error) {
		all := append(connectionOptions(name, b.log), nats.InProcessServer(srv), users[account].option())
		return nats.Connect("", all...)
	}
	b.work = func() (*nats.Conn, error) { return dial(accountWork, "assay-work") }
	srv.Start()
	if err := b.join(ctx, srv, dial); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return err
	}
	return b.embedded.readAddresses(options)
}

// join connects the node to the server that was just started. Nothing is authorised before the service is there.
func (b *Broker) join(ctx context.Context, srv *server.Server, dial func(account, name string) (*nats.Conn, error)) error {
	wait := startTimeout
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	if !srv.ReadyForConnections(wait) {
		return fmt.Errorf("the server did not start within %s: is its address free?", wait)
	}
	auth, err := dial(accountAuth, "assay-authoriser")
	if err != nil {
		return err
	}
	if err := b.callout.serve(auth); err != nil {
		auth.Close()
		return err
	}
	if b.conn, err = dial(accountDevices, "assay-node"); err != nil {
		b.callout.close()
		return err
	}
	account, err := srv.LookupAccount(accountDevices)
	if err != nil {
		return err
	}
	b.metrics.connected(func() float64 { return float64(max(0, account.NumLocalConnections()-1)) })
	return nil
}

func (s *embeddedServer) readAddresses(o *server.Options) error {
	s.mqttAddress = net.JoinHostPort(o.MQTT.Host, strconv.Itoa(o.MQTT.Port))
	if !o.DontListen {
		address, ok := s.server.Addr().(*net.TCPAddr)
		if !ok {
			return errors.New("no listener for workers")
		}
		s.workerAddress = address.String()
	}
	return nil
}

func (s *embeddedServer) close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	s.lock.Unlock() //nolint:errcheck // the process that ends drops it too
}

// kickEmbedded disconnects a client of the server in this process, if it is there. The only error that the server has is that it is not.
func kickEmbedded(s *server.Server) func(string, uint64) error {
	return func(_ string, client uint64) error {
		s.DisconnectClientByID(client) //nolint:errcheck // it is gone
		return nil
	}
}
