package ingest

import (
	"context"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/assay-net/assay/datahub/telemetry/frame"
)

const window = 64

// sender is a device that keeps each frame until it is acknowledged, sends in a window, goes back when nothing comes, and connects
// again for ever.
type sender struct {
	*testDevice
	t     testing.TB
	mu    sync.Mutex
	sent  [][]byte // every frame ever made, from sequence 1
	next  uint64   // to publish
	acked uint64
	// puback is the highest sequence that MQTT acknowledged, as of all below it.
	puback uint64
	moved  time.Time
	resend time.Duration
	kinds  func(sequence uint64) frame.Kind
}

func newSender(t testing.TB, d *testDevice) *sender {
	return &sender{testDevice: d, t: t, next: 1, moved: time.Now(), resend: 500 * time.Millisecond}
}

// run sends until the context ends, new frames only while more is open.
func (s *sender) run(ctx context.Context, address string, roots *x509.CertPool, more <-chan struct{}) {
	for ctx.Err() == nil {
		lost := make(chan struct{})
		o := mqtt.NewClientOptions().AddBroker("tls://" + address).SetClientID(s.id.String()).SetTLSConfig(s.tls(roots)).
			SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(2 * time.Second).SetWriteTimeout(time.Second).SetCleanSession(true).
			SetConnectionLostHandler(func(mqtt.Client, error) { close(lost) })
		c := mqtt.NewClient(o)
		token := c.Connect()
		if !token.WaitTimeout(5*time.Second) || token.Error() != nil {
			sleep(ctx, 50*time.Millisecond)
			continue
		}
		s.session(ctx, c, lost, more)
		c.Disconnect(0)
	}
}

func (s *sender) session(ctx context.Context, c mqtt.Client, lost, more <-chan struct{}) {
	token := c.Subscribe(s.topic(wordDown), 0, func(_ mqtt.Client, m mqtt.Message) { s.hear(m.Payload()) })
	if !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		return
	}
	s.mu.Lock()
	s.next = s.acked + 1 // what was under way may be lost
	s.mu.Unlock()
	for {
		b, sequence := s.step(more)
		if b == nil {
			select {
			case <-ctx.Done():
				return
			case <-lost:
				return
			case <-time.After(5 * time.Millisecond):
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-lost:
			return
		default:
		}
		token := c.Publish(s.topic(wordUp), 1, false, frame.Seal(s.transport, frame.Up, s.id, b))
		go func() {
			select {
			case <-token.Done():
				if token.Error() == nil {
					s.mu.Lock()
					s.puback = max(s.puback, sequence)
					s.mu.Unlock()
				}
			case <-lost:
			case <-ctx.Done():
			}
		}()
	}
}

// step is the next frame to publish, nil for none now.
func (s *sender) step(more <-chan struct{}) ([]byte, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next > s.acked+1 && time.Since(s.moved) > s.resend {
		s.next, s.moved = s.acked+1, time.Now()
	}
	if s.next > s.acked+window {
		return nil, 0
	}
	if s.next > uint64(len(s.sent)) {
		select {
		case <-more:
			return nil, 0
		default:
		}
		f := s.newFrame(s.next)
		f.Oldest = s.acked + 1
		if s.kinds != nil {
			f.Kind = s.kinds(s.next)
		}
		s.sent = append(s.sent, s.signed(f))
	}
	s.next++
	return s.sent[s.next-2], s.next - 1
}

func (s *sender) hear(b []byte) {
	plain, err := frame.Open(s.transport, frame.Down, s.id, b)
	if err != nil {
		return
	}
	ack, ok := must(frame.ParseDown(plain)).(*frame.Ack)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ack.Through > uint64(len(s.sent)) {
		s.t.Errorf("acknowledged through %d of %d", ack.Through, len(s.sent))
	}
	if ack.Through > s.acked {
		s.acked, s.moved = ack.Through, time.Now()
		s.next = max(s.next, s.acked+1)
	}
}

func (s *sender) state() (made, acked, puback uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.sent)), s.acked, s.puback
}
