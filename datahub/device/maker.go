package device

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// Maker is a device maker's certification authority: its id, its key and the certificate that is registered on the
// ledger.
type Maker struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// NewMaker creates a CA with a new Ed25519 key. The id becomes the one organisation of its subject.
func NewMaker(id string) (*Maker, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("maker %s: drawing a key: %w", id, err)
	}
	return FoundMaker(id, key)
}

// FoundMaker creates a CA with a key that the caller keeps.
func FoundMaker(id string, key crypto.Signer) (*Maker, error) {
	if err := commit.CheckName(id); err != nil {
		return nil, fmt.Errorf("maker: id: %w", err)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{id}},
		NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("maker %s: signing its certificate: %w", id, err)
	}
	return OpenMaker(der, key)
}

// OpenMaker is the CA of an existing certificate, whose key may live in hardware.
func OpenMaker(der []byte, key crypto.Signer) (*Maker, error) {
	cert, err := commit.ParseMakerCA(der)
	if err != nil {
		return nil, err
	}
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return nil, fmt.Errorf("maker %s: key is not the certificate's", cert.Subject.Organization[0])
	}
	return &Maker{key: key, cert: cert}, nil
}

// ID is the maker's id.
func (m *Maker) ID() string { return m.cert.Subject.Organization[0] }

// Certificate returns the DER encoding of the CA's certificate.
func (m *Maker) Certificate() []byte { return append([]byte(nil), m.cert.Raw...) }

// Issue certifies a device's key. The certificate names maker, serial, key and key class, and nothing else about the
// device; it never expires, so that it does not tell when the device was made.
func (m *Maker) Issue(public crypto.PublicKey, serial string, class commit.KeyClass) (*commit.DeviceCertificate, error) {
	if err := commit.CheckName(serial); err != nil {
		return nil, fmt.Errorf("certifying a device: serial: %w", err)
	}
	policy, err := class.Policy()
	if err != nil {
		return nil, fmt.Errorf("certifying device %s: %w", serial, err)
	}
	template := &x509.Certificate{ // without a SerialNumber: x509 draws one
		Subject:   pkix.Name{Organization: []string{m.ID()}, SerialNumber: serial},
		NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, Policies: []x509.OID{policy},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, m.cert, public, m.key)
	if err != nil {
		return nil, fmt.Errorf("certifying device %s: %w", serial, err)
	}
	return commit.ParseDeviceCertificate(der)
}
