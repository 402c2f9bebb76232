package device

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/tls"
	"net"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

func TestOpenedDeviceIsTheSame(t *testing.T) {
	maker, err := NewMaker("cell-maker")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		key, err := NewKey(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := maker.Issue(key.Public(), "B-1", commit.Software)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Open(schema, certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := commit.Sign(d.Signer(), []byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Public().Verify([]byte("message"), signature); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		other, err := NewKey(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(schema, certificate, other); err == nil {
			t.Errorf("%s: opened with another key", algorithm)
		}
		checkHandshake(t, d)
	}
}

// checkHandshake connects with the device's certificate, and looks whether the server sees it.
func checkHandshake(t *testing.T, d *Device) {
	t.Helper()
	server, err := New(must(NewMaker("server")), Config{Serial: "S", Class: commit.Software, Algorithm: commit.P256, Schema: d.Schema()})
	if err != nil {
		t.Fatal(err)
	}
	left, right := net.Pipe()
	defer left.Close()  //nolint:errcheck // a pipe
	defer right.Close() //nolint:errcheck // a pipe
	client := tls.Client(left, &tls.Config{Certificates: []tls.Certificate{d.TLS()}, MinVersion: tls.VersionTLS13, InsecureSkipVerify: true})
	failed := make(chan error, 1)
	go func() { failed <- client.Handshake() }()
	conn := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{server.TLS()}, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	seen, err := commit.ParseDeviceCertificate(conn.ConnectionState().PeerCertificates[0].Raw)
	if err != nil || seen.Key.DeviceID() != d.ID() {
		t.Errorf("the server sees %v, %v", seen, err)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// The key cannot be taken out of what TLS is given.
func TestSignerHidesTheKey(t *testing.T) {
	d, err := New(must(NewMaker("cell-maker")), Config{Serial: "B-1", Class: commit.Software, Algorithm: commit.Ed25519, Schema: must(record.Lookup("battery/v1"))})
	if err != nil {
		t.Fatal(err)
	}
	switch d.TLS().PrivateKey.(type) {
	case ed25519.PrivateKey, *ecdsa.PrivateKey:
		t.Error("the key is handed out")
	}
}
