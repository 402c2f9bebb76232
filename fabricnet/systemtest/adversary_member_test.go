package systemtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/attrmgr"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"

	"github.com/assay-net/assay/fabricnet/contract"
)

// member is somebody who signs: a certificate, its key, and the organisation that it says to be of.
type member struct {
	mspID       string
	certificate []byte // PEM
	key         *ecdsa.PrivateKey
}

// member reads one of an organisation's identities: users/User1@ORG, users/Admin@ORG or peers/peer.ORG.
func (n *faultNetwork) member(t *testing.T, org string, elements ...string) *member {
	t.Helper()
	dir := filepath.Join(append([]string{n.Dir, "orgs", org}, elements...)...)
	return &member{n.profiles[org].MSPID, only(t, filepath.Join(dir, "msp", "signcerts", "*.pem")), readECKey(t, filepath.Join(dir, "msp", "keystore", "*"))}
}

func (n *faultNetwork) user(t *testing.T, org string) *member {
	return n.member(t, org, "users", "User1@"+org)
}

func (n *faultNetwork) admin(t *testing.T, org string) *member {
	return n.member(t, org, "users", "Admin@"+org)
}

// only reads the one file that matches.
func only(t *testing.T, pattern string) []byte {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readECKey(t *testing.T, pattern string) *ecdsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(only(t, pattern))
	if block == nil {
		t.Fatalf("%s: not in PEM", pattern)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*ecdsa.PrivateKey)
}

// authority is an organisation's CA.
func (n *faultNetwork) authority(t *testing.T, org string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	dir := filepath.Join(n.Dir, "orgs", org, "ca")
	block, _ := pem.Decode(only(t, filepath.Join(dir, "*-cert.pem")))
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return ca, readECKey(t, filepath.Join(dir, "priv_sk"))
}

// foreignAuthority has an organisation's name, and another key.
func (n *faultNetwork) foreignAuthority(t *testing.T, org string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	own, _ := n.authority(t, org)
	key := newECKey(t)
	template := &x509.Certificate{
		SerialNumber: own.SerialNumber, Subject: own.Subject, NotBefore: own.NotBefore, NotAfter: own.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: own.KeyUsage, SubjectKeyId: own.SubjectKeyId,
	}
	return signed(t, template, template, key.Public(), key), key
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signed(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// issue makes a client of an organisation.
func (n *faultNetwork) issue(t *testing.T, org string, ca *x509.Certificate, caKey *ecdsa.PrivateKey, change func(*x509.Certificate)) *member {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "adversary@" + org, OrganizationalUnit: []string{"client"}},
		NotBefore: ca.NotBefore, NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	key := newECKey(t)
	c := signed(t, template, ca, key.Public(), caKey)
	return &member{n.profiles[org].MSPID, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), key}
}

// mayCall is a certificate's attribute that lists functions.
func mayCall(t *testing.T, functions string) func(*x509.Certificate) {
	t.Helper()
	value, err := json.Marshal(attrmgr.Attributes{Attrs: map[string]string{contract.FunctionsAttribute: functions}})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: attrmgr.AttrOID, Value: value}}
	}
}

func (m *member) creator(t *testing.T) []byte {
	t.Helper()
	return encoded(t, &msp.SerializedIdentity{Mspid: m.mspID, IdBytes: m.certificate})
}

// sign signs as Fabric takes it, with the lower s.
func (m *member) sign(t *testing.T, message []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, m.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if order := elliptic.P256().Params().N; s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
