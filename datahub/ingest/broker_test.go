package ingest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/assay-net/assay/datahub/device"
)

func TestDevicesMayDoWhatIsTheirsOnly(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	own, other := newTestDevice(maker, "1"), newTestDevice(maker, "2")
	c := b.connect(t, own)

	all := must(b.Conn().SubscribeSync(">"))
	if err := b.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{
		own.topic("down"), other.topic("up"), other.topic("hello"), "assay/v1/up", "$SYS/REQ/USER/AUTH", "$JS/API/STREAM/NAMES",
		"$MQTT/msgs/x", own.topic("up") + "/more", own.topic("UP"),
	} {
		if err := wait(c.Publish(topic, 1, false, "forbidden")); err != nil {
			t.Fatalf("publishing to %s: %v", topic, err) // dropped, and acknowledged by MQTT all the same
		}
	}
	for _, word := range []string{"up", "hello"} {
		if err := wait(c.Publish(own.topic(word), 1, false, word)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"up", "hello"} {
		for {
			m, err := all.NextMsg(patience)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(m.Subject, "assay.") && string(m.Data) != "forbidden" {
				continue // the server's own
			}
			if m.Subject != subject(own.id, want) || string(m.Data) != want {
				t.Fatalf("arrived: %q on %s, want %s", m.Data, m.Subject, want)
			}
			break
		}
	}
}

func TestDevicesHearTheirOwnOnly(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	own, other := newTestDevice(maker, "1"), newTestDevice(maker, "2")
	for _, topic := range []string{
		other.topic("down"), other.topic("up"), own.topic("up"), "#", "+/+/+/down", "assay/v1/+/down", own.topic("+"), "$SYS/#", "$JS/#", "$MQTT/#", "_INBOX/#",
	} {
		c := b.connect(t, own)
		token := c.Subscribe(topic, 1, func(mqtt.Client, mqtt.Message) {}).(*mqtt.SubscribeToken)
		if err := wait(token); err == nil && token.Result()[topic] != 0x80 {
			t.Errorf("subscribed to %s", topic)
		}
		c.Disconnect(0)
		eventually(t, "the client is gone", func() bool { return b.embedded.server.NumClients() == 2 })
	}
	c := b.connect(t, own)
	got := make(chan string, 10)
	for _, qos := range []byte{0, 1} {
		if err := wait(c.Subscribe(own.topic("down"), qos, func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) })); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a message arrives", func() bool {
		if err := b.Conn().Publish(subject(own.id, wordDown), []byte("hello")); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-got:
			return s == "hello"
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
}

func TestWhoMayConnect(t *testing.T) {
	maker, stranger := must(device.NewMaker("maker-a")), must(device.NewMaker("maker-b"))
	impostor := must(device.NewMaker("maker-a")) // the same name, another key
	b := startTestBroker(t, newRegistry(maker))
	own, other := newTestDevice(maker, "1"), newTestDevice(maker, "2")

	none := own.tls(b.roots)
	none.Certificates = nil
	old := own.tls(b.roots)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	foreignKey := own.tls(b.roots)
	foreignKey.Certificates = []tls.Certificate{{Certificate: [][]byte{other.certificate.DER()}, PrivateKey: own.key}}

	// First, as those that are refused after they have shown its certificate count as waiting for a while.
	client, err := connect(b.Address(), own.id.String(), own.tls(b.roots))
	if err != nil {
		t.Errorf("its own name: %v", err)
	}
	client.Disconnect(0)
	for name, c := range map[string]struct {
		id     string
		config *tls.Config
	}{
		"another's name":                {other.id.String(), own.tls(b.roots)},
		"no device's name":              {"device-1", own.tls(b.roots)},
		"its name in upper case":        {strings.ToUpper(own.id.String()), own.tls(b.roots)},
		"no name":                       {"", own.tls(b.roots)},
		"a maker that nobody knows":     {newTestDevice(stranger, "1").id.String(), newTestDevice(stranger, "1").tls(b.roots)},
		"a maker of a known name":       {newTestDevice(impostor, "1").id.String(), newTestDevice(impostor, "1").tls(b.roots)},
		"no certificate":                {own.id.String(), none},
		"an expired certificate":        {own.id.String(), own.signedBy(t, maker, time.Now().Add(-time.Hour), b.roots)},
		"a certificate it signed":       {own.id.String(), own.signedBy(t, nil, time.Now().Add(time.Hour), b.roots)},
		"TLS 1.2":                       {own.id.String(), old},
		"a certificate without its key": {other.id.String(), foreignKey},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := connect(b.Address(), c.id, c.config)
			if err == nil {
				t.Error("it may")
			}
			client.Disconnect(0)
		})
	}
}

// signedBy is a TLS configuration with a certificate that is not of the form that makers give.
func (d *testDevice) signedBy(t *testing.T, _ *device.Maker, until time.Time, roots *x509.CertPool) *tls.Config {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{Organization: []string{"maker-a"}, SerialNumber: "1"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, d.key.Public().(ed25519.PublicKey), d.key))
	config := d.tls(roots)
	config.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: d.key}}
	return config
}

// A second connection under a device's name can only be the device's own: it takes over the first.
func TestSessionIsTakenOverByTheDeviceOnly(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	own, other := newTestDevice(maker, "1"), newTestDevice(maker, "2")
	first := b.connect(t, own)
	if c, err := connect(b.Address(), own.id.String(), other.tls(b.roots)); err == nil {
		c.Disconnect(0)
		t.Fatal("another device took the name")
	}
	if !first.IsConnectionOpen() {
		t.Fatal("the attempt ended the device's session")
	}
	second := b.connect(t, own)
	eventually(t, "the first connection ends", func() bool { return !first.IsConnectionOpen() })
	if !second.IsConnectionOpen() {
		t.Error("the second connection did not last")
	}
}

func TestBan(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	d := newTestDevice(maker, "1")
	c := b.connect(t, d)
	if err := b.Ban(d.id, 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the device is disconnected", func() bool { return !c.IsConnectionOpen() })
	if _, err := connect(b.Address(), d.id.String(), d.tls(b.roots)); err == nil {
		t.Error("a banned device connected")
	}
	eventually(t, "the ban ends", func() bool {
		c, err := connect(b.Address(), d.id.String(), d.tls(b.roots))
		c.Disconnect(0)
		return err == nil
	})
}

// Messages that no frame can be are refused by the broker, before they take memory.
func TestAbsurdMessagesEndTheConnection(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	d := newTestDevice(maker, "1")
	c := b.connect(t, d)
	c.Publish(d.topic("up"), 1, false, make([]byte, maxDevicePayload+1))
	eventually(t, "the connection ends", func() bool { return !c.IsConnectionOpen() })
	c = b.connect(t, d)
	c.Publish(d.topic("up"), 2, false, "exactly once") // is not on offer: it would be kept apart for each message
	eventually(t, "the connection ends", func() bool { return !c.IsConnectionOpen() })
}

func TestNothingListensInTheClear(t *testing.T) {
	b := startTestBroker(t, newRegistry())
	if b.WorkerAddress() != "" || b.embedded.server.Addr() != nil {
		t.Fatal("there is a listener beside MQTT's")
	}
	c := must(net.Dial("tcp", b.Address()))
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	connectPacket := "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"
	if _, err := c.Write([]byte(connectPacket)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 64)
	if n, _ := c.Read(answer); n > 0 && answer[0] == 0x20 {
		t.Error("MQTT was answered without TLS")
	}
}

func TestBrokerDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	options, _ := embeddedOptions(t)
	b := must(StartBroker(t.Context(), options, newRegistry()))
	if _, err := StartBroker(t.Context(), options, newRegistry()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second broker on the directory: %v", err)
	}
	b.Close()
	other := options
	other.Key = append(make([]byte, 31), 1)
	if _, err := StartBroker(t.Context(), other, newRegistry()); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("another key: %v", err)
	}
	must(StartBroker(t.Context(), options, newRegistry())).Close()
}

func TestBrokerOptions(t *testing.T) {
	good, _ := embeddedOptions(t)
	for want, change := range map[string]func(*Embedded){
		"no directory":           func(e *Embedded) { e.Directory = "" },
		"must have 32":           func(e *Embedded) { e.Key = nil },
		"no TLS configuration":   func(e *Embedded) { e.TLS = nil },
		"less than the backlog":  func(e *Embedded) { e.MaxStore = 1 },
		"at least 1 MiB":         func(e *Embedded) { e.Backlog.MaxBytes = 1 },
		"at least 65":            func(e *Embedded) { e.Backlog.PerDevice = 64 },
		"must be 1 to 5":         func(e *Embedded) { e.Backlog.Replicas = 6 },
		"missing port":           func(e *Embedded) { e.Listen = "127.0.0.1" },
		"workers: no TLS":        func(e *Embedded) { e.Workers = &WorkerListener{} },
		"workers: listen: addre": func(e *Embedded) { e.Workers = &WorkerListener{Listen: "x", TLS: e.TLS} },
		"not a public user nkey": func(e *Embedded) { e.Workers = &WorkerListener{TLS: e.TLS, Users: []WorkerUser{{Key: "} }"}}} },
		"a subject is not one": func(e *Embedded) {
			u := must(NewWorkerUser([32]byte{1}))
			u.Publish = []string{"a b"}
			e.Workers = &WorkerListener{TLS: e.TLS, Users: []WorkerUser{u}}
		},
	} {
		e := good
		e.Directory = t.TempDir()
		change(&e)
		if _, err := StartBroker(t.Context(), e, newRegistry()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
