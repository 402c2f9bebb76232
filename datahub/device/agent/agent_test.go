package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

const patience = 60 * time.Second

func newMaker(t testing.TB) *device.Maker {
	t.Helper()
	maker, err := device.NewMaker("cell-maker")
	if err != nil {
		t.Fatal(err)
	}
	return maker
}

func config(serial string) device.Config {
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		panic(err)
	}
	return device.Config{Serial: serial, Class: commit.Software, Algorithm: commit.Ed25519, Schema: schema}
}

func newDevice(t testing.TB) *device.Device {
	t.Helper()
	d, err := device.New(newMaker(t), config("B-1"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// options are hasty ones.
func options(b *broker, n *node) Options {
	return Options{
		Broker: b.url(), Roots: b.roots, Ledger: n.ledger, Genesis: n.genesis, ResendAfter: 100 * time.Millisecond, ResendMost: 400 * time.Millisecond,
		ReconnectAfter: 10 * time.Millisecond, ReconnectMost: 200 * time.Millisecond,
	}
}

// running is an agent that runs until it is stopped.
type running struct {
	*Agent
	stop func()
}

func run(t *testing.T, d *device.Device, o Options) *running {
	t.Helper()
	a, err := New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	r := &running{Agent: a, stop: sync.OnceFunc(func() { cancel(); <-done })}
	t.Cleanup(r.stop)
	return r
}

// publish sends frames of one reading each, whose times count from first.
func (r *running) publish(t *testing.T, first, frames int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range frames {
		readings := []telemetry.Reading{{TimeMicros: int64(first + i), VoltageMicroV: health.Known(int64(i))}}
		if err := r.Publish(ctx, readings); err != nil {
			t.Fatalf("frame %d: %v", first+i, err)
		}
	}
}

func (r *running) drain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Drain(ctx); err != nil {
		t.Fatalf("%v (%+v)", err, r.Status())
	}
}

// eventually polls.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// arrived checks that the readings 1 to count arrived once each, in order.
func arrived(t *testing.T, n *node, id commit.DeviceID, count int) {
	t.Helper()
	n.with(id, func(s *seated) {
		if len(s.times) != count {
			t.Fatalf("%d readings arrived, want %d", len(s.times), count)
		}
		for i, at := range s.times {
			if at != int64(i+1) {
				t.Fatalf("reading %d arrived in place %d", at, i+1)
			}
		}
		if s.conflicts != 0 {
			t.Errorf("%d conflicts", s.conflicts)
		}
	})
}

func TestReadingsArriveOnce(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	var group sync.WaitGroup
	for range 4 {
		d := newDevice(t)
		var mu sync.Mutex
		delivered := 0
		o := options(b, n)
		o.Acknowledged = func(f Delivery) { mu.Lock(); delivered += f.Readings; mu.Unlock() }
		r := run(t, d, o)
		group.Go(func() {
			r.publish(t, 1, 300)
			r.drain(t)
			arrived(t, n, d.ID(), 300)
			n.with(d.ID(), func(s *seated) {
				if len(s.accepts) < 1 || s.gaps != 0 {
					t.Errorf("%d acceptances and %d gaps", len(s.accepts), s.gaps)
				}
			})
			mu.Lock()
			defer mu.Unlock()
			if s := r.Status(); delivered != 300 || s.Readings != 300 || s.Acknowledged < 301 || !s.Connected || !s.Seated {
				t.Errorf("%d readings delivered, status %+v", delivered, s)
			}
		})
	}
	group.Wait()
}

func TestLostAndRepeatedAcknowledgements(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	random := rand.New(rand.NewPCG(1, 2))
	n.swallow = func(*frame.Ack) bool { return random.Float64() < 0.8 }
	d := newDevice(t)
	r := run(t, d, options(b, n))
	r.publish(t, 1, 400)
	r.drain(t)
	arrived(t, n, d.ID(), 400)
	if s := r.Status(); s.Resent == 0 {
		t.Error("nothing was sent again although acknowledgements were lost")
	}
	// Old acknowledgements and ones for frames that were never made change nothing.
	n.tell(d.ID(), &frame.Ack{Through: 3})
	n.tell(d.ID(), &frame.Ack{Through: 1 << 40})
	n.set(func(n *node) { n.swallow = nil })
	r.publish(t, 401, 50)
	r.drain(t)
	arrived(t, n, d.ID(), 450)
}

func TestBrokerRestarts(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	devices := []*device.Device{newDevice(t), newDevice(t), newDevice(t)}
	var agents []*running
	var group sync.WaitGroup
	for _, d := range devices {
		r := run(t, d, options(b, n))
		agents = append(agents, r)
		group.Go(func() {
			for from := 1; from <= 600; from += 20 {
				r.publish(t, from, 20)
				time.Sleep(20 * time.Millisecond) // so that the broker stops in between
			}
			r.drain(t)
		})
	}
	for range 3 {
		before := 0
		n.with(devices[0].ID(), func(s *seated) { before = len(s.times) })
		eventually(t, "readings arrive", func() (more bool) {
			n.with(devices[0].ID(), func(s *seated) { more = len(s.times) > before+40 || len(s.times) == 600 })
			return more
		})
		b.stop()
		b.start()
		n.attach(b)
	}
	group.Wait()
	for i, d := range devices {
		arrived(t, n, d.ID(), 600)
		if s := agents[i].Status(); s.Connects < 2 {
			t.Errorf("%d connections although the broker restarted", s.Connects)
		}
	}
}

func TestPublishWaitsWhileTheWindowIsFull(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	d := newDevice(t)
	o := options(b, n)
	o.Window = 5
	r := run(t, d, o)
	r.publish(t, 1, 1)
	r.drain(t)
	n.set(func(n *node) { n.silent = true })
	r.publish(t, 2, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Publish(ctx, []telemetry.Reading{{TimeMicros: 99}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("publishing beyond the window gives %v", err)
	}
	n.set(func(n *node) { n.silent = false })
	r.publish(t, 7, 5)
	r.drain(t)
	arrived(t, n, d.ID(), 11)
}

// The node lost frames that it had acknowledged: the device goes on from what it still holds, and says so.
func TestNodeThatLostFrames(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	d := newDevice(t)
	r := run(t, d, options(b, n))
	r.publish(t, 1, 30)
	r.drain(t)
	n.with(d.ID(), func(s *seated) { s.through, s.times = 10, nil })
	r.publish(t, 1, 30)
	r.drain(t)
	n.with(d.ID(), func(s *seated) {
		if s.gaps != 1 || len(s.times) != 30 {
			t.Errorf("%d gaps, %d readings", s.gaps, len(s.times))
		}
	})
}

// The node acknowledged a part of the window, and lost that: what is left says in its signature that older frames exist, which the
// device has to take back.
func TestNodeThatLostPartOfTheWindow(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	d := newDevice(t)
	r := run(t, d, options(b, n))
	r.publish(t, 1, 30)
	r.drain(t)
	n.set(func(n *node) { n.silent = true })
	r.publish(t, 31, 10)
	n.tell(d.ID(), &frame.Ack{Through: 35}) // of which the 31st was the acceptance
	eventually(t, "a part is acknowledged", func() bool { return r.Status().Pending == 6 })
	n.with(d.ID(), func(s *seated) { s.through = 10; n.silent = false })
	r.drain(t)
	n.with(d.ID(), func(s *seated) {
		if s.gaps != 1 || len(s.times) != 36 || s.conflicts != 0 || n.hellos < 2 {
			t.Errorf("%d gaps, %d readings, %d conflicts, %d hellos", s.gaps, len(s.times), s.conflicts, n.hellos)
		}
	})
}

// The node gives the device a new transport key without a word; the device asks when nothing is acknowledged any more.
func TestTransportKeyIsRenewed(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	d := newDevice(t)
	r := run(t, d, options(b, n))
	r.publish(t, 1, 10)
	r.drain(t)
	n.with(d.ID(), func(s *seated) {
		s.generation, s.transport, s.secret = 1, frame.TransportKey{7}, commit.NewSecret()
	})
	r.publish(t, 11, 10)
	r.drain(t)
	arrived(t, n, d.ID(), 20)
	n.with(d.ID(), func(s *seated) {
		if len(s.accepts) != 2 || s.accepts[1].Generation != 1 {
			t.Errorf("accepted %v", s.accepts)
		}
	})
}
