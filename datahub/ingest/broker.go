package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/assay-net/assay/zk/commit"
)

// The accounts of the broker. Devices and the node share one, in which devices may do next to nothing; the work queues have another,
// so that a worker gets at nothing that devices send; the service that authorises devices has the third. Each worker has one of
// its own, named after its key, which reaches that of the queues by what it imports from there (workqueue.Account).
const (
	accountDevices = "DEVICES"
	accountWork    = "WORK"
	accountAuth    = "AUTH"
	accountSystem  = "SYS"
	accountWorker  = "WORKER_"
)

// Broker is what devices connect to: a NATS server in this process (StartBroker) or an external cluster (ConnectBroker).
type Broker struct {
	conn     *nats.Conn // account DEVICES, as the node
	callout  *callout
	backlog  Backlog
	log      *slog.Logger
	kick     func(server string, client uint64) error
	work     func() (*nats.Conn, error)
	embedded *embeddedServer // nil for an external cluster
	metrics  *brokerMetrics

	closing sync.Once
}

// Backlog bounds what is kept of frames that are not stored yet. What does not fit is not taken; devices keep each frame until the node
// has acknowledged it, and send it again.
type Backlog struct {
	// MaxBytes bounds the backlog in all. Default 8 GiB.
	MaxBytes int64
	// PerDevice bounds the frames of one device. It must be more than the 64 that a device may have under way. Default 256.
	PerDevice int64
	// Replicas is the number of servers of a cluster that keep each frame. Default 1.
	Replicas int
}

func (b Backlog) withDefaults() Backlog {
	setDefault(&b.MaxBytes, 8<<30)
	setDefault(&b.PerDevice, 256)
	setDefault(&b.Replicas, 1)
	return b
}

func (b Backlog) check() error {
	switch {
	case b.MaxBytes < 1<<20:
		return fmt.Errorf("backlog of %d bytes: at least 1 MiB", b.MaxBytes)
	case b.PerDevice < 65:
		return fmt.Errorf("backlog of %d frames per device: at least 65", b.PerDevice)
	case b.Replicas < 1 || b.Replicas > 5:
		return fmt.Errorf("backlog with %d replicas: must be 1 to 5", b.Replicas)
	}
	return nil
}

// Address is where the embedded server listens for MQTT, as host:port; empty for an external cluster.
func (b *Broker) Address() string {
	if b.embedded == nil {
		return ""
	}
	return b.embedded.mqttAddress
}

// WorkerAddress is where the embedded server listens for workers, as host:port; empty if it does not.
func (b *Broker) WorkerAddress() string {
	if b.embedded == nil {
		return ""
	}
	return b.embedded.workerAddress
}

// Conn is the node's connection, in the account that devices are in. It is closed with the broker.
func (b *Broker) Conn() *nats.Conn { return b.conn }

// Work opens a connection in the account of the work queues, with JetStream. Its caller closes it.
func (b *Broker) Work() (*nats.Conn, error) { return b.work() }

// Ban disconnects a device and refuses it for a while.
func (b *Broker) Ban(id commit.DeviceID, d time.Duration) error {
	var all []error
	for _, where := range b.callout.ban(id, d) {
		err := b.kick(where.server, where.client)
		if !errors.Is(err, nats.ErrNoResponders) { // that server is gone, and its clients with it
			all = append(all, err)
		}
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("disconnecting device %s: %w", id, err)
	}
	return nil
}

// Check says whether the broker can be used now.
func (b *Broker) Check(ctx context.Context) error {
	if !b.conn.IsConnected() {
		return fmt.Errorf("broker: connection is %s", b.conn.Status())
	}
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

// Close ends the broker's connections, and the embedded server if there is one: it takes no more messages and has
// written what it took.
func (b *Broker) Close() {
	b.closing.Do(func() {
		b.callout.close()
		if b.conn != nil {
			b.conn.Close()
		}
		if b.embedded != nil {
			b.embedded.close()
		}
		b.metrics.unregister()
	})
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
