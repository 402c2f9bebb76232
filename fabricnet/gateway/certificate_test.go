package gateway_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// certificates that a peer must not accept: of an authority that nobody knows, and of the right one, but expired.
func (n network) certificates(t *testing.T) {
	stranger := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ca, caKey := n.authority(t, owner)
	strangersCA := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: ca.Subject, NotBefore: ca.NotBefore}
	for name, issue := range map[string]func(key *ecdsa.PrivateKey) string{
		"foreign": func(key *ecdsa.PrivateKey) string { return n.certify(t, strangersCA, stranger, key, time.Hour) },
		"expired": func(key *ecdsa.PrivateKey) string { return n.certify(t, ca, caKey, key, -time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
			c := n.open(t, owner, func(o *gateway.Options) { o.Profile.Certificate, o.Signer = issue(key), key })
			n.accessDenied(t, c)
		})
	}
	t.Run("valid", func(t *testing.T) {
		key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		c := n.open(t, owner, func(o *gateway.Options) {
			o.Profile.Certificate, o.Signer = n.certify(t, ca, caKey, key, time.Hour), key
		})
		if _, err := c.Book().RegisterFleet(t.Context(), fleet("of-another-member")); err != nil {
			t.Error(err)
		}
	})
}

func (n network) accessDenied(t *testing.T, c *gateway.Client) {
	t.Helper()
	_, err := c.Book().RegisterFleet(t.Context(), fleet("denied"))
	var e *gateway.Error
	if ledger.CodeOf(err) != ledger.Forbidden || !errors.As(err, &e) || e.Stage != gateway.StageEndorse {
		t.Errorf("submitting: %v", err)
	}
	t.Logf("submitting: %v", err)
	if _, err := c.Book().Fleets(t.Context()); ledger.CodeOf(err) != ledger.Forbidden {
		t.Errorf("querying: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, err := range c.Events(ctx, 0, 0) {
		if ledger.CodeOf(err) != ledger.Forbidden || !errors.As(err, &e) || e.Stage != gateway.StageEvents {
			t.Errorf("following: %v", err)
		}
	}
}

// authority is an organisation's own, as the network's folder has it.
func (n network) authority(t *testing.T, org string) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	dir := filepath.Join(n.Dir, "orgs", org, "ca")
	certificate := must[*x509.Certificate](t)(x509.ParseCertificate(readPEM(t, filepath.Join(dir, "ca."+org+"-cert.pem"))))
	return certificate, must[any](t)(x509.ParsePKCS8PrivateKey(readPEM(t, filepath.Join(dir, "priv_sk")))).(crypto.Signer)
}

func readPEM(t *testing.T, path string) []byte {
	t.Helper()
	block, _ := pem.Decode(must[[]byte](t)(os.ReadFile(path)))
	if block == nil {
		t.Fatalf("%s is not PEM", path)
	}
	return block.Bytes
}

// certify issues a certificate to a client of the authority's organisation, until then, and writes it.
func (n network) certify(t *testing.T, ca *x509.Certificate, caKey crypto.Signer, key *ecdsa.PrivateKey, until time.Duration) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "client", OrganizationalUnit: []string{"client"}},
		NotBefore: ca.NotBefore.Add(time.Minute), NotAfter: time.Now().Add(until), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey))
	for !lowSignature(t, der) { // no other certificate is well formed to a peer
		der = must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey))
	}
	path := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func lowSignature(t *testing.T, der []byte) bool {
	t.Helper()
	var signature struct{ R, S *big.Int }
	must[[]byte](t)(asn1.Unmarshal(must[*x509.Certificate](t)(x509.ParseCertificate(der)).Signature, &signature))
	return signature.S.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) <= 0
}
