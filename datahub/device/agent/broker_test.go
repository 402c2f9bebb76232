package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// broker is a NATS server with its MQTT listener, which can be stopped and started again at the same place.
type broker struct {
	t       *testing.T
	dir     string
	port    int
	cert    tls.Certificate
	roots   *x509.CertPool
	running *server.Server
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a broker")
	}
	b := &broker{t: t, dir: t.TempDir(), port: -1}
	b.cert, b.roots = serverCertificate(t)
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	o := &server.Options{
		ServerName: "test", Host: "127.0.0.1", Port: -1, DontListen: true, JetStream: true, StoreDir: b.dir, NoSigs: true, NoLog: true,
		MQTT: server.MQTTOpts{
			Host: "127.0.0.1", Port: b.port, TLSTimeout: 30,
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{b.cert}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13},
		},
	}
	s, err := server.NewServer(o)
	if err != nil {
		b.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		b.t.Fatal("the broker does not start")
	}
	b.running, b.port = s, o.MQTT.Port
}

func (b *broker) stop() {
	b.running.Shutdown()
	b.running.WaitForShutdown()
}

func (b *broker) url() string { return fmt.Sprintf("tls://127.0.0.1:%d", b.port) }

func serverCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
