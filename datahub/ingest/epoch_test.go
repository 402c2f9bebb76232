package ingest

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

func TestHellos(t *testing.T) {
	n := newTestNode(t, nil)
	d := newTestDevice(n.maker, "1")
	l := n.link(d)
	ephemeral := must(ecdh.X25519().GenerateKey(rand.Reader)).PublicKey().Bytes()
	hello := func(d *testDevice, at time.Time) []byte {
		h := &frame.Hello{Certificate: d.certificate.DER(), Ephemeral: ephemeral, SentMicros: at.UnixMicro()}
		if err := h.Sign(testLedger, d.key); err != nil {
			t.Fatal(err)
		}
		return h.Marshal()
	}
	say := func(b []byte) {
		t.Helper()
		if err := wait(l.client.Publish(l.topic(wordHello), 1, false, b)); err != nil {
			t.Fatal(err)
		}
	}
	heard := func() []string { l.mu.Lock(); defer l.mu.Unlock(); return append([]string(nil), l.other...) }
	say(hello(d, time.Now()))
	eventually(t, "an answer", func() bool { return cmp.Equal(heard(), []string{"offer through 0"}) })

	// What was sent before a hello is stored before it is answered.
	n.registry.seat(d, 0)
	for q := uint64(1); q <= 10; q++ {
		l.client.Publish(l.topic(wordUp), 1, false, l.sealed(l.newFrame(q)))
	}
	say(hello(d, time.Now()))
	eventually(t, "an answer", func() bool { return cmp.Equal(heard(), []string{"offer through 0", "offer through 10"}) })

	bad := hello(d, time.Now())
	bad[len(bad)-1] ^= 1
	say(bad)
	say([]byte("not a hello"))
	say(hello(n.device("2"), time.Now()))
	say(hello(d, time.Now().AddDate(-2, 0, 0)))
	want := map[string]int{ReasonSignature: 1, ReasonMalformed: 1, ReasonDevice: 1, ReasonClock: 1}
	eventually(t, "the bad ones are put aside", func() bool {
		got := map[string]int{}
		for _, q := range n.quarantined(d) {
			got[q.Reason]++
		}
		return cmp.Equal(got, want)
	})
	if got := heard(); len(got) != 2 {
		t.Errorf("answered: %q", got)
	}
}

func TestSettledWaitsForAnEpochsFrames(t *testing.T) {
	clock := &testClock{now: time.Now().Truncate(time.Hour).Add(time.Minute)}
	n := newTestNode(t, func(o *Options) { o.Now, o.MaxFuture, o.MaxPast = clock.Now, 48*time.Hour, 48*time.Hour })
	epoch := must(epochAt(clock.Now()))
	l := n.link(n.device("1"))
	n.store.fail(store.ErrUnavailable)
	l.send(l.sealed(l.newFrame(1)))
	eventually(t, "the store is seen to be down", func() bool { return n.value("store_up", "") == 0 })
	clock.add(time.Hour)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := n.pipeline.Settled(short, epoch); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("settled with a frame under way: %v", err)
	}
	n.store.fail(nil)
	if err := n.pipeline.Settled(t.Context(), epoch); err != nil {
		t.Fatal(err)
	}
	if f := must(n.store.Frames(t.Context(), l.id, 0, 2)); len(f) != 1 || f[0].Epoch != epoch {
		t.Errorf("settled, and %d frames are stored", len(f))
	}
	// A clock that goes back takes no frame into an epoch that has ended.
	l.send(l.sealed(l.newFrame(2)))
	l.awaitThrough(2)
	clock.add(-2 * time.Hour)
	l.send(l.sealed(l.newFrame(3)))
	l.awaitThrough(3)
	if f := must(n.store.Frames(t.Context(), l.id, 2, 2)); len(f) != 1 || f[0].Epoch != epoch+1 {
		t.Errorf("stored: %v", f)
	}
}

func TestBrokerRestarts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	maker := must(device.NewMaker("maker-a"))
	n := &testNode{t: t, maker: maker, registry: newRegistry(maker), sink: newTestSink(), store: &faulty{Store: openTestStore(t, t.TempDir())}}
	options, roots := embeddedOptions(t)
	d := n.device("1")
	var sent []uint64
	for round := range uint64(3) {
		n.broker = &testBroker{must(StartBroker(t.Context(), options, n.registry)), roots}
		n.registry.seat(d, 5*round)
		n.start(func(o *Options) { o.DrainWithin = 50 * time.Millisecond })
		l := n.link(d)
		n.store.fail(store.ErrUnavailable) // so that frames are in the broker when it stops
		for q := 5*round + 1; q <= 5*round+5; q++ {
			l.send(l.sealed(l.newFrame(q)))
			sent = append(sent, q)
		}
		n.stop()
		n.broker.Close()
		n.store.fail(nil)
		n.broker = &testBroker{must(StartBroker(t.Context(), options, n.registry)), roots}
		n.start(nil)
		eventually(t, "what the broker kept is stored", func() bool { return cmp.Equal(n.stored(d), sent) })
		n.stop()
		n.broker.Close()
	}
}
