package prove_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk/commit"
)

// nobody is a registry without devices.
type nobody struct{}

func (nobody) Allow(context.Context, *commit.DeviceCertificate) error {
	return errors.New("no device is known")
}

func (nobody) Lookup(commit.DeviceID) (ingest.Known, bool) { return ingest.Known{}, false }

// The node's own broker carries the queue: the owner and a worker are in its process, another worker comes over TLS with an nkey.
func TestOnTheNodesBroker(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a NATS server and makes proofs")
	}
	f, err := newFleet(4*slots, slots)
	if err != nil {
		t.Fatal(err)
	}
	user, err := ingest.NewWorkerUser([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	may := workqueue.WorkerMay("prove", "far")
	user.Publish, user.Subscribe = may.Publish, may.Subscribe
	security, roots := serverTLS(t)
	broker, err := ingest.StartBroker(t.Context(), ingest.Embedded{
		Directory: t.TempDir(), Key: make([]byte, 32), TLS: security,
		Workers: &ingest.WorkerListener{Listen: "127.0.0.1:0", TLS: security, Users: []ingest.WorkerUser{user}},
	}, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	owner, err := broker.Work()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	options := workqueue.Options{Key: queueKey}
	queue, err := workqueue.Open(t.Context(), owner, options)
	if err != nil {
		t.Fatal(err)
	}
	prover, err := prove.NewProver(queue, prove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	far, err := workqueue.Dial(workqueue.Server{
		URL: "tls://" + broker.WorkerAddress(), Roots: roots, Credentials: user.Seed, Queue: "prove", Client: "far",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Close)
	s := &scene{fleet: f, t: t, queue: queue, prover: prover}
	s.workOn(far, "far", prove.WorkerOptions{})
	done := s.start()
	s.until("the far worker's first proof", func() bool { return s.count("far", prove.Proven) > 0 })
	s.workOn(owner, "node", prove.WorkerOptions{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.empty()
}

// serverTLS makes a certificate for 127.0.0.1, and the PEM that it is checked with.
func serverTLS(t *testing.T) (*tls.Config, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
