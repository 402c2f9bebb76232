package node

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-net/assay/fabricnet/durable"
)

// serverTLS is what the broker shows to devices.
type serverTLS struct {
	config *tls.Config
	roots  []byte // PEM
}

// loadTLS reads the broker's certificate, or makes a CA and a certificate in the data folder where none is configured.
func loadTLS(c *Config) (*serverTLS, error) {
	certificate, key := c.Resolve(c.Broker.Certificate), c.Resolve(c.Broker.Key)
	rootsAt := certificate
	if certificate == "" {
		dir := filepath.Join(c.Data, "tls")
		certificate, key, rootsAt = filepath.Join(dir, "broker.pem"), filepath.Join(dir, "broker.key"), filepath.Join(dir, "ca.pem")
		if err := makeTLS(dir, c.Broker.Name); err != nil {
			return nil, fmt.Errorf("making the broker's certificate: %w", err)
		}
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("broker.certificate and broker.key: %w", err)
	}
	if err := pair.Leaf.VerifyHostname(c.Broker.Name); err != nil {
		return nil, fmt.Errorf("broker.name: %w", err)
	}
	roots, err := durable.ReadFile(rootsAt, MaxConfig)
	if err != nil {
		return nil, err
	}
	return &serverTLS{&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}, roots}, nil
}

const (
	authorityYears = 20
	brokerYears    = 2
	renewBefore    = 90 * 24 * time.Hour
)

// makeTLS makes what is not there, or not for long any more. The CA stays, since devices were given it.
func makeTLS(dir, name string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority, key, err := loadPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"))
	if errors.Is(err, fs.ErrNotExist) {
		authority, key, err = makePair(dir, "ca", authorityTemplate(), nil, nil)
	}
	if err != nil {
		return err
	}
	// A pair that does not match was being renewed when the node was stopped.
	leaf, _, err := loadPair(filepath.Join(dir, "broker.pem"), filepath.Join(dir, "broker.key"))
	if err == nil && time.Until(leaf.NotAfter) > renewBefore && leaf.VerifyHostname(name) == nil {
		return nil
	}
	_, _, err = makePair(dir, "broker", brokerTemplate(name), authority, key)
	return err
}

func authorityTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: "Assay node CA"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().AddDate(authorityYears, 0, 0),
	}
}

func brokerTemplate(name string) *x509.Certificate {
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotAfter: time.Now().AddDate(brokerYears, 0, 0),
	}
	if ip := net.ParseIP(name); ip != nil {
		t.IPAddresses = []net.IP{ip}
	} else {
		t.DNSNames = []string{name}
	}
	return t
}

func loadPair(certificate, key string) (*x509.Certificate, crypto.Signer, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("%s: the key does not sign", key)
	}
	return pair.Leaf, signer, nil
}

// makePair makes a key and its certificate, by itself if there is no issuer. The certificate is written last: where it is, the key is.
func makePair(dir, name string, t, issuer *x509.Certificate, issuerKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	t.NotBefore = time.Now().Add(-time.Hour)
	if issuer == nil {
		issuer, issuerKey = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, issuer, key.Public(), issuerKey)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	if err := durable.WriteFile(filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})); err != nil {
		return nil, nil, err
	}
	if err := durable.WriteFile(filepath.Join(dir, name+".pem"), encodeCertificate(der)); err != nil {
		return nil, nil, err
	}
	made, err := x509.ParseCertificate(der)
	return made, key, err
}
