package admin

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
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

// authority is a CA made for a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t testing.TB, parent *authority) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	issuer, signer := template, a.key
	if parent != nil {
		issuer, signer = parent.certificate, parent.key
	}
	a.certificate = sign(t, template, issuer, a.key, signer)
	return a
}

func sign(t testing.TB, template, issuer *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// member is an identity and its key.
type member struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func (a *authority) member(t testing.TB, serial int64, from, until time.Duration) member {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "peer"}, NotBefore: time.Now().Add(from),
		NotAfter: time.Now().Add(until), KeyUsage: x509.KeyUsageDigitalSignature}
	return member{sign(t, template, a.certificate, key, a.key), key}
}

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func serialised(t testing.TB, mspID string, c *x509.Certificate) []byte {
	t.Helper()
	b, err := encode(&msp.SerializedIdentity{Mspid: mspID, IdBytes: inPEM("CERTIFICATE", c.Raw)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// channelOf is a channel's configuration with these organisations.
type channelOf struct {
	fab.ChannelCfg
	configs []*msp.MSPConfig
}

func (c *channelOf) MSPs() []*msp.MSPConfig { return c.configs }

func membershipOf(t testing.TB, organisations ...*msp.FabricMSPConfig) *membership {
	t.Helper()
	config := &channelOf{}
	for _, o := range organisations {
		b, err := encode(o)
		if err != nil {
			t.Fatal(err)
		}
		config.configs = append(config.configs, &msp.MSPConfig{Config: b})
	}
	return &membership{config: func() (fab.ChannelCfg, error) { return config, nil }}
}

func (a *authority) config(name string) *msp.FabricMSPConfig {
	return &msp.FabricMSPConfig{Name: name, RootCerts: [][]byte{inPEM("CERTIFICATE", a.certificate.Raw)}}
}

func TestMembership(t *testing.T) {
	ours, theirs := newAuthority(t, nil), newAuthority(t, nil)
	between := newAuthority(t, ours)
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(9), RevocationTime: time.Now()}}}, ours.certificate, ours.key)
	if err != nil {
		t.Fatal(err)
	}
	config := ours.config("Ours")
	config.IntermediateCerts = [][]byte{inPEM("CERTIFICATE", between.certificate.Raw)}
	config.RevocationList = [][]byte{inPEM("X509 CRL", list)}
	m := membershipOf(t, config, theirs.config("Theirs"))
	good := ours.member(t, 2, -time.Minute, time.Hour)
	for name, c := range map[string]struct {
		identity []byte
		text     string
	}{
		"member":                    {serialised(t, "Ours", good.certificate), ""},
		"of an intermediate CA":     {serialised(t, "Ours", between.member(t, 3, -time.Minute, time.Hour).certificate), ""},
		"revoked by another issuer": {serialised(t, "Ours", between.member(t, 9, -time.Minute, time.Hour).certificate), ""},
		"another organisation's":    {serialised(t, "Theirs", good.certificate), "unknown authority"},
		"unknown organisation":      {serialised(t, "Nobody", good.certificate), "no organisation"},
		"expired":                   {serialised(t, "Ours", ours.member(t, 4, -time.Hour, -time.Minute).certificate), "expired"},
		"not yet":                   {serialised(t, "Ours", ours.member(t, 4, time.Minute, time.Hour).certificate), "expired or is not yet valid"},
		"revoked":                   {serialised(t, "Ours", ours.member(t, 9, -time.Minute, time.Hour).certificate), "revoked"},
		"a CA":                      {serialised(t, "Ours", between.certificate), "CA"},
		"long":                      {make([]byte, maxIdentity+1), "at most"},
		"no identity":               {[]byte{0xff}, "decoding"},
	} {
		if err := m.Validate(c.identity); (err == nil) != (c.text == "") || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
	if !m.ContainsMSP("Ours") || m.ContainsMSP("Nobody") {
		t.Error("organisations are confused")
	}
	digest := sha256.Sum256([]byte("message"))
	signature, err := ecdsa.SignASN1(rand.Reader, good.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(serialised(t, "Ours", good.certificate), []byte("message"), signature); err != nil {
		t.Error(err)
	}
	if m.Verify(serialised(t, "Ours", good.certificate), []byte("another"), signature) == nil {
		t.Error("a signature of another message is taken")
	}
}

// Root certificates come with either form of signature; the library takes one of them only.
func TestMembershipTakesEitherFormOfRoot(t *testing.T) {
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	seen := map[bool]bool{}
	for len(seen) < 2 {
		root := newAuthority(t, nil)
		var signature struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(root.certificate.Signature, &signature); err != nil {
			t.Fatal(err)
		}
		high := signature.S.Cmp(half) > 0
		if seen[high] {
			continue
		}
		seen[high] = true
		identity := serialised(t, "Ours", root.member(t, 2, -time.Minute, time.Hour).certificate)
		if err := membershipOf(t, root.config("Ours")).Validate(identity); err != nil {
			t.Errorf("high S %v: %v", high, err)
		}
	}
}

func FuzzMembership(f *testing.F) {
	ours := newAuthority(f, nil)
	config := ours.config("Ours")
	encoded, err := encode(config)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded, serialised(f, "Ours", ours.member(f, 2, -time.Minute, time.Hour).certificate))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, config, identity []byte) {
		channel := &channelOf{configs: []*msp.MSPConfig{{Config: config}}}
		m := &membership{config: func() (fab.ChannelCfg, error) { return channel, nil }}
		if m.Validate(identity) == nil && m.Verify(identity, nil, []byte{1}) == nil {
			t.Error("a signature of nothing is taken")
		}
	})
}
