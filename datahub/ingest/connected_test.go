package ingest

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/zk/commit"
)

func TestWaitingConnectionsAreBounded(t *testing.T) {
	w, now := newWaiting(), time.Unix(1000, 0)
	a := caller{"10.0.0.1", commit.DeviceID{1}}
	for i := range maxWaitingDevice + 1 {
		if w.enter(a, now) != (i < maxWaitingDevice) {
			t.Errorf("connection %d of a device", i)
		}
	}
	if !w.enter(caller{"10.0.0.2", a.id}, now) {
		t.Error("connections from one host keep out those from another")
	}
	w.leave(a)
	if !w.enter(a, now) {
		t.Error("an authorised one still counts")
	}
	n := 0
	for i := range 1000 {
		if w.enter(caller{a.host, commit.DeviceID{2, byte(i), byte(i >> 8)}}, now) {
			n++
		}
	}
	if n != maxWaitingHost-maxWaitingDevice {
		t.Errorf("%d more of a host", n)
	}
	if now = now.Add((connectSeconds + 2) * time.Second); !w.enter(a, now) || len(w.since) != 1 || len(w.hosts) != 1 {
		t.Errorf("%d callers and %d hosts are remembered", len(w.since), len(w.hosts))
	}
	w.leave(a)
	w.leave(a)
	if len(w.since) != 0 || len(w.hosts) != 0 {
		t.Errorf("%d callers and %d hosts are left", len(w.since), len(w.hosts))
	}
}

func TestHosts(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "x": "x",
	} {
		if got := hostOf(address); got != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
}

func TestPlacesAreBoundedAndForgotten(t *testing.T) {
	c := newCallout(newRegistry(), must(newIssuer()), accountDevices, 12*time.Hour, testLog(t), newBrokerMetrics(nil))
	now, id := time.Unix(1_000_000, 0), commit.DeviceID{1}
	for i := range maxPlaces + 1 {
		if c.remember(id, place{"s", uint64(i)}, now) != (i < maxPlaces) {
			t.Errorf("connection %d", i)
		}
	}
	now = now.Add(10 * time.Second)
	if !c.remember(id, place{"s", 100}, now) {
		t.Error("refused after a while")
	}
	if all := c.ban(id, time.Hour); len(all) != maxPlaces || all[0].client != 1 || all[maxPlaces-1].client != 100 {
		t.Errorf("its places are %v", all)
	}
	if c.remember(commit.DeviceID{2}, place{"s", 1}, now.Add(13*time.Hour)); len(c.connected) != 1 {
		t.Errorf("%d devices are remembered", len(c.connected))
	}
}

// A device is in one place, wherever it was authorised since.
func TestBanFindsWhereTheDeviceIs(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	d := newTestDevice(maker, "1")
	b.connect(t, d)
	second := b.connect(t, d) // takes over the first
	if third, err := connect(b.Address(), d.id.String(), d.tls(b.roots)); err == nil {
		third.Disconnect(0)
		t.Skip("the server let the third in")
	}
	if !second.IsConnectionOpen() {
		t.Fatal("the third connection ended the second")
	}
	if err := b.Ban(d.id, time.Hour); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second connection ends", func() bool { return !second.IsConnectionOpen() })
}

func TestSessionsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	maker := must(device.NewMaker("maker-a"))
	options, roots := embeddedOptions(t)
	options.SessionLimit = 2 * time.Second
	b := &testBroker{must(StartBroker(t.Context(), options, newRegistry(maker))), roots}
	t.Cleanup(b.Close)
	c := b.connect(t, newTestDevice(maker, "1"))
	eventually(t, "the device must connect again", func() bool { return !c.IsConnectionOpen() })
}

// Whoever has a certificate and does not say CONNECT has a few connections, and little memory with each.
func TestConnectionsBeforeConnectAreBounded(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	d, other := newTestDevice(maker, "1"), newTestDevice(maker, "2")
	open := func(d *testDevice) (*tls.Conn, error) {
		c, err := tls.Dial("tcp", b.Address(), d.tls(b.roots))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { c.Close() })
		c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err = c.Read(make([]byte, 1)); err != nil && !isTimeout(err) {
			return nil, err
		}
		return c, nil
	}
	first := must(open(d))
	for range maxWaitingDevice - 1 {
		must(open(d))
	}
	if _, err := open(d); err == nil {
		t.Error("one more connection was let through")
	}
	b.connect(t, other)
	// A packet of a megabyte is refused by its length.
	if _, err := first.Write([]byte{0x10, 0x80, 0x80, 0x40, 0}); err != nil {
		t.Fatal(err)
	}
	first.SetReadDeadline(time.Now().Add(patience))
	if _, err := first.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("a packet of a megabyte before CONNECT: %v", err)
	}
	eventually(t, "it can connect again", func() bool {
		c, err := connect(b.Address(), d.id.String(), d.tls(b.roots))
		c.Disconnect(0)
		return err == nil
	})
}

func isTimeout(err error) bool {
	timeout, ok := err.(interface{ Timeout() bool })
	return ok && timeout.Timeout()
}

func TestRetainedMessagesAreBounded(t *testing.T) {
	n := newTestNode(t, nil)
	for i := range 3 {
		l := n.link(n.device(fmt.Sprint(i)))
		for _, word := range []string{wordUp, wordHello} {
			if err := wait(l.client.Publish(l.topic(word), 1, true, make([]byte, 250<<10))); err != nil {
				t.Fatal(err)
			}
		}
	}
	js := must(jetstream.New(n.broker.Conn()))
	eventually(t, "the stream is bounded", func() bool {
		stream, err := js.Stream(context.Background(), streamRetained)
		if err != nil {
			return false
		}
		info := stream.CachedInfo()
		return info.Config.MaxBytes == retainedMaxBytes && info.Config.MaxAge == retainedMaxAge && info.State.LastSeq >= 6 && info.State.Bytes <= retainedMaxBytes
	})
}
