package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

type shown = func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

// peer is another organisation, with a CA that is published or not.
func (w *world) peer(organisation string, published bool) (*authority.Authority, shown) {
	w.Helper()
	a := must(authority.Open(w.TempDir(), organisation, nil))
	if published {
		w.publish(organisation, a.Certificate())
	}
	return a, must(a.Client())
}

var status1 = assayv1.NodeService_GetStatus_FullMethodName

func (w *world) status(client shown) error {
	m := method(status1)
	return call(with(""), w.dial(client), m, valid(m))
}

func TestPeersMayCallWhatIsOpenToThem(t *testing.T) {
	w := newWorld(t)
	_, lender := w.peer("lender", true)
	_, regulator := w.peer("regulator", true)
	for _, m := range methods() {
		rule, _ := access.RuleOf(fullName(m))
		asParty, asOther := codes.PermissionDenied, codes.PermissionDenied
		switch rule.Peers {
		case access.AllPeers:
			asParty, asOther = codes.OK, codes.OK
		case access.PartyPeers:
			asParty = codes.OK
		case access.NoPeers:
		}
		wantCode(t, "lender: "+fullName(m), call(with(""), w.dial(lender), m, valid(m)), asParty)
		for _, c := range w.services.take() {
			if c.principal.Kind != access.Peer || c.principal.Organisation != "lender" {
				t.Errorf("%s: called by %+v", fullName(m), c.principal)
			}
		}
		wantCode(t, "regulator: "+fullName(m), call(with(""), w.dial(regulator), m, valid(m)), asOther)
		w.services.take()
	}
}

// The methods that are open to peers, by hand.
func TestPeersMayCallFewMethods(t *testing.T) {
	want := map[string]access.PeerAccess{
		assayv1.NodeService_GetStatus_FullMethodName: access.AllPeers, "/grpc.health.v1.Health/Check": access.AllPeers, "/grpc.health.v1.Health/Watch": access.AllPeers,
		assayv1.RequestService_GetRequest_FullMethodName: access.PartyPeers, assayv1.RequestService_WatchRequest_FullMethodName: access.PartyPeers,
		assayv1.ProofService_DownloadBundle_FullMethodName: access.PartyPeers, assayv1.SessionService_FetchItem_FullMethodName: access.AllPeers,
	}
	for _, name := range access.Rules() {
		if rule, _ := access.RuleOf(name); rule.Peers != want[name] {
			t.Errorf("%s: open to peers as %d, want %d", name, rule.Peers, want[name])
		}
	}
}

func TestAttackPeerOfAnotherCA(t *testing.T) {
	w := newWorld(t)
	w.peer("lender", true)
	// Another CA that takes the lender's name.
	_, forged := w.peer("lender", false)
	wantCode(t, "another CA", w.status(forged), codes.Unauthenticated)
	// A member's CA that signs for another member.
	mallory := must(authority.Open(t.TempDir(), "mallory", nil))
	w.publish("mallory", mallory.Certificate())
	wantCode(t, "another member's CA", w.status(w.leaf(mallory, leaf{organisation: "lender"})), codes.Unauthenticated)
	// The very CA's certificate in the chain, without its key behind the leaf.
	chain := w.leaf(mallory, leaf{organisation: "lender", append: w.published("lender")})
	wantCode(t, "with the CA appended", w.status(chain), codes.Unauthenticated)
	wantNothingReached(t, w)
}

func TestAttackPeerOfNoMember(t *testing.T) {
	w := newWorld(t)
	w.peer("lender", true)
	_, stranger := w.peer("stranger", false)
	wantCode(t, "stranger", w.status(stranger), codes.Unauthenticated)
	_, own := w.peer("owner", true)
	wantCode(t, "this organisation's own", w.status(own), codes.Unauthenticated)
	wantNothingReached(t, w)
}

func TestAttackPeerCertificateThatWillNotDo(t *testing.T) {
	w := newWorld(t)
	ca := w.testCA("lender")
	good := leaf{organisation: "lender", ca: ca}
	wantCode(t, "a good one", w.status(w.leaf(nil, good)), codes.OK)
	w.services.take()
	now := time.Now()
	for name, change := range map[string]func(*leaf){
		"expired":             func(l *leaf) { l.from, l.until = now.Add(-48*time.Hour), now.Add(-time.Hour) },
		"not valid yet":       func(l *leaf) { l.from, l.until = now.Add(time.Hour), now.Add(48*time.Hour) },
		"for servers":         func(l *leaf) { l.purposes = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} },
		"for no purpose":      func(l *leaf) { l.purposes = []x509.ExtKeyUsage{} },
		"for any purpose":     func(l *leaf) { l.purposes = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} },
		"to sign":             func(l *leaf) { l.usage = x509.KeyUsageCertSign },
		"a CA's":              func(l *leaf) { l.isCA = true },
		"of no organisation":  func(l *leaf) { l.organisations = []string{} },
		"of two":              func(l *leaf) { l.organisations = []string{"lender", "owner"} },
		"of one in capitals":  func(l *leaf) { l.organisations = []string{"Lender"} },
		"of one with a slash": func(l *leaf) { l.organisations = []string{"lender/owner"} },
		"a weak key":          func(l *leaf) { l.weak = true },
	} {
		l := good
		change(&l)
		wantCode(t, name, w.status(w.leaf(nil, l)), codes.Unauthenticated)
	}
	long := good
	long.append = [][]byte{ca.der, ca.der, ca.der, ca.der}
	wantCode(t, "a long chain, by TLS", w.status(w.leaf(nil, long)), codes.Unavailable)
	wantNothingReached(t, w)
}

func TestAttackPeerCallsWhatPeersMayNot(t *testing.T) {
	w := newWorld(t)
	_, lender := w.peer("lender", true)
	conn := w.dial(lender)
	for _, name := range append([]string{assayv1.RequestService_ListRequests_FullMethodName, assayv1.AuditService_GetEvidence_FullMethodName}, ownersMethods...) {
		m := method(name)
		wantCode(t, name, call(with(""), conn, m, valid(m)), codes.PermissionDenied)
	}
	// With a person's token besides, neither counts.
	m := method(status1)
	wantCode(t, "with a token", call(with(w.token(access.Administrator)), conn, m, valid(m)), codes.Unauthenticated)
	// A request of others, one that is none, and a field that is missing.
	w.mu.Lock()
	w.parties = map[string]bool{}
	w.mu.Unlock()
	m = method(assayv1.ProofService_DownloadBundle_FullMethodName)
	wantCode(t, "of others", call(with(""), conn, m, valid(m)), codes.PermissionDenied)
	wantCode(t, "malformed", call(with(""), conn, m, &assayv1.DownloadBundleRequest{Request: "x"}), codes.InvalidArgument)
	wantCode(t, "missing", call(with(""), conn, m, &assayv1.DownloadBundleRequest{}), codes.InvalidArgument)
	wantNothingReached(t, w)
}

// A client of REST cannot be a peer: not by its certificate, and not by any header.
func TestAttackPeerIdentityByREST(t *testing.T) {
	w := newWorld(t)
	_, lender := w.peer("lender", true)
	client := w.client(func(t *http.Transport) { t.TLSClientConfig.GetClientCertificate = lender })
	if a := w.restBy(client, "GET", "/v1/status", "", ""); a.code != http.StatusUnauthorized {
		t.Errorf("with a certificate: %d", a.code)
	}
	for _, name := range smuggled {
		a := w.rest("GET", "/v1/requests/"+digest, "", "", func(r *http.Request) { r.Header.Set(name, "lender") })
		if a.code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	wantNothingReached(t, w)
}

func TestPeerIsForgottenWithItsCA(t *testing.T) {
	w := newWorld(t)
	_, before := w.peer("lender", true)
	conn := w.dial(before)
	m := method(status1)
	wantCode(t, "before", call(with(""), conn, m, valid(m)), codes.OK)
	// The lender publishes another CA. The connection is the same, and was verified.
	_, after := w.peer("lender", true)
	wantCode(t, "the old one", call(with(""), conn, m, valid(m)), codes.Unauthenticated)
	wantCode(t, "the new one", w.status(after), codes.OK)
}

// leaf is a certificate that need not be right.
type leaf struct {
	organisation  string
	organisations []string
	ca            *testCA
	from, until   time.Time
	purposes      []x509.ExtKeyUsage
	usage         x509.KeyUsage
	isCA, weak    bool
	append        [][]byte
}

type testCA struct {
	der  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// testCA is one with a key that the test has, published.
func (w *world) testCA(organisation string) *testCA {
	w.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{organisation}}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-100 * time.Hour), NotAfter: time.Now().Add(100 * time.Hour),
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	w.publish(organisation, der)
	return &testCA{der, must(x509.ParseCertificate(der)), key}
}

// leaf signs one, with the test's CA or, where an authority is given, with a CA of the test's that stands in for it: an authority signs nothing false itself.
func (w *world) leaf(of *authority.Authority, l leaf) shown {
	w.Helper()
	if of != nil {
		l.ca = w.testCA("mallory")
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		Subject: pkix.Name{Organization: []string{l.organisation}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if l.organisations != nil {
		t.Subject.Organization = l.organisations
	}
	if !l.from.IsZero() {
		t.NotBefore, t.NotAfter = l.from, l.until
	}
	if l.purposes != nil {
		t.ExtKeyUsage = l.purposes
	}
	if l.usage != 0 {
		t.KeyUsage = l.usage
	}
	t.IsCA, t.BasicConstraintsValid = l.isCA, true
	c := tls.Certificate{}
	if l.weak {
		key := must(rsa.GenerateKey(rand.Reader, 1024))
		c.PrivateKey = key
		c.Certificate = append([][]byte{must(x509.CreateCertificate(rand.Reader, t, l.ca.cert, key.Public(), l.ca.key))}, l.append...)
	} else {
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		c.PrivateKey = key
		c.Certificate = append([][]byte{must(x509.CreateCertificate(rand.Reader, t, l.ca.cert, key.Public(), l.ca.key))}, l.append...)
	}
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
}

func (w *world) published(organisation string) [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.nodes {
		if n.Organisation == organisation {
			return [][]byte{n.Certificate}
		}
	}
	return nil
}

// A node that calls another's tells by its certificate whether it is that node.
func TestPeerTLS(t *testing.T) {
	w := newWorld(t)
	_, lender := w.peer("lender", true)
	record := ledger.NodeRecord{Organisation: "owner", Certificate: w.authority.Certificate()}
	dial := func(record ledger.NodeRecord) error {
		config := must(access.PeerTLS(&record, lender))
		c := must(grpc.NewClient(w.gateway.GRPC().String(), grpc.WithTransportCredentials(tlsCredentials(config))))
		defer c.Close()
		m := method(status1)
		return call(with(""), c, m, valid(m))
	}
	wantCode(t, "the owner's", dial(record), codes.OK)
	other := must(authority.Open(t.TempDir(), "owner", nil))
	wantCode(t, "another CA", dial(ledger.NodeRecord{Organisation: "owner", Certificate: other.Certificate()}), codes.Unavailable)
	wantCode(t, "another organisation", dial(ledger.NodeRecord{Organisation: "regulator", Certificate: w.authority.Certificate()}), codes.Unavailable)
	if _, err := access.PeerTLS(&ledger.NodeRecord{Certificate: []byte("x")}, lender); err == nil {
		t.Error("a CA that is none was taken")
	}
}
