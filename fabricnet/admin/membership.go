package admin

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

const (
	maxIdentity      = 64 << 10
	maxMemberships   = 256 // organisations of a channel, those of the ordering service included
	maxCAs           = 64  // of one organisation, and as many revocation lists
	fabricMembership = 0   // the type of a membership by X.509 certificates
	certificateType  = "CERTIFICATE"
)

// membership checks whose signature an answer carries, against the organisations of the channel's configuration. The library's own
// check rewrites certificates to a form of signature that it likes and then does not find its rewritten root among the roots; about every second
// root certificate in the world has the other form.
type membership struct {
	config func() (fab.ChannelCfg, error)

	mu            sync.Mutex
	seen          fab.ChannelCfg // what organisations was made from
	organisations map[string]*organisation
}

// organisation is what a channel's configuration says about one.
type organisation struct {
	roots, intermediates *x509.CertPool
	revoked              []*x509.RevocationList
	tlsRoots             []*x509.Certificate
}

// Validate reports whether the identity is a member of the channel now.
func (m *membership) Validate(identity []byte) error {
	_, err := m.certificate(identity)
	return err
}

// Verify reports whether the identity, a member of the channel, signed the message.
func (m *membership) Verify(identity, message, signature []byte) error {
	c, err := m.certificate(identity)
	if err != nil {
		return err
	}
	good := false
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		good = ecdsa.VerifyASN1(key, digest[:], signature)
	case ed25519.PublicKey:
		good = ed25519.Verify(key, message, signature)
	}
	if !good {
		return fmt.Errorf("the signature is not that of %s", c.Subject.CommonName)
	}
	return nil
}

// ContainsMSP reports whether the channel has the organisation.
func (m *membership) ContainsMSP(id string) bool {
	all, err := m.all()
	return err == nil && all[id] != nil
}

func (m *membership) all() (map[string]*organisation, error) {
	config, err := m.config()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen != config {
		organisations, err := parseOrganisations(config.MSPs())
		if err != nil {
			return nil, fmt.Errorf("the channel's configuration: %w", err)
		}
		m.seen, m.organisations = config, organisations
	}
	return m.organisations, nil
}

// certificate decodes an identity and checks that it is a member.
func (m *membership) certificate(identity []byte) (*x509.Certificate, error) {
	all, err := m.all()
	if err != nil {
		return nil, err
	}
	if len(identity) > maxIdentity {
		return nil, fmt.Errorf("an identity has %d bytes, at most %d", len(identity), maxIdentity)
	}
	var decoded msp.SerializedIdentity
	if err := decode(identity, &decoded); err != nil {
		return nil, fmt.Errorf("decoding an identity: %w", err)
	}
	o := all[decoded.Mspid]
	if o == nil {
		return nil, fmt.Errorf("%.100q is no organisation of the channel", decoded.Mspid)
	}
	block, _ := pem.Decode(decoded.IdBytes)
	if block == nil {
		return nil, fmt.Errorf("an identity of %s holds no certificate", decoded.Mspid)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("an identity of %s: %w", decoded.Mspid, err)
	}
	if err := o.check(c); err != nil {
		return nil, fmt.Errorf("an identity of %s: %w", decoded.Mspid, err)
	}
	return c, nil
}

func (o *organisation) check(c *x509.Certificate) error {
	if c.IsCA {
		return errors.New("a CA's certificate is no identity")
	}
	chains, err := c.Verify(x509.VerifyOptions{Roots: o.roots, Intermediates: o.intermediates, CurrentTime: time.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if o.anyRevoked(chain) {
			return errors.New("the certificate or one of its issuers is revoked")
		}
	}
	return nil
}

func (o *organisation) anyRevoked(chain []*x509.Certificate) bool {
	for i := range len(chain) - 1 {
		for _, list := range o.revoked {
			if list.CheckSignatureFrom(chain[i+1]) != nil {
				continue
			}
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(chain[i].SerialNumber) == 0 {
					return true
				}
			}
		}
	}
	return false
}

func parseOrganisations(configs []*msp.MSPConfig) (map[string]*organisation, error) {
	if len(configs) > maxMemberships {
		return nil, fmt.Errorf("%d organisations, at most %d", len(configs), maxMemberships)
	}
	all := map[string]*organisation{}
	for _, config := range configs {
		if config.Type != fabricMembership {
			continue // its members are not peers
		}
		var f msp.FabricMSPConfig
		if err := decode(config.Config, &f); err != nil {
			return nil, fmt.Errorf("decoding an organisation: %w", err)
		}
		o, err := parseOrganisation(&f)
		if err != nil {
			return nil, fmt.Errorf("organisation %.100q: %w", f.Name, err)
		}
		all[f.Name] = o
	}
	return all, nil
}

func parseOrganisation(f *msp.FabricMSPConfig) (*organisation, error) {
	for _, list := range [][][]byte{f.RootCerts, f.IntermediateCerts, f.TlsRootCerts, f.TlsIntermediateCerts, f.RevocationList} {
		if len(list) > maxCAs {
			return nil, fmt.Errorf("%d certificates or lists of one kind, at most %d", len(list), maxCAs)
		}
	}
	o := &organisation{roots: x509.NewCertPool(), intermediates: x509.NewCertPool()}
	for _, kind := range []struct {
		name string
		pem  [][]byte
		take func(*x509.Certificate)
	}{
		{"root", f.RootCerts, o.roots.AddCert},
		{"intermediate", f.IntermediateCerts, o.intermediates.AddCert},
		{"TLS root", f.TlsRootCerts, o.takeTLS},
		{"TLS intermediate", f.TlsIntermediateCerts, o.takeTLS},
	} {
		for _, b := range kind.pem {
			block, _ := pem.Decode(b)
			if block == nil || block.Type != certificateType {
				return nil, fmt.Errorf("a %s certificate is not PEM", kind.name)
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("a %s certificate: %w", kind.name, err)
			}
			kind.take(c)
		}
	}
	return o, o.takeRevoked(f.RevocationList)
}

func (o *organisation) takeTLS(c *x509.Certificate) { o.tlsRoots = append(o.tlsRoots, c) }

func (o *organisation) takeRevoked(lists [][]byte) error {
	for _, b := range lists {
		if block, _ := pem.Decode(b); block != nil {
			b = block.Bytes
		}
		list, err := x509.ParseRevocationList(b)
		if err != nil {
			return fmt.Errorf("a revocation list: %w", err)
		}
		o.revoked = append(o.revoked, list)
	}
	return nil
}
