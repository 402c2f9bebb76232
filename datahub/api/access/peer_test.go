package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// nodes is the ledger's record, which can be changed, and made to fail.
type nodes struct {
	mu      sync.Mutex
	records []ledger.NodeRecord
	err     error
	asked   int
}

func (n *nodes) list(context.Context) ([]ledger.NodeRecord, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	return n.records, n.err
}

func (n *nodes) be(err error, records ...ledger.NodeRecord) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err, n.records = err, records
}

func (n *nodes) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newCA(c *clock, change func(*x509.Certificate)) ca {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"lender"}}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: c.now().Add(-time.Hour), NotAfter: c.now().Add(24 * time.Hour),
	}
	if change != nil {
		change(template)
	}
	return ca{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)))), key}
}

func (a ca) leaf(c *clock, d time.Duration) []*x509.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Organization: []string{"lender"}}, NotBefore: c.now().Add(-time.Hour), NotAfter: c.now().Add(d),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	return []*x509.Certificate{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key))))}
}

func (a ca) record() ledger.NodeRecord {
	return ledger.NodeRecord{Organisation: "lender", Certificate: a.cert.Raw}
}

func newTestPeers(c *clock, n *nodes) *peers {
	return newPeers(&Options{Organisation: ledger.Organisation{ID: "owner"}, Nodes: n.list, Now: c.now})
}

func TestRecordOfNodesIsKeptAndFailsClosed(t *testing.T) {
	c, n := newClock(), &nodes{}
	a := newCA(c, nil)
	chain := a.leaf(c, 2*time.Hour)
	p := newTestPeers(c, n)
	verify := func() error { _, err := p.verify(t.Context(), nil, chain); return err }
	n.be(errors.New("down"))
	for range 10 {
		if err := verify(); !errors.Is(err, errNodesUnknown) {
			t.Fatalf("a ledger that was never read: %v", err)
		}
	}
	if n.count() != 1 {
		t.Errorf("asked %d times within the pause", n.count())
	}
	c.pass(nodesPause)
	n.be(nil, a.record())
	for range 10 {
		if err := verify(); err != nil {
			t.Fatal(err)
		}
	}
	if n.count() != 2 {
		t.Errorf("asked %d times", n.count())
	}
}

// A ledger that goes away: what is known is used for a while, and not after an event.
func TestRecordOfNodesWhenTheLedgerGoesAway(t *testing.T) {
	c, n := newClock(), &nodes{}
	a := newCA(c, nil)
	chain := a.leaf(c, 2*time.Hour)
	p := newTestPeers(c, n)
	verify := func() error { _, err := p.verify(t.Context(), nil, chain); return err }
	n.be(nil, a.record())
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	n.be(errors.New("down"))
	c.pass(nodesUsable - time.Second)
	if err := verify(); err != nil {
		t.Errorf("within the while: %v", err)
	}
	c.pass(2 * time.Second)
	if err := verify(); !errors.Is(err, errNodesUnknown) {
		t.Errorf("after it: %v", err)
	}
	n.be(nil, a.record())
	c.pass(nodesPause)
	if err := verify(); err != nil {
		t.Errorf("back: %v", err)
	}
	// After an event, nothing will do but what is read after it.
	n.be(errors.New("down"))
	p.changedNow()
	for range 2 {
		if err := verify(); !errors.Is(err, errNodesUnknown) {
			t.Errorf("after an event: %v", err)
		}
	}
	n.be(nil)
	c.pass(nodesPause)
	if err := verify(); err == nil || errors.Is(err, errNodesUnknown) {
		t.Errorf("an organisation that has gone: %v", err)
	}
}

// While the record is read after an event, the old one is not used: what it says may just have been taken back.
func TestRecordOfNodesWhileItIsRead(t *testing.T) {
	c, n := newClock(), &nodes{}
	a := newCA(c, nil)
	chain := a.leaf(c, time.Hour)
	reading, release := make(chan struct{}), make(chan struct{})
	first := true
	p := newPeers(&Options{Organisation: ledger.Organisation{ID: "owner"}, Now: c.now, Nodes: func(ctx context.Context) ([]ledger.NodeRecord, error) {
		if first {
			first = false
			return []ledger.NodeRecord{a.record()}, nil
		}
		close(reading)
		<-release
		return n.list(ctx)
	}})
	if _, err := p.verify(t.Context(), nil, chain); err != nil {
		t.Fatal(err)
	}
	p.changedNow()
	results := make(chan error, 2)
	verify := func() { _, err := p.verify(t.Context(), nil, chain); results <- err }
	go verify()
	<-reading
	go verify()
	select {
	case err := <-results:
		t.Errorf("answered while the record was read: %v", err)
	case <-time.After(50 * time.Millisecond): // a wrong answer would come at once
	}
	close(release)
	for range 2 {
		if err := <-results; err == nil {
			t.Error("a CA that was taken back was used")
		}
	}
}

func TestCertificatesEndWhileTheyAreRemembered(t *testing.T) {
	c, n := newClock(), &nodes{}
	a := newCA(c, func(t *x509.Certificate) { t.NotAfter = c.now().Add(2 * time.Hour) })
	n.be(nil, a.record())
	p := newTestPeers(c, n)
	short, long := a.leaf(c, time.Hour), a.leaf(c, 10*time.Hour)
	for _, chain := range [][]*x509.Certificate{short, long} {
		if who, err := p.verify(t.Context(), nil, chain); err != nil || who.Kind != Peer || who.Organisation != "lender" {
			t.Fatalf("%+v, %v", who, err)
		}
	}
	c.pass(time.Hour + time.Second)
	if _, err := p.verify(t.Context(), nil, short); err == nil {
		t.Error("a certificate that ended was taken")
	}
	if _, err := p.verify(t.Context(), nil, long); err != nil {
		t.Error(err)
	}
	c.pass(time.Hour)
	if _, err := p.verify(t.Context(), nil, long); err == nil {
		t.Error("a certificate whose CA ended was taken")
	}
}

func TestVerifiedPeersAreBounded(t *testing.T) {
	c, n := newClock(), &nodes{}
	a := newCA(c, nil)
	n.be(nil, a.record())
	p := newTestPeers(c, n)
	if _, err := p.verify(t.Context(), nil, a.leaf(c, time.Hour)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxVerified {
		p.remember([32]byte{byte(i), byte(i >> 8)}, verifiedPeer{organisation: "lender", ca: a.cert.Raw})
	}
	if len(p.verified) > maxVerified {
		t.Errorf("%d remembered", len(p.verified))
	}
	p.remember([32]byte{1, 2, 3}, verifiedPeer{organisation: "lender", ca: newCA(c, nil).cert.Raw})
	if _, ok := p.verified[[32]byte{1, 2, 3}]; ok {
		t.Error("one of a CA that is not the record's was remembered")
	}
}

func TestNoNodesNoPeers(t *testing.T) {
	c := newClock()
	p := newPeers(&Options{Organisation: ledger.Organisation{ID: "owner"}, Now: c.now})
	if _, err := p.verify(t.Context(), nil, newCA(c, nil).leaf(c, time.Hour)); err == nil {
		t.Error("a peer was taken")
	}
	if _, err := p.verify(t.Context(), nil, nil); err == nil {
		t.Error("no certificate was taken")
	}
}

func TestKeysOfCertificatesAreBounded(t *testing.T) {
	for bits, ok := range map[uint]bool{minRSA - 1: false, minRSA: true, maxRSA: true, maxRSA + 1: false, 60_000: false} {
		if strong(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1), E: 65537}) != ok {
			t.Errorf("RSA of %d bits", bits)
		}
	}
}

func TestParseCA(t *testing.T) {
	c := newClock()
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	for name, x := range map[string]struct {
		der []byte
		ok  bool
	}{
		"a CA":          {newCA(c, nil).cert.Raw, true},
		"no CA":         {newCA(c, func(t *x509.Certificate) { t.IsCA = false }).cert.Raw, false},
		"signs nothing": {newCA(c, func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageDigitalSignature }).cert.Raw, false},
		"no bytes":      {nil, false},
		"too long":      {make([]byte, ledger.MaxNodeCertificate+1), false},
		"a weak key": {must(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign},
			&x509.Certificate{SerialNumber: big.NewInt(1)}, weak.Public(), weak)), false},
		"behind it": {append(newCA(c, nil).cert.Raw, 0), false},
	} {
		if _, err := ParseCA(x.der); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One organisation's record that cannot be read takes nothing from the others.
	cas, err := publishedCAs([]ledger.NodeRecord{{Organisation: "a", Certificate: []byte("x")}, newCA(c, nil).record()})
	if err != nil || len(cas) != 1 {
		t.Errorf("%v, %v", cas, err)
	}
	if _, err := publishedCAs(make([]ledger.NodeRecord, ledger.MaxOrganisations+1)); err == nil {
		t.Error("too many nodes were taken")
	}
}

func FuzzParseCA(f *testing.F) {
	f.Add(newCA(newClock(), nil).cert.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		ca, err := ParseCA(der)
		if err == nil && (!ca.IsCA || len(der) > ledger.MaxNodeCertificate) {
			t.Error("taken")
		}
	})
}
