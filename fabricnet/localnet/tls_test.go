package localnet

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// authorityOf writes an organisation's TLS authority where cryptogen would.
func authorityOf(t *testing.T, l layout, org string) *authority {
	t.Helper()
	if err := os.MkdirAll(l.org(org, "tlsca"), 0o700); err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{Subject: pkix.Name{CommonName: "tlsca." + org}, IsCA: true, BasicConstraintsValid: true}
	if err := new(authority).issue(&template, l.tlsRoots(org), l.org(org, "tlsca", "priv_sk")); err != nil {
		t.Fatal(err)
	}
	// issue is for ends of a chain; an authority may sign certificates too.
	a, err := openAuthority(l, org)
	if err != nil {
		t.Fatal(err)
	}
	a.certificate.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(nil, a.certificate, a.certificate, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := writePEM(l.tlsRoots(org), "CERTIFICATE", der); err != nil {
		t.Fatal(err)
	}
	return a
}

func pool(t *testing.T, path string) *x509.CertPool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(b) {
		t.Fatalf("no certificate in %s", path)
	}
	return p
}

// shake has a client with a certificate connect to the contract service and returns what the service says.
func shake(t *testing.T, l layout, org, certificate, key string) error {
	t.Helper()
	server, err := tls.LoadX509KeyPair(l.serviceTLS(org, serverCertificate), l.serviceTLS(org, serverKey))
	if err != nil {
		t.Fatal(err)
	}
	client, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	deadline := time.Now().Add(10 * time.Second)
	near.SetDeadline(deadline)                          //nolint:errcheck // a pipe takes one
	far.SetDeadline(deadline)                           //nolint:errcheck // a pipe takes one
	go io.Copy(io.Discard, tls.Client(far, &tls.Config{ //nolint:errcheck // the server's answer counts
		RootCAs: pool(t, l.tlsRoots(org)), ServerName: host, Certificates: []tls.Certificate{client}, MinVersion: tls.VersionTLS12,
	}))
	return tls.Server(near, &tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
		ClientCAs: pool(t, l.serviceTLS(org, clientCertificate)),
	}).Handshake()
}

// TestServiceTLS: the service takes its peer, and nobody else to whom the organisation's authority issued a certificate.
func TestServiceTLS(t *testing.T) {
	l := layout(t.TempDir())
	a := authorityOf(t, l, "swapco")
	if err := makeServiceTLS(l, "swapco"); err != nil {
		t.Fatal(err)
	}
	if err := shake(t, l, "swapco", l.serviceTLS("swapco", clientCertificate), l.serviceTLS("swapco", clientKey)); err != nil {
		t.Errorf("the peer is refused: %v", err)
	}
	other := x509.Certificate{Subject: pkix.Name{CommonName: "peer.swapco"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if err := a.issue(&other, l.path("other.crt"), l.path("other.key")); err != nil {
		t.Fatal(err)
	}
	if err := shake(t, l, "swapco", l.path("other.crt"), l.path("other.key")); err == nil {
		t.Error("somebody else of the organisation is taken for the peer")
	}
	for _, key := range []string{clientKey, serverKey} {
		if info, err := os.Stat(l.serviceTLS("swapco", key)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info, err)
		}
	}
}
