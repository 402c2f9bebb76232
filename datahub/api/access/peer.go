package access

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// nodesFresh is how long the record of published CAs is used without a look at the ledger, nodesUsable how long if the ledger does not answer.
	nodesFresh  = time.Minute
	nodesUsable = 5 * time.Minute
	nodesWait   = 5 * time.Second
	nodesPause  = time.Second
	// MaxChain bounds the certificates that a peer shows.
	MaxChain = 4
	// maxVerified bounds how many certificates are remembered as good.
	maxVerified = 4 * ledger.MaxOrganisations
)

var errNodesUnknown = errors.New("the ledger's record of nodes cannot be read")

// peers knows the nodes of other organisations by the CAs that these published.
type peers struct {
	own   string
	fetch func(context.Context) ([]ledger.NodeRecord, error)
	now   func() time.Time

	looking sync.Mutex // one look at a time
	mu      sync.Mutex
	cas     map[string]*x509.Certificate
	fetched time.Time
	tried   time.Time
	failed  bool // the last look was in vain
	// changes counts what the ledger told of, and read how many of them the record has: those before the look that it is from.
	changes, read uint64
	// verified are leaf certificates that chain to a CA of cas, until when.
	verified map[[sha256.Size]byte]verifiedPeer
	// served are the calls of peers that are under way.
	served map[*peerCall]struct{}
}

type verifiedPeer struct {
	organisation string
	ca           []byte
	from, until  time.Time
}

func (v *verifiedPeer) principal() Principal {
	return Principal{Kind: Peer, Organisation: v.organisation, Until: v.until, ca: v.ca}
}

func newPeers(o *Options) *peers {
	return &peers{own: o.Organisation.ID, fetch: o.Nodes, now: o.Now, verified: map[[sha256.Size]byte]verifiedPeer{}, served: map[*peerCall]struct{}{}}
}

// verify says whose node shows a chain of certificates, of which TLS has proven that it has the first one's key. It returns errNodesUnknown if that
// cannot be known now. What is not remembered as good is one of the attempts.
func (p *peers) verify(ctx context.Context, a *attempts, chain []*x509.Certificate) (Principal, error) {
	if len(chain) == 0 || len(chain) > MaxChain {
		return Principal{}, fmt.Errorf("certificate: a chain of %d, must be 1 to %d", len(chain), MaxChain)
	}
	if err := p.current(ctx); err != nil {
		return Principal{}, err
	}
	now := p.now()
	digest := sha256.Sum256(chain[0].Raw)
	p.mu.Lock()
	known, ok := p.verified[digest]
	p.mu.Unlock()
	if ok && !now.Before(known.from) && !now.After(known.until) {
		return known.principal(), nil
	}
	var checked verifiedPeer
	err := a.try(ctx, func() (err error) { checked, err = p.check(chain, now); return err })
	if err != nil {
		return Principal{}, err
	}
	p.remember(digest, checked)
	return checked.principal(), nil
}

// check verifies a chain in full.
func (p *peers) check(chain []*x509.Certificate, now time.Time) (v verifiedPeer, err error) {
	if v.organisation, err = organisationOf(chain[0]); err != nil {
		return v, err
	}
	p.mu.Lock()
	ca := p.cas[v.organisation]
	p.mu.Unlock()
	if ca == nil {
		return v, fmt.Errorf("certificate: organisation %s has published no node on the ledger", v.organisation)
	}
	if v.organisation == p.own {
		return v, errors.New("certificate: this organisation's own callers show a token")
	}
	v.ca = ca.Raw
	v.from, v.until, err = verifyChain(chain, ca, now)
	return v, err
}

// remember keeps what was verified, unless the CA is not the organisation's any more.
func (p *peers) remember(digest [sha256.Size]byte, v verifiedPeer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.currently(v.organisation, v.ca) {
		return
	}
	if len(p.verified) >= maxVerified {
		clear(p.verified)
	}
	p.verified[digest] = v
}

// organisationOf is the one organisation in a certificate's subject.
func organisationOf(c *x509.Certificate) (string, error) {
	if len(c.Subject.Organization) != 1 {
		return "", fmt.Errorf("certificate: its subject names %d organisations, must name one", len(c.Subject.Organization))
	}
	organisation := c.Subject.Organization[0]
	return organisation, ledger.CheckID("certificate: its organisation", organisation)
}

// verifyChain checks that a certificate is a client's, is of a CA, and is valid now, and says from when until when.
func verifyChain(chain []*x509.Certificate, ca *x509.Certificate, now time.Time) (from, until time.Time, err error) {
	leaf := chain[0]
	// A certificate without a purpose would do for any.
	if !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return from, until, errors.New("certificate: it is not for clients (extended key usage)")
	}
	if leaf.IsCA || leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return from, until, errors.New("certificate: it is not one of a node (key usage)")
	}
	if !strong(leaf.PublicKey) {
		return from, until, errors.New("certificate: its key is too weak, or too long")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(ca)
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return from, until, fmt.Errorf("certificate: not of the CA that its organisation published, or not valid now: %w", err)
	}
	from, until = leaf.NotBefore, leaf.NotAfter
	for _, c := range chains[0] {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	return from, until, nil
}

func strong(key any) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return true
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSA && k.N.BitLen() <= maxRSA
	}
	return false
}

// current makes sure that the record of CAs is recent enough.
func (p *peers) current(ctx context.Context) error {
	if p.fetch == nil {
		return errors.New("certificate: this node serves no peers")
	}
	if _, due := p.state(); !due {
		return nil
	}
	p.looking.Lock()
	defer p.looking.Unlock()
	usable, due := p.state() // another may have looked meanwhile
	if !due {
		return nil
	}
	if p.paused() {
		if usable {
			return nil
		}
		return errNodesUnknown
	}
	// Whoever waits for the look with a shorter deadline must not make it fail for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), nodesWait)
	defer cancel()
	if err := p.look(ctx); err != nil && !usable {
		return errNodesUnknown
	}
	return nil
}

// state says whether the record will do, and whether a look at the ledger is due. After a change nothing will do but what is read after it.
func (p *peers) state() (usable, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := p.now().Sub(p.fetched)
	usable = p.cas != nil && p.read == p.changes && age >= 0 && age < nodesUsable
	return usable, !usable || age >= nodesFresh
}

// paused says that the ledger was asked a moment ago, in vain.
func (p *peers) paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := p.now().Sub(p.tried)
	return p.failed && since >= 0 && since < nodesPause
}

func (p *peers) look(ctx context.Context) error {
	p.mu.Lock()
	p.tried = p.now()
	changes := p.changes // what changes from now on may not be in what is read
	p.mu.Unlock()
	records, err := p.fetch(ctx)
	var cas map[string]*x509.Certificate
	if err == nil {
		cas, err = publishedCAs(records)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed = err != nil; p.failed {
		return err
	}
	if !sameCAs(p.cas, cas) {
		clear(p.verified)
		p.cas = cas
		p.endFormer()
	}
	p.fetched, p.read = p.now(), changes
	return nil
}

// publishedCAs reads the CAs of the records. One that cannot be used leaves its organisation without, and the others as they are.
func publishedCAs(records []ledger.NodeRecord) (map[string]*x509.Certificate, error) {
	if len(records) > ledger.MaxOrganisations {
		return nil, fmt.Errorf("nodes: %d, at most %d", len(records), ledger.MaxOrganisations)
	}
	cas := map[string]*x509.Certificate{}
	for i := range records {
		if ca, err := ParseCA(records[i].Certificate); err == nil {
			cas[records[i].Organisation] = ca
		}
	}
	return cas, nil
}

func sameCAs(a, b map[string]*x509.Certificate) bool {
	if a == nil || len(a) != len(b) {
		return false
	}
	for organisation, ca := range a {
		if other, ok := b[organisation]; !ok || !bytes.Equal(ca.Raw, other.Raw) {
			return false
		}
	}
	return true
}

// ParseCA reads a CA's certificate in DER, as it stands on the ledger.
func ParseCA(der []byte) (*x509.Certificate, error) {
	if len(der) > ledger.MaxNodeCertificate {
		return nil, fmt.Errorf("ca: has %d bytes, at most %d", len(der), ledger.MaxNodeCertificate)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if !ca.IsCA || !ca.BasicConstraintsValid || ca.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, errors.New("ca: it may not sign certificates")
	}
	if !strong(ca.PublicKey) {
		return nil, errors.New("ca: its key is too weak, or too long")
	}
	return ca, nil
}
