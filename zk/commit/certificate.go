package commit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// MaxCertificate bounds the DER encoding of a certificate, MaxName the bytes of a maker's id and of a serial.
	MaxCertificate = 2048
	MaxName        = 64
)

// DeviceNotBefore and DeviceNotAfter are the validity of every device certificate. They are fixed, so that a
// certificate tells nothing of when a device was made; the end is the one that RFC 5280 section 4.1.2.5 reserves for
// certificates without a well-defined expiry.
var (
	DeviceNotBefore = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	DeviceNotAfter  = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
)

// KeyClass says where a device's key lives, and so how hard it is to copy.
type KeyClass string

const (
	SecureElement KeyClass = "secure_element" // a tamper-resistant chip of its own
	Module        KeyClass = "module"         // the battery management system's or pile's main controller
	Gateway       KeyClass = "gateway"        // a gateway that signs for several devices; if the owner runs it, the owner signs
	Software      KeyClass = "software"       // a file
)

// A class is written as a certificate policy under a UUID's arc. An arc of 2.25 has 128 bits, which Go's x509 reads in
// policies and not in the identifier of a private extension.
const policyArc = "2.25.118979339663942002182319812555252644988."

var policies = map[KeyClass]x509.OID{
	SecureElement: must(x509.ParseOID(policyArc + "1")),
	Module:        must(x509.ParseOID(policyArc + "2")),
	Gateway:       must(x509.ParseOID(policyArc + "3")),
	Software:      must(x509.ParseOID(policyArc + "4")),
}

// Policy is the certificate policy that states the class.
func (c KeyClass) Policy() (x509.OID, error) {
	oid, ok := policies[c]
	if !ok {
		return x509.OID{}, fmt.Errorf("key class %q is not one of secure_element, module, gateway and software", string(c))
	}
	return oid, nil
}

// DeviceCertificate is a maker's word for one device: who made it, its hardware serial, its key and where that key
// lives.
type DeviceCertificate struct {
	Maker, Serial string
	Class         KeyClass
	Key           PublicKey
	cert          *x509.Certificate
}

// ParseDeviceCertificate reads an X.509 v3 certificate of at most MaxCertificate bytes. It accepts only what a device
// certificate is: a subject of one organisation (the maker's id) and one serialNumber, an Ed25519 or P-256 key, the
// fixed validity, digital signature as the only key usage, one known key class, and no other extension but the issuer's
// key id. Nothing else about the device gets onto the ledger with it. Whether the maker signed it is VerifyIssuer's to
// check.
func ParseDeviceCertificate(der []byte) (*DeviceCertificate, error) {
	if len(der) > MaxCertificate {
		return nil, fmt.Errorf("device certificate has %d bytes, at most %d", len(der), MaxCertificate)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("device certificate: %w", err)
	}
	c := &DeviceCertificate{cert: cert}
	for _, check := range []func() error{c.checkForm, c.readSubject, c.readClass} {
		if err := check(); err != nil {
			return nil, fmt.Errorf("device certificate: %w", err)
		}
	}
	if c.Key, err = ParsePublicKey(cert.RawSubjectPublicKeyInfo); err != nil {
		return nil, fmt.Errorf("device certificate: %w", err)
	}
	return c, nil
}

var allowedExtensions = []string{"2.5.29.15", "2.5.29.32", "2.5.29.35"} // key usage, policies, authority key id

func (c *DeviceCertificate) checkForm() error {
	for _, extension := range c.cert.Extensions {
		if !slices.Contains(allowedExtensions, extension.Id.String()) {
			return fmt.Errorf("extension %s is not allowed", extension.Id)
		}
	}
	switch {
	case c.cert.Version != 3:
		return fmt.Errorf("version %d is not 3", c.cert.Version)
	case c.cert.KeyUsage != x509.KeyUsageDigitalSignature:
		return errors.New("key usage is not digital signature alone")
	case !c.cert.NotBefore.Equal(DeviceNotBefore) || !c.cert.NotAfter.Equal(DeviceNotAfter):
		return fmt.Errorf("validity is not the fixed one, %s to %s", DeviceNotBefore.Format(time.DateOnly), DeviceNotAfter.Format(time.DateOnly))
	}
	return nil
}

func (c *DeviceCertificate) readSubject() error {
	subject := c.cert.Subject
	if len(subject.Names) != 2 || len(subject.Organization) != 1 || subject.SerialNumber == "" {
		return errors.New("subject is not one organisation and one serialNumber")
	}
	c.Maker, c.Serial = subject.Organization[0], subject.SerialNumber
	if err := CheckName(c.Maker); err != nil {
		return fmt.Errorf("maker: %w", err)
	}
	if err := CheckName(c.Serial); err != nil {
		return fmt.Errorf("serial: %w", err)
	}
	return nil
}

func (c *DeviceCertificate) readClass() error {
	if len(c.cert.Policies) != 1 {
		return fmt.Errorf("%d policies, must be one key class", len(c.cert.Policies))
	}
	for class, oid := range policies {
		if oid.Equal(c.cert.Policies[0]) {
			c.Class = class
			return nil
		}
	}
	return errors.New("policy is not a known key class")
}

// CheckName accepts a maker's id or a serial: 1 to MaxName printable ASCII characters, no space at either end.
func CheckName(name string) error {
	if len(name) == 0 || len(name) > MaxName {
		return fmt.Errorf("%d bytes, must be 1 to %d", len(name), MaxName)
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return fmt.Errorf("byte %d is not printable ASCII", i)
		}
	}
	if strings.TrimSpace(name) != name {
		return errors.New("begins or ends with a space")
	}
	return nil
}

// DER returns a copy of the certificate's encoding.
func (c *DeviceCertificate) DER() []byte { return bytes.Clone(c.cert.Raw) }

// VerifyIssuer checks that this maker's CA, as registered on the ledger, signed the certificate, and for its own id.
// The clock is not looked at: every endorser must come to the same answer, and a CA's withdrawal is a ledger record.
func (c *DeviceCertificate) VerifyIssuer(ca *x509.Certificate) error {
	if err := checkMakerCA(ca); err != nil {
		return fmt.Errorf("device certificate: maker's certificate: %w", err)
	}
	if ca.Subject.Organization[0] != c.Maker || !bytes.Equal(ca.RawSubject, c.cert.RawIssuer) {
		return fmt.Errorf("device certificate: maker %q is not its issuer", c.Maker)
	}
	if err := c.cert.CheckSignatureFrom(ca); err != nil {
		return fmt.Errorf("device certificate: signature of maker %q: %w", c.Maker, err)
	}
	return nil
}

// ParseMakerCA reads the certificate of a maker's CA, of at most MaxCertificate bytes: one organisation in its subject,
// which is the maker's id, a CA that may sign certificates, with an Ed25519 or ECDSA key on P-256 or P-384.
func ParseMakerCA(der []byte) (*x509.Certificate, error) {
	if len(der) > MaxCertificate {
		return nil, fmt.Errorf("maker's certificate has %d bytes, at most %d", len(der), MaxCertificate)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("maker's certificate: %w", err)
	}
	if err := checkMakerCA(ca); err != nil {
		return nil, fmt.Errorf("maker's certificate: %w", err)
	}
	return ca, nil
}

func checkMakerCA(ca *x509.Certificate) error {
	if ca == nil || len(ca.Subject.Organization) != 1 {
		return errors.New("subject does not have one organisation")
	}
	if err := CheckName(ca.Subject.Organization[0]); err != nil {
		return fmt.Errorf("maker: %w", err)
	}
	if ca.Version != 3 || !ca.BasicConstraintsValid || !ca.IsCA || ca.KeyUsage&x509.KeyUsageCertSign == 0 {
		return errors.New("not a CA that may sign certificates")
	}
	switch key := ca.PublicKey.(type) {
	case ed25519.PublicKey:
		_, err := expandEd25519(key)
		return err
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
	}
	return errors.New("key is neither Ed25519 nor ECDSA on P-256 or P-384")
}
