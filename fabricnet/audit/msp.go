package audit

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
)

const (
	maxAuthorities = 256
	maxCRL         = 16 << 20
)

// provider is an organisation's membership service provider: its certificate authorities, what they revoked, and how roles are told from organisational units.
type provider struct {
	id            string
	roots         *x509.CertPool
	intermediates *x509.CertPool
	authorities   []*x509.Certificate
	isRoot        map[string]bool
	// inner are the authorities that certify other authorities. They certify no members.
	inner   map[string]bool
	revoked []*x509.RevocationList
	admins  map[[sha256.Size]byte]bool
	config  *msp.MSPConfig
	// members, if any, lists units of which a member must have one; nodes are the units that stand for roles, if those are in force.
	members []unitRule
	nodes   map[msp.MSPRole_MSPRoleType]unitRule
}

// unitRule is a unit's name, by a certain chain of authorities unless anyChain.
type unitRule struct {
	name     string
	anyChain bool
	chain    [sha256.Size]byte
}

func (r unitRule) meets(u unit) bool { return r.name == u.name && (r.anyChain || r.chain == u.chain) }

func readProvider(encoded []byte) (*provider, error) {
	outer, c := new(msp.MSPConfig), new(msp.FabricMSPConfig)
	if err := decode("MSP", encoded, outer, nil); err != nil {
		return nil, err
	}
	if outer.Type != 0 {
		return nil, fmt.Errorf("MSP: is of type %d, only X.509 is understood", outer.Type)
	}
	bound := limits{2: maxAuthorities, 3: maxAuthorities, 4: maxAuthorities, 5: maxAuthorities, 7: maxAuthorities, 9: maxAuthorities, 10: maxAuthorities}
	if err := decode("MSP", outer.Config, c, bound); err != nil {
		return nil, err
	}
	p := &provider{id: c.Name, roots: x509.NewCertPool(), intermediates: x509.NewCertPool(), isRoot: map[string]bool{}, inner: map[string]bool{}, admins: map[[sha256.Size]byte]bool{}, config: outer}
	if err := p.read(c); err != nil {
		return nil, fmt.Errorf("MSP %.64q: %w", c.Name, err)
	}
	return p, nil
}

func (p *provider) read(c *msp.FabricMSPConfig) error {
	if p.id == "" {
		return errors.New("has no name")
	}
	if cc := c.CryptoConfig; cc != nil && (cc.SignatureHashFamily != "SHA2" || cc.IdentityIdentifierHashFunction != "SHA256") {
		return errors.New("uses other hash functions than SHA-256")
	}
	if err := p.readAuthorities(c); err != nil {
		return err
	}
	for i, encoded := range c.RevocationList {
		list, err := parseCRL(encoded)
		if err != nil {
			return fmt.Errorf("revocation list %d: %w", i, err)
		}
		p.revoked = append(p.revoked, list)
	}
	for i, encoded := range c.Admins {
		cert, err := parseCertificate(encoded)
		if err != nil {
			return fmt.Errorf("administrator %d: %w", i, err)
		}
		p.admins[fingerprint(cert)] = true
	}
	return p.readUnits(c)
}

func (p *provider) readAuthorities(c *msp.FabricMSPConfig) error {
	if len(c.RootCerts) == 0 {
		return errors.New("has no root certificate")
	}
	for i, encoded := range c.RootCerts {
		cert, err := parseCertificate(encoded)
		if err != nil {
			return fmt.Errorf("root %d: %w", i, err)
		}
		p.roots.AddCert(cert)
		p.authorities = append(p.authorities, cert)
		p.isRoot[string(cert.Raw)] = true
	}
	first := len(p.authorities)
	for i, encoded := range c.IntermediateCerts {
		cert, err := parseCertificate(encoded)
		if err != nil {
			return fmt.Errorf("intermediate %d: %w", i, err)
		}
		p.intermediates.AddCert(cert)
		p.authorities = append(p.authorities, cert)
	}
	for i, cert := range p.authorities[first:] {
		chain, err := p.chain(cert)
		if err != nil {
			return fmt.Errorf("intermediate %d: %w", i, err)
		}
		for _, above := range chain[1:] {
			p.inner[string(above.Raw)] = true
		}
	}
	return nil
}

func parseCRL(encoded []byte) (*x509.RevocationList, error) {
	if len(encoded) > maxCRL {
		return nil, fmt.Errorf("has %d bytes, at most %d", len(encoded), maxCRL)
	}
	if block, _ := pem.Decode(encoded); block != nil {
		encoded = block.Bytes
	}
	return x509.ParseRevocationList(encoded)
}

// readUnits reads which organisational units stand for which roles.
func (p *provider) readUnits(c *msp.FabricMSPConfig) error {
	for _, u := range c.OrganizationalUnitIdentifiers {
		r, err := p.unitRule(u)
		if err != nil {
			return err
		}
		p.members = append(p.members, r)
	}
	n := c.FabricNodeOus
	if n == nil || !n.Enable {
		return nil
	}
	nodes := map[msp.MSPRole_MSPRoleType]unitRule{}
	for role, u := range map[msp.MSPRole_MSPRoleType]*msp.FabricOUIdentifier{
		msp.MSPRole_CLIENT: n.ClientOuIdentifier, msp.MSPRole_PEER: n.PeerOuIdentifier,
		msp.MSPRole_ADMIN: n.AdminOuIdentifier, msp.MSPRole_ORDERER: n.OrdererOuIdentifier,
	} {
		if u == nil {
			continue
		}
		r, err := p.unitRule(u)
		if err != nil {
			return err
		}
		nodes[role] = r
	}
	if len(nodes) > 0 {
		p.nodes = nodes
	}
	return nil
}

func (p *provider) unitRule(u *msp.FabricOUIdentifier) (unitRule, error) {
	r := unitRule{name: u.OrganizationalUnitIdentifier, anyChain: len(u.Certificate) == 0}
	if r.anyChain {
		return r, nil
	}
	cert, err := parseCertificate(u.Certificate)
	if err != nil {
		return r, fmt.Errorf("organisational unit %.64q: %w", r.name, err)
	}
	chain := []*x509.Certificate{cert}
	if !p.isRoot[string(cert.Raw)] {
		if chain, err = p.chain(cert); err != nil {
			return r, fmt.Errorf("organisational unit %.64q: %w", r.name, err)
		}
	}
	r.chain = chainDigest(chain)
	return r, nil
}

// chain is the one chain from a certificate to a root. As Fabric does it leaves the certificate's period aside.
func (p *provider) chain(cert *x509.Certificate) ([]*x509.Certificate, error) {
	chains, err := cert.Verify(x509.VerifyOptions{Roots: p.roots, Intermediates: p.intermediates, CurrentTime: cert.NotBefore.Add(time.Second)})
	if err != nil {
		return nil, err
	}
	if len(chains) != 1 || len(chains[0]) < 2 {
		return nil, errors.New("certificate has not one chain to a root")
	}
	return chains[0], nil
}

func chainDigest(chain []*x509.Certificate) [sha256.Size]byte {
	h := sha256.New()
	for _, c := range chain {
		h.Write(c.Raw)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// identity checks a member's certificate. What is wrong with its chain is an error; what is wrong with a member of the MSP is in the identity.
func (p *provider) identity(cert *x509.Certificate) (*identity, error) {
	id := &identity{mspID: p.id, cert: cert, digest: fingerprint(cert), roles: map[msp.MSPRole_MSPRoleType]bool{}}
	if cert.IsCA {
		return nil, fmt.Errorf("identity of %s: certificate is an authority's", p.id)
	}
	if a := cert.PublicKeyAlgorithm; a != x509.ECDSA && a != x509.Ed25519 {
		return nil, fmt.Errorf("identity of %s: keys of algorithm %v are not taken", p.id, a)
	}
	chain, err := p.chain(cert)
	if err != nil {
		return nil, fmt.Errorf("identity of %s: %w", p.id, err)
	}
	if p.inner[string(chain[1].Raw)] {
		return nil, fmt.Errorf("identity of %s: is certified by an authority that certifies authorities", p.id)
	}
	digest := chainDigest(chain[1:])
	for _, name := range cert.Subject.OrganizationalUnit {
		id.units = append(id.units, unit{name, digest})
	}
	if id.invalid = p.checkRevoked(cert, chain[1]); id.invalid == nil {
		id.invalid = p.checkUnits(id)
	}
	return id, nil
}

func (p *provider) checkRevoked(cert, issuer *x509.Certificate) error {
	for _, list := range p.revoked {
		if !bytes.Equal(list.AuthorityKeyId, issuer.SubjectKeyId) || list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		for _, r := range list.RevokedCertificateEntries {
			if r.SerialNumber.Cmp(cert.SerialNumber) == 0 {
				return fmt.Errorf("certificate of %s is revoked", p.id)
			}
		}
	}
	return nil
}

// checkUnits finds the identity's one role.
func (p *provider) checkUnits(id *identity) error {
	if len(p.members) > 0 && !meetsAny(p.members, id.units) {
		return fmt.Errorf("identity of %s is in none of the units that its MSP recognises", p.id)
	}
	id.roles[msp.MSPRole_MEMBER] = true
	id.roles[msp.MSPRole_ADMIN] = p.admins[id.digest]
	if p.nodes == nil {
		return nil
	}
	found := 0
	for _, u := range id.units {
		for role, rule := range p.nodes {
			if rule.name != u.name {
				continue
			}
			if !rule.meets(u) {
				return fmt.Errorf("identity of %s has its unit %.64q from another authority", p.id, u.name)
			}
			found++
			id.roles[role] = true
		}
	}
	if found != 1 {
		return fmt.Errorf("identity of %s has %d roles, must have one", p.id, found)
	}
	return nil
}

func meetsAny(rules []unitRule, units []unit) bool {
	for _, r := range rules {
		for _, u := range units {
			if r.meets(u) {
				return true
			}
		}
	}
	return false
}
