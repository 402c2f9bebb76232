package localnet

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// Files in a contract service's tls folder.
const (
	serverCertificate = "server.crt"
	serverKey         = "server.key"
	clientCertificate = "client.crt"
	clientKey         = "client.key"
)

// lifetime is somewhat less than that of what cryptogen makes.
const lifetime = 9 * 365 * 24 * time.Hour

// authority issues TLS certificates of one organisation. The zero one has those that it makes sign themselves.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makeServiceTLS issues a certificate for an organisation's contract service, and makes one for its peer as the service's client. The latter is signed by
// itself and all that the service trusts: the organisation's authority has also issued certificates to people.
func makeServiceTLS(l layout, org string) error {
	a, err := openAuthority(l, org)
	if err != nil {
		return fmt.Errorf("opening the TLS authority of %s: %w", org, err)
	}
	if err := os.MkdirAll(l.serviceTLS(org, ""), 0o700); err != nil {
		return err
	}
	server := x509.Certificate{
		Subject: pkix.Name{CommonName: "contract." + org}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.ParseIP(host)}, DNSNames: []string{"localhost"},
	}
	client := x509.Certificate{
		Subject: pkix.Name{CommonName: "peer." + org}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if err := a.issue(&server, l.serviceTLS(org, serverCertificate), l.serviceTLS(org, serverKey)); err != nil {
		return fmt.Errorf("issuing the certificate of the contract service of %s: %w", org, err)
	}
	if err := new(authority).issue(&client, l.serviceTLS(org, clientCertificate), l.serviceTLS(org, clientKey)); err != nil {
		return fmt.Errorf("making a client certificate for the peer of %s: %w", org, err)
	}
	return nil
}

func openAuthority(l layout, org string) (*authority, error) {
	certificate, err := readCertificate(l.tlsRoots(org))
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(l.org(org, "tlsca", "priv_sk"))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("key is not PKCS#8")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("key cannot sign")
	}
	return &authority{certificate, signer}, nil
}

// issue completes the template and writes certificate and key.
func (a *authority) issue(template *x509.Certificate, certificatePath, keyPath string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	template.NotBefore = time.Now().Add(-5 * time.Minute)
	template.NotAfter = template.NotBefore.Add(lifetime)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	parent, signer := template, crypto.Signer(key)
	if a.certificate != nil {
		parent, signer = a.certificate, a.key
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(writePEM(certificatePath, "CERTIFICATE", certificate), writePEM(keyPath, "PRIVATE KEY", der))
}

// writePEM writes a file that only its owner may read.
func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
