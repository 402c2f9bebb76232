// Package authority is an organisation's own CA for its node's interface: it signs what the node shows to those who call it, and what the node shows when it
// calls another organisation's. The CA's certificate is what the organisation publishes on the ledger, and all that others know of it.
//
// # What it promises
//
// The CA's key is ECDSA on P-256, in a file of mode 0600 in a folder of its own; a file that others may read is refused. The certificates that it signs
// name the organisation, are for one purpose each, a server or a client, and live thirty days. They and their keys are made in memory when the node
// starts, made again when a third of their time is left, and written nowhere.
//
// # What it does not
//
// It revokes nothing: an organisation whose CA key is lost publishes another CA, and the others' nodes take the former's certificates no longer. An
// organisation that has a PKI need not use it: any CA that signs certificates with the organisation's id in the subject will do,
// if it is the organisation's alone. Of a CA that others may have certificates of, whoever is given one with that id in it is the organisation.
package authority

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
	"sync"
	"time"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	authorityYears = 20
	// Lifetime is how long a node's certificate is valid, renewBefore when another is made.
	Lifetime    = 30 * 24 * time.Hour
	renewBefore = Lifetime / 3
	// backdate is for clocks that are behind.
	backdate = time.Hour
	maxFile  = 16 << 10
	// MaxNames bounds the names of a server.
	MaxNames = 32
)

// Authority is an organisation's CA. It is safe for concurrent use.
type Authority struct {
	organisation string
	certificate  *x509.Certificate
	key          crypto.Signer
	now          func() time.Time
}

// Open opens the CA in a folder, and makes it if there is none. The clock is the system's if now is nil.
func Open(dir, organisation string, now func() time.Time) (*Authority, error) {
	if err := ledger.CheckID("organisation", organisation); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	if now == nil {
		now = time.Now
	}
	a := &Authority{organisation: organisation, now: now}
	err := a.load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = a.make(dir); err == nil {
			err = a.load(dir) // another process may have been first
		}
	}
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	return a, nil
}

// The certificate is in the same file as the key, so that one never stands without the other.
func file(dir string) string { return filepath.Join(dir, "ca.pem") }

func (a *Authority) load(dir string) error {
	path := file(dir)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := durable.CheckPrivate(path, info); err != nil {
		return err
	}
	b, err := durable.ReadFile(path, maxFile)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(b, b)
	if err != nil {
		return fmt.Errorf("%s: not a certificate and its key", path)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return fmt.Errorf("%s: not a CA's", path)
	}
	if o := pair.Leaf.Subject.Organization; len(o) != 1 || o[0] != a.organisation {
		return fmt.Errorf("%s: the CA of %q, not of %s", path, o, a.organisation)
	}
	a.certificate, a.key = pair.Leaf, key
	return nil
}

func (a *Authority) make(dir string) error {
	template := &x509.Certificate{
		Subject: pkix.Name{Organization: []string{a.organisation}, CommonName: "Assay API CA"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: a.now().AddDate(authorityYears, 0, 0),
	}
	der, key, err := a.sign(template)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return errors.New("the CA's key cannot be encoded")
	}
	content := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	if err := durable.CreateFile(file(dir), content); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// sign makes a key and its certificate; its own issuer's while there is no CA.
func (a *Authority) sign(t *x509.Certificate) (der []byte, key *ecdsa.PrivateKey, err error) {
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	t.NotBefore = a.now().Add(-backdate)
	issuer, signer := a.certificate, a.key
	if issuer == nil {
		issuer, signer = t, crypto.Signer(key)
	}
	der, err = x509.CreateCertificate(rand.Reader, t, issuer, key.Public(), signer)
	return der, key, err
}

// Certificate is the CA's, in DER: what the organisation publishes on the ledger.
func (a *Authority) Certificate() []byte { return a.certificate.Raw }

// Publish is what the organisation tells the ledger of its node at a URL, with the CA's signature that the node is the organisation's.
func (a *Authority) Publish(on commit.Digest, url string) (ledger.PublishNode, error) {
	possession, err := ledger.SignNode(a.key, on, a.organisation, url)
	if err != nil {
		return ledger.PublishNode{}, fmt.Errorf("authority: %w", err)
	}
	return ledger.PublishNode{URL: url, Certificate: a.Certificate(), Possession: possession}, nil
}

// Pool holds the CA alone, for those who trust no other for this node.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Server gives what the node shows to its callers, for tls.Config.GetCertificate, under the given host names and addresses.
func (a *Authority) Server(names ...string) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	if len(names) == 0 || len(names) > MaxNames {
		return nil, fmt.Errorf("authority: %d names, must be 1 to %d", len(names), MaxNames)
	}
	template := x509.Certificate{
		Subject: pkix.Name{Organization: []string{a.organisation}, CommonName: "node of " + a.organisation}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		if len(name) == 0 || len(name) > 253 {
			return nil, fmt.Errorf("authority: a name has %d characters, must have 1 to 253", len(name))
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	r := &renewed{authority: a, template: template}
	_, err := r.current()
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.current() }, err
}

// Client gives what the node shows to other organisations' nodes, for tls.Config.GetClientCertificate.
func (a *Authority) Client() (func(*tls.CertificateRequestInfo) (*tls.Certificate, error), error) {
	r := &renewed{authority: a, template: x509.Certificate{
		Subject: pkix.Name{Organization: []string{a.organisation}, CommonName: "node of " + a.organisation}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}}
	_, err := r.current()
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return r.current() }, err
}

// renewed is a certificate that is made again in time.
type renewed struct {
	authority *Authority
	template  x509.Certificate

	mu   sync.Mutex
	made *tls.Certificate
}

func (r *renewed) current() (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.authority.now()
	if r.made != nil && now.Before(r.made.Leaf.NotAfter.Add(-renewBefore)) {
		return r.made, nil
	}
	template := r.template
	template.NotAfter = now.Add(Lifetime)
	der, key, err := r.authority.sign(&template)
	if err != nil {
		return nil, fmt.Errorf("authority: signing: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("authority: signing: %w", err)
	}
	r.made = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return r.made, nil
}
