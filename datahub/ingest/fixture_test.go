package ingest

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nkeys"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

var testLedger = commit.Digest{1, 2, 3}

const patience = 30 * time.Second

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// testDevice is a device's key, certificate and transport key.
type testDevice struct {
	id          commit.DeviceID
	key         ed25519.PrivateKey
	certificate *commit.DeviceCertificate
	transport   frame.TransportKey
}

func newTestDevice(maker *device.Maker, serial string) *testDevice {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	certificate := must(maker.Issue(must(key, err).Public(), serial, commit.Software))
	d := &testDevice{id: certificate.Key.DeviceID(), key: key, certificate: certificate}
	rand.Read(d.transport[:])
	return d
}

func (d *testDevice) tls(roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{d.certificate.DER()}, PrivateKey: d.key}},
	}
}

func (d *testDevice) topic(word string) string { return "assay/v1/" + d.id.String() + "/" + word }

// registry knows makers and devices.
type registry struct {
	mu     sync.RWMutex
	makers map[string]*x509.Certificate
	known  map[commit.DeviceID]Known
}

func newRegistry(makers ...*device.Maker) *registry {
	r := &registry{makers: map[string]*x509.Certificate{}, known: map[commit.DeviceID]Known{}}
	for _, m := range makers {
		r.makers[m.ID()] = must(commit.ParseMakerCA(m.Certificate()))
	}
	return r
}

func (r *registry) Allow(_ context.Context, c *commit.DeviceCertificate) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ca, ok := r.makers[c.Maker]
	if !ok {
		return errors.New("maker is not known")
	}
	return c.VerifyIssuer(ca)
}

func (r *registry) Lookup(id commit.DeviceID) (Known, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.known[id]
	return k, ok
}

func (r *registry) seat(d *testDevice, through uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[d.id] = Known{ID: d.id, Fleet: "fleet-a", Key: d.certificate.Key, Transport: d.transport, Through: through}
}

// serverCertificate is a self-signed one for 127.0.0.1.
func serverCertificate() (tls.Certificate, *x509.CertPool) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	pool := x509.NewCertPool()
	pool.AddCert(must(x509.ParseCertificate(der)))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("ASSAY_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// testBroker is an embedded broker.
type testBroker struct {
	*Broker
	roots *x509.CertPool
}

func embeddedOptions(t testing.TB) (Embedded, *x509.CertPool) {
	certificate, roots := serverCertificate()
	return Embedded{
		Directory: t.TempDir(), Key: make([]byte, 32), TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}, Logger: testLog(t),
	}, roots
}

func startTestBroker(t testing.TB, r Registry) *testBroker {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a broker")
	}
	options, roots := embeddedOptions(t)
	b, err := StartBroker(t.Context(), options, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return &testBroker{b, roots}
}

// connect connects over MQTT and TLS as the device under a client id.
func connect(address, clientID string, config *tls.Config) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("tls://" + address).SetClientID(clientID).SetTLSConfig(config).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(10 * time.Second).SetCleanSession(true).SetOrderMatters(true)
	c := mqtt.NewClient(o)
	return c, wait(c.Connect())
}

func wait(token mqtt.Token) error {
	if !token.WaitTimeout(patience) {
		return fmt.Errorf("no answer within %s", patience)
	}
	return token.Error()
}

func (b *testBroker) connect(t testing.TB, d *testDevice) mqtt.Client {
	t.Helper()
	c, err := connect(b.Address(), d.id.String(), d.tls(b.roots))
	if err != nil {
		t.Fatalf("connecting device: %v", err)
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func seal(d *testDevice, plain []byte) []byte {
	return frame.Seal(d.transport, frame.Up, d.id, plain)
}

// newServerKey is what a server signs its requests with.
func newServerKey() (nkeys.KeyPair, error) { return nkeys.CreatePair(nkeys.PrefixByteServer) }
