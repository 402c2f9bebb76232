package contract

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// publishNode says where the caller's node is and which CA vouches for it. The last one counts. One CA key stands for one organisation for ever, or an organisation could
// have another's node taken for its own; it is the organisation's for which the key itself signs, as the CA's certificate is known to everybody.
func publishNode(r *run, a *ledger.PublishNode) (*ledger.NodeRecord, error) {
	if err := checkNodeURL(a.URL); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "url: %v", err)
	}
	ca, err := r.checkNodeCA(a.Certificate)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "certificate: %v", err)
	}
	if err := ledger.VerifyNode(ca.PublicKey, r.tx.Ledger, r.caller(), a.URL, a.Possession); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "possession: %v", err)
	}
	authority := commit.Digest(sha256.Sum256(ca.RawSubjectPublicKeyInfo))
	key := ledger.NodeAuthorityKey(authority)
	of, err := get[string](r.state, key)
	if err != nil {
		return nil, err
	}
	if of != nil && *of != r.caller() {
		return nil, ledger.Refuse(ledger.Conflict, "the CA's key is that of %s's node", *of)
	}
	if of == nil {
		if err := put(r.state, key, r.caller()); err != nil {
			return nil, err
		}
	}
	n := &ledger.NodeRecord{Organisation: r.caller(), URL: a.URL, Certificate: a.Certificate, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.NodeKey(r.caller()), n); err != nil {
		return nil, err
	}
	r.event(ledger.EventNodePublished, ledger.EventPayload{Digest: &authority})
	return n, nil
}

// checkNodeURL accepts https, a host and perhaps a port and a path, in one spelling.
func checkNodeURL(text string) error {
	if err := ledger.CheckText("it", text, ledger.MaxURL, true); err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.String() != text {
		return fmt.Errorf("%q must be https://host, perhaps with a port and a path, and nothing else", text)
	}
	return nil
}

// checkNodeCA wants a CA that is valid now.
func (r *run) checkNodeCA(der []byte) (*x509.Certificate, error) {
	if len(der) > ledger.MaxNodeCertificate {
		return nil, fmt.Errorf("has %d bytes, at most %d", len(der), ledger.MaxNodeCertificate)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	switch {
	case !ca.BasicConstraintsValid || !ca.IsCA || ca.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, errors.New("is not that of a CA which signs certificates")
	case r.now < ca.NotBefore.Unix() || r.now > ca.NotAfter.Unix():
		return nil, fmt.Errorf("is valid from %s to %s", stamp(ca.NotBefore.Unix()), stamp(ca.NotAfter.Unix()))
	}
	return ca, nil
}

func queryNodes(r *run, _ *ledger.Nothing) ([]ledger.NodeRecord, error) {
	return list[ledger.NodeRecord](r.state, ledger.NodePrefix)
}
