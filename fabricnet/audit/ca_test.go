package audit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

var (
	notBefore = time.Unix(1_690_000_000, 0)
	notAfter  = time.Unix(2_000_000_000, 0)
)

// member is a certificate with its key, in an organisation.
type member struct {
	mspID string
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
}

func (m *member) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.cert.Raw})
}

func (m *member) serialised() []byte {
	return marshal(&msp.SerializedIdentity{Mspid: m.mspID, IdBytes: m.pem()})
}

// sign signs as Fabric does, with the lower of the two values of S.
func (m *member) sign(message []byte) []byte {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, m.key, digest[:])
	if err != nil {
		panic(err)
	}
	if n := m.key.Params().N; s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s = new(big.Int).Sub(n, s)
	}
	b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		panic(err)
	}
	return b
}

func marshal(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

var serial int64

// certificate issues one; issuer nil makes an authority that certifies itself.
func certificate(mspID, unit string, issuer *member, change func(*x509.Certificate)) *member {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: unit + "." + mspID, OrganizationalUnit: []string{unit}},
		NotBefore: notBefore, NotAfter: notAfter, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	parent, by := template, key
	if issuer == nil || unit == "ca" {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
	if change != nil {
		change(template)
	}
	if issuer != nil {
		parent, by = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &member{mspID, cert, key}
}

// authority is an organisation's CA with one member of each role.
type authority struct {
	*member
	peer, client, admin, orderer *member
}

func newAuthority(mspID string) *authority {
	ca := certificate(mspID, "ca", nil, nil)
	issue := func(unit string) *member { return certificate(mspID, unit, ca, nil) }
	return &authority{ca, issue("peer"), issue("client"), issue("admin"), issue("orderer")}
}

// config is the organisation's MSP as a channel's configuration has it.
func (a *authority) config(change ...func(*msp.FabricMSPConfig)) []byte {
	unit := func(name string) *msp.FabricOUIdentifier {
		return &msp.FabricOUIdentifier{Certificate: a.pem(), OrganizationalUnitIdentifier: name}
	}
	c := &msp.FabricMSPConfig{
		Name: a.mspID, RootCerts: [][]byte{a.pem()},
		CryptoConfig: &msp.FabricCryptoConfig{SignatureHashFamily: "SHA2", IdentityIdentifierHashFunction: "SHA256"},
		FabricNodeOus: &msp.FabricNodeOUs{
			Enable: true, ClientOuIdentifier: unit("client"), PeerOuIdentifier: unit("peer"), AdminOuIdentifier: unit("admin"), OrdererOuIdentifier: unit("orderer"),
		},
	}
	for _, fn := range change {
		fn(c)
	}
	return marshal(&msp.MSPConfig{Config: marshal(c)})
}

func TestIdentities(t *testing.T) {
	org := newAuthority("OrgMSP")
	other := newAuthority("OrgMSP")
	middle := certificate("OrgMSP", "ca", org.member, nil)
	both := certificate("OrgMSP", "peer", org.member, func(c *x509.Certificate) { c.Subject.OrganizationalUnit = []string{"peer", "client"} })
	none := certificate("OrgMSP", "team", org.member, nil)
	revoked := certificate("OrgMSP", "peer", org.member, nil)
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: notBefore, NextUpdate: notAfter, RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: revoked.cert.SerialNumber, RevocationTime: notBefore}},
	}, org.cert, org.key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := readProvider(org.config(func(c *msp.FabricMSPConfig) {
		c.IntermediateCerts, c.RevocationList = [][]byte{middle.pem()}, [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl})}
		c.FabricNodeOus.AdminOuIdentifier.Certificate = nil // any authority
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cert           *x509.Certificate
		member, usable bool
		role           msp.MSPRole_MSPRoleType
	}{
		"peer":                         {certificate("OrgMSP", "peer", middle, nil).cert, true, false, msp.MSPRole_PEER}, // the peer unit is the root's
		"admin":                        {certificate("OrgMSP", "admin", middle, nil).cert, true, true, msp.MSPRole_ADMIN},
		"by an authority of authority": {org.peer.cert, false, false, msp.MSPRole_PEER},
		"other authority":              {other.peer.cert, false, false, msp.MSPRole_PEER},
		"authority":                    {middle.cert, false, false, msp.MSPRole_PEER},
		"two roles":                    {both.cert, false, false, msp.MSPRole_PEER},
	} {
		id, err := p.identity(test.cert)
		if (err == nil) != test.member || err == nil && (id.invalid == nil) != test.usable || err == nil && id.has(test.role) != test.usable {
			t.Errorf("%s: %v, %+v", name, err, id)
		}
	}
	p, err = readProvider(org.config(func(c *msp.FabricMSPConfig) {
		c.RevocationList = [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl})}
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cert   *x509.Certificate
		usable bool
	}{
		"peer": {org.peer.cert, true}, "orderer": {org.orderer.cert, true}, "two roles": {both.cert, false}, "no role": {none.cert, false}, "revoked": {revoked.cert, false},
	} {
		id, err := p.identity(test.cert)
		if err != nil || (id.invalid == nil) != test.usable {
			t.Errorf("%s: %v, %+v", name, err, id)
		}
	}
}

// upper is a signature with the other value of S, which verifies as well.
func upper(t *testing.T, m *member, signature []byte) []byte {
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &s); err != nil {
		t.Fatal(err)
	}
	s.S.Sub(m.key.Params().N, s.S)
	b, err := asn1.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
