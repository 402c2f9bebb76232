package commit_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// maker is a CA with its certificate.
type maker struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newMaker(t testing.TB, id string, change func(*x509.Certificate)) maker {
	t.Helper()
	key := committest.NewDevice(commit.P256).Key
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{id}},
		NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if change != nil {
		change(template)
	}
	return maker{key, issue(t, template, template, key.Public(), key)}
}

func issue(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func deviceTemplate(t testing.TB, id string) *x509.Certificate {
	t.Helper()
	policy, err := commit.SecureElement.Policy()
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{Organization: []string{id}, SerialNumber: "PACK-0001"},
		NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, Policies: []x509.OID{policy},
	}
}

func TestDeviceCertificate(t *testing.T) {
	m := newMaker(t, "maker-a", nil)
	for _, algorithm := range algorithms {
		device := committest.NewDevice(algorithm)
		der := issue(t, deviceTemplate(t, "maker-a"), m.cert, device.Key.Public(), m.key).Raw
		c, err := commit.ParseDeviceCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if c.Maker != "maker-a" || c.Serial != "PACK-0001" || c.Class != commit.SecureElement || c.Key.DeviceID() != device.Public.DeviceID() {
			t.Errorf("%s: read as %s %s %s", algorithm, c.Maker, c.Serial, c.Class)
		}
		ca, err := commit.ParseMakerCA(m.cert.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.VerifyIssuer(ca); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(c.DER(), der) {
			t.Error("DER is not what was read")
		}
	}
}

func TestEveryKeyClassIsItsOwnPolicy(t *testing.T) {
	m := newMaker(t, "maker-a", nil)
	for _, class := range []commit.KeyClass{commit.SecureElement, commit.Module, commit.Gateway, commit.Software} {
		template := deviceTemplate(t, "maker-a")
		policy, err := class.Policy()
		if err != nil {
			t.Fatal(err)
		}
		template.Policies = []x509.OID{policy}
		c, err := commit.ParseDeviceCertificate(issue(t, template, m.cert, m.key.Public(), m.key).Raw)
		if err != nil || c.Class != class {
			t.Errorf("class %s read as %+v, %v", class, c, err)
		}
	}
	if _, err := commit.KeyClass("cloud").Policy(); err == nil {
		t.Error("an unknown class has a policy")
	}
}

func TestDeviceCertificateOfTheWrongFormIsRefused(t *testing.T) {
	m := newMaker(t, "maker-a", nil)
	unknown, err := x509.ParseOID("2.25.1.1")
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	device := committest.NewDevice(commit.Ed25519).Key.Public()
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		key    crypto.PublicKey
	}{
		"a model in the subject": {func(c *x509.Certificate) { c.Subject.CommonName = "Model 3" }, device},
		"no serial":              {func(c *x509.Certificate) { c.Subject.SerialNumber = "" }, device},
		"no maker":               {func(c *x509.Certificate) { c.Subject.Organization = nil }, device},
		"two makers":             {func(c *x509.Certificate) { c.Subject.Organization = []string{"maker-a", "maker-b"} }, device},
		"long serial":            {func(c *x509.Certificate) { c.Subject.SerialNumber = strings.Repeat("1", 65) }, device},
		"serial with a space":    {func(c *x509.Certificate) { c.Subject.SerialNumber = "1 " }, device},
		"maker not ASCII":        {func(c *x509.Certificate) { c.Subject.Organization = []string{"mаker-a"} }, device}, // a Cyrillic a
		"date of making":         {func(c *x509.Certificate) { c.NotBefore = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC) }, device},
		"an expiry":              {func(c *x509.Certificate) { c.NotAfter = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }, device},
		"a CA":                   {func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, device},
		"may sign certificates":  {func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }, device},
		"no key usage":           {func(c *x509.Certificate) { c.KeyUsage = 0 }, device},
		"extended key usage":     {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, device},
		"a DNS name":             {func(c *x509.Certificate) { c.DNSNames = []string{"pack.example"} }, device},
		"no class":               {func(c *x509.Certificate) { c.Policies = nil }, device},
		"two classes": {func(c *x509.Certificate) {
			gateway, _ := commit.Gateway.Policy()
			c.Policies = append(c.Policies, gateway)
		}, device},
		"unknown class": {func(c *x509.Certificate) { c.Policies = []x509.OID{unknown} }, device},
		"unknown extension": {func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}}
		}, device},
		"P-384 key": {func(*x509.Certificate) {}, p384.Public()},
	} {
		template := deviceTemplate(t, "maker-a")
		c.change(template)
		if got, err := commit.ParseDeviceCertificate(issue(t, template, m.cert, c.key, m.key).Raw); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
	good := issue(t, deviceTemplate(t, "maker-a"), m.cert, device, m.key).Raw
	for name, der := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-1], "trailing": append(bytes.Clone(good), 0), "long": make([]byte, commit.MaxCertificate+1),
	} {
		if _, err := commit.ParseDeviceCertificate(der); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDeviceCertificateOfAnotherMakerIsRefused(t *testing.T) {
	m := newMaker(t, "maker-a", nil)
	device := committest.NewDevice(commit.Ed25519).Key.Public()
	parse := func(template *x509.Certificate, by maker) *commit.DeviceCertificate {
		c, err := commit.ParseDeviceCertificate(issue(t, template, by.cert, device, by.key).Raw)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	good := parse(deviceTemplate(t, "maker-a"), m)
	imposter := newMaker(t, "maker-a", nil)
	renamed := *m.cert // the same key under another subject
	renamed.RawSubject = nil
	renamed.Subject.CommonName = "other"
	other := issue(t, &renamed, &renamed, m.key.Public(), m.key)
	for name, c := range map[string]struct {
		device *commit.DeviceCertificate
		ca     *x509.Certificate
	}{
		"another CA of the same name":    {good, imposter.cert},
		"a CA of another maker":          {good, newMaker(t, "maker-b", nil).cert},
		"issued for another maker's id":  {parse(deviceTemplate(t, "maker-b"), m), m.cert},
		"issued by a device certificate": {good, issue(t, deviceTemplate(t, "maker-a"), m.cert, m.key.Public(), m.key)},
		"the CA's key, another subject":  {good, other},
		"no CA":                          {good, nil},
	} {
		if err := c.device.VerifyIssuer(c.ca); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := good.VerifyIssuer(m.cert); err != nil {
		t.Error(err)
	}
}

func TestMakerCARefused(t *testing.T) {
	for name, change := range map[string]func(*x509.Certificate){
		"not a CA":            func(c *x509.Certificate) { c.IsCA = false },
		"may not sign":        func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature },
		"no organisation":     func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "maker-a"} },
		"two organisations":   func(c *x509.Certificate) { c.Subject.Organization = []string{"a", "b"} },
		"organisation spaced": func(c *x509.Certificate) { c.Subject.Organization = []string{" a"} },
	} {
		if _, err := commit.ParseMakerCA(newMaker(t, "maker-a", change).cert.Raw); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	m := newMaker(t, "maker-a", nil)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	smallOrder := ed25519.PublicKey(append([]byte{1}, make([]byte, 31)...))
	for name, key := range map[string]crypto.PublicKey{"P-521": p521.Public(), "Ed25519 of small order": smallOrder} {
		if _, err := commit.ParseMakerCA(issue(t, m.cert, m.cert, key, m.key).Raw); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := commit.ParseMakerCA(make([]byte, commit.MaxCertificate+1)); err == nil {
		t.Error("an overlong certificate was looked at")
	}
}

func FuzzParseDeviceCertificate(f *testing.F) {
	m := newMaker(f, "maker-a", nil)
	for _, algorithm := range algorithms {
		f.Add(issue(f, deviceTemplate(f, "maker-a"), m.cert, committest.NewDevice(algorithm).Key.Public(), m.key).Raw)
	}
	f.Add(m.cert.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := commit.ParseDeviceCertificate(der)
		if err != nil {
			return
		}
		if commit.CheckName(c.Maker) != nil || commit.CheckName(c.Serial) != nil || c.Key.Algorithm() == "" || !bytes.Equal(c.DER(), der) {
			t.Fatalf("read as %+v", c)
		}
		c.VerifyIssuer(m.cert) //nolint:errcheck // must not panic
	})
}
