package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// connectionOptions are those of every connection: it comes back by itself for ever, and says so once.
func connectionOptions(name string, log *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("connection to the broker lost", "connection", name, "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			log.Info("connected to the broker again", "connection", name, "server", c.ConnectedServerName())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("the broker reports an error", "connection", name, "error", err)
		}),
	}
}

// dialCluster connects, and goes on trying while the context lasts: servers and node may be started in any order.
func dialCluster(ctx context.Context, urls []string, name string, options []nats.Option, log *slog.Logger) (*nats.Conn, error) {
	for first := true; ; first = false {
		conn, err := nats.Connect(strings.Join(urls, ","), options...)
		if err == nil {
			return conn, nil
		}
		if first {
			log.Warn("the broker is not there yet", "connection", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connecting to the broker as %s: %w", name, err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
