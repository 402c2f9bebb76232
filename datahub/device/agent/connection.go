package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/assay-net/assay/zk/commit"
)

const (
	atLeastOnce = 1
	atMostOnce  = 0

	dialTimeout  = 30 * time.Second
	writeTimeout = 30 * time.Second
	keepAlive    = 60 * time.Second
	// mostOpen bounds the messages that the broker has not confirmed. A broker that confirms none gets a new connection.
	mostOpen = 8 * MaxWindow
	goodbye  = 100 // ms
)

func upTopic(id commit.DeviceID) string    { return "assay/v1/" + id.String() + "/up" }
func helloTopic(id commit.DeviceID) string { return "assay/v1/" + id.String() + "/hello" }
func downTopic(id commit.DeviceID) string  { return "assay/v1/" + id.String() + "/down" }

// connection is one MQTT connection. A new one has a client of its own, so that the client library never sends anything again by
// itself: what to send is the window's to know.
type connection struct {
	client mqtt.Client
	lost   chan error
	open   []mqtt.Token
}

func (a *Agent) connect(ctx context.Context) (*connection, error) {
	if s := a.options.Connecting; s != nil {
		if err := s.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		defer s.Release(1)
	}
	c := &connection{lost: make(chan error, 1)}
	c.client = mqtt.NewClient(a.clientOptions(c))
	if err := wait(ctx, c.client.Connect()); err != nil {
		c.close()
		return nil, fmt.Errorf("connecting: %w", err)
	}
	subscribed := c.client.Subscribe(downTopic(a.device.ID()), atMostOnce, func(_ mqtt.Client, m mqtt.Message) { a.receive(m.Payload()) })
	if err := wait(ctx, subscribed); err != nil {
		c.close()
		return nil, fmt.Errorf("subscribing: %w", err)
	}
	return c, nil
}

func (a *Agent) clientOptions(c *connection) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(a.options.Broker).SetClientID(a.device.ID().String()).SetProtocolVersion(4)
	o.SetTLSConfig(&tls.Config{
		Certificates: []tls.Certificate{a.device.TLS()}, RootCAs: a.options.Roots, ServerName: a.options.ServerName, MinVersion: tls.VersionTLS13,
	})
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true)
	o.SetConnectTimeout(dialTimeout).SetWriteTimeout(writeTimeout).SetKeepAlive(keepAlive)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		select {
		case c.lost <- err:
		default:
		}
	})
	return o
}

// wait waits for the broker's answer.
func wait(ctx context.Context, t mqtt.Token) error {
	timer := time.NewTimer(dialTimeout)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errors.New("the broker does not answer")
	case <-t.Done():
		return t.Error()
	}
}

// publish hands a message to the client. That it arrived is the node's to say.
func (c *connection) publish(topic string, message []byte) error {
	if len(c.open) >= mostOpen {
		still := c.open[:0]
		for _, t := range c.open {
			select {
			case <-t.Done():
			default:
				still = append(still, t)
			}
		}
		if c.open = still; len(c.open) >= mostOpen {
			return fmt.Errorf("the broker confirms nothing: %d messages are open", len(c.open))
		}
	}
	t := c.client.Publish(topic, atLeastOnce, false, message)
	c.open = append(c.open, t)
	select {
	case <-t.Done():
		if err := t.Error(); err != nil {
			return fmt.Errorf("publishing: %w", err)
		}
	default:
	}
	return nil
}

func (c *connection) close() { c.client.Disconnect(goodbye) }
