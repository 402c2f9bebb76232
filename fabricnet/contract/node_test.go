package contract_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// nodeKeys are those of nodeCA's CAs, by certificate.
var nodeKeys = map[string]crypto.Signer{}

// node signs as the CA does, if nodeCA made it.
func (w *world) node(org, url string, ca []byte) ledger.PublishNode {
	w.t.Helper()
	a := ledger.PublishNode{URL: url, Certificate: ca}
	if key := nodeKeys[string(ca)]; key != nil {
		var err error
		if a.Possession, err = ledger.SignNode(key, w.id, org, url); err != nil {
			w.t.Fatal(err)
		}
	}
	return a
}

// nodeCA makes a CA's certificate.
func nodeCA(t *testing.T, change func(*x509.Certificate)) []byte {
	t.Helper()
	key := committest.NewDevice(commit.P256).Key
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Unix(1_600_000_000, 0), NotAfter: time.Unix(2_000_000_000, 0),
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	nodeKeys[string(der)] = key
	return der
}

// A CA's certificate is known to whoever calls the node; only who has its key can say whose it is.
func TestNodeOfAnothersCA(t *testing.T) {
	w := newWorld(t)
	const url = "https://node.example:8443"
	ca := nodeCA(t, nil)
	w.refused(ledger.Invalid, "possession", lender, ledger.FnPublishNode, ledger.PublishNode{URL: url, Certificate: ca})
	seen := w.node(operator, url, ca)
	w.refused(ledger.Invalid, "possession", lender, ledger.FnPublishNode, seen) // as its endorsers see it
	moved := seen
	moved.URL += "/x"
	w.refused(ledger.Invalid, "possession", operator, ledger.FnPublishNode, moved)
	w.must(operator, ledger.FnPublishNode, seen)
}

func TestPublishNode(t *testing.T) {
	w := newWorld(t)
	first, second := nodeCA(t, nil), nodeCA(t, nil)
	const url = "https://node.example:8443"
	for _, org := range []string{lender, operator} {
		ca := first
		if org == operator {
			ca = second
		}
		w.must(org, ledger.FnPublishNode, w.node(org, url, ca))
	}
	w.refused(ledger.Conflict, "lender's node", operator, ledger.FnPublishNode, w.node(operator, url, first))
	next := nodeCA(t, nil)
	w.must(lender, ledger.FnPublishNode, w.node(lender, url+"/v2", next))
	w.must(lender, ledger.FnPublishNode, w.node(lender, url, first)) // back to the CA before
	w.refused(ledger.Conflict, "lender's node", regulator, ledger.FnPublishNode, w.node(regulator, url, next))
	nodes := query[[]ledger.NodeRecord](w, ledger.QueryNodes, ledger.Nothing{})
	if len(nodes) != 2 || nodes[0].Organisation != lender || nodes[0].URL != url || string(nodes[0].Certificate) != string(first) || nodes[1].Organisation != operator {
		t.Errorf("nodes are %+v", nodes)
	}
}

func TestPublishNodeRefusals(t *testing.T) {
	w := newWorld(t)
	good := nodeCA(t, nil)
	for _, url := range []string{
		"", "node.example", "http://node.example", "https://", "https://:443", "https://a:b@node.example", "https://node.example?", "https://node.example?a=1", "https://node.example#a",
		"HTTPS://node.example", "https://node.example/a b", "https://node.example/\n", "https://[::1", "mailto:a@node.example",
	} {
		w.refused(ledger.Invalid, "url", lender, ledger.FnPublishNode, w.node(lender, url, good))
	}
	for name, c := range map[string][]byte{
		"none": nil, "garbage": []byte("certificate"), "two": append(append([]byte{}, good...), good...),
		"of no CA":            nodeCA(t, func(c *x509.Certificate) { c.IsCA = false }),
		"that signs nothing":  nodeCA(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }),
		"that is over":        nodeCA(t, func(c *x509.Certificate) { c.NotAfter = w.now.Add(-time.Second) }),
		"that is not yet":     nodeCA(t, func(c *x509.Certificate) { c.NotBefore = w.now.Add(time.Hour) }),
		"that is a leaf of a": w.maker.Certify(w.maker.ID, "x", commit.Module, committest.NewDevice(commit.P256).Key.Public()),
	} {
		t.Run(name, func(*testing.T) {
			w.refused(ledger.Invalid, "certificate", lender, ledger.FnPublishNode, w.node(lender, "https://node.example", c))
		})
	}
	w.refused(ledger.Forbidden, "nobody", "nobody", ledger.FnPublishNode, w.node("nobody", "https://node.example", good))
}
