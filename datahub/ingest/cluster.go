package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// Cluster says how to use an external NATS cluster. deploy/nats/nats-server.conf is what its servers need: an account each for
// devices, work queues, each worker (WorkerAccounts) and authorisation, JetStream, an MQTT listener that verifies client certificates against the makers' CAs,
// and an auth_callout with the public keys of Keys.Issuer and Keys.Curve. All servers of a cluster have the same.
type Cluster struct {
	// URLs are the servers', such as tls://nats-1:4222.
	URLs []string
	// TLS verifies the servers; nil takes the machine's roots.
	TLS *tls.Config
	// Keys are the node's.
	Keys ClusterKeys
	// Account is the name of the account for devices. Default DEVICES.
	Account string
	// SessionLimit is after how long a device must connect again, so that a maker's or device's withdrawal takes effect.
	// Default 12 h.
	SessionLimit time.Duration
	Backlog      Backlog
	Logger       *slog.Logger
	Metrics      prometheus.Registerer
}

const (
	sessionLimit = 12 * time.Hour
	kickTimeout  = 2 * time.Second
	workTimeout  = 20 * time.Second
)

func (c Cluster) withDefaults() (Cluster, error) {
	c.Backlog = c.Backlog.withDefaults()
	c.Logger = orDiscard(c.Logger)
	setDefault(&c.Account, accountDevices)
	setDefault(&c.SessionLimit, sessionLimit)
	if len(c.URLs) == 0 {
		return c, errors.New("no URL")
	}
	if err := c.Keys.check(); err != nil {
		return c, err
	}
	return c, c.Backlog.check()
}

// ConnectBroker uses an external cluster. It waits for servers that are not there yet, as long as the context lasts, and returns when
// every connection stands and devices are being authorised.
func ConnectBroker(ctx context.Context, c Cluster, registry Registry) (*Broker, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	b := &Broker{log: c.Logger, backlog: c.Backlog, metrics: newBrokerMetrics(c.Metrics)}
	if err := b.connectCluster(ctx, c, registry); err != nil {
		b.Close()
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return b, nil
}

func (b *Broker) connectCluster(ctx context.Context, c Cluster, registry Registry) error {
	issuer, err := parseIssuer(c.Keys.Issuer, c.Keys.Curve)
	if err != nil {
		return err
	}
	auth, err := c.dial(ctx, "assay-authoriser", c.Keys.Authoriser)
	if err != nil {
		return err
	}
	b.callout = newCallout(registry, issuer, c.Account, c.SessionLimit, b.log, b.metrics)
	if err := b.callout.serve(auth); err != nil {
		return err
	}
	if b.conn, err = c.dial(ctx, "assay-node", c.Keys.Node); err != nil {
		return err
	}
	b.work = func() (*nats.Conn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), workTimeout)
		defer cancel()
		return c.dial(ctx, "assay-work", c.Keys.Work)
	}
	b.kick = func(string, uint64) error { return nil }
	if len(c.Keys.System) == 0 {
		return nil
	}
	system, err := c.dial(ctx, "assay-system", c.Keys.System)
	if err != nil {
		return err
	}
	b.callout.closers = append(b.callout.closers, system.Close)
	b.kick = func(server string, client uint64) error {
		_, err := system.Request("$SYS.REQ.SERVER."+server+".KICK", fmt.Appendf(nil, `{"cid":%d}`, client), kickTimeout)
		return err
	}
	return nil
}

func (c *Cluster) dial(ctx context.Context, name string, seed []byte) (*nats.Conn, error) {
	login, err := nkeyOption(seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	options := append(connectionOptions(name, c.Logger), login, nats.Secure(c.TLS))
	return dialCluster(ctx, c.URLs, name, options, c.Logger)
}
