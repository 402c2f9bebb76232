package systemtest

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// as opens an organisation's access with another certificate.
func (n *faultNetwork) as(t *testing.T, org string, m *member) *gateway.Client {
	t.Helper()
	p := *n.profiles[org]
	p.Certificate, p.Key = filepath.Join(t.TempDir(), "certificate.pem"), ""
	if err := os.WriteFile(p.Certificate, m.certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, gateway.Options{Profile: &p, Signer: m.key})
}

// certificates are tried that no call may be made with, or not this one. Good ones show that it is they that are refused.
func (n *faultNetwork) certificates(t *testing.T) {
	for name, test := range n.adversaries(t) {
		fleet := "by-" + strings.NewReplacer(" ", "-", "'", "").Replace(name)
		receipt, err := n.as(t, faultOwner, test.by).Book().RegisterFleet(t.Context(), plainFleet(fleet))
		if test.want == "" {
			if err != nil {
				t.Errorf("certificate %s: %v", name, err)
			}
			continue
		}
		refusedAs(t, "certificate "+name, err, ledger.Forbidden, test.want)
		var failure *gateway.Error
		if err == nil || !errors.As(err, &failure) || failure.Stage != gateway.StageEndorse || failure.TxID == "" {
			t.Errorf("certificate %s: %+v, %v", name, receipt, err)
		}
	}
}

// adversary is somebody who calls as the owner, and why not: nothing for one that may call.
type adversary struct {
	by   *member
	want string
}

func (n *faultNetwork) adversaries(t *testing.T) map[string]adversary {
	own, ownKey := n.authority(t, faultOwner)
	foreign, foreignKey := n.foreignAuthority(t, faultOwner)
	rival, rivalKey := n.authority(t, faultRival)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	unit := func(c *x509.Certificate) { c.Subject.OrganizationalUnit = []string{"friend"} }
	const denied = "does not accept the caller's certificate"
	return map[string]adversary{
		"good":                      {n.issue(t, faultOwner, own, ownKey, nil), ""},
		"the function among others": {n.issue(t, faultOwner, own, ownKey, mayCall(t, "enrol, register_fleet")), ""},
		"expired":                   {n.issue(t, faultOwner, own, ownKey, expired), "expired"},
		"of a foreign CA":           {n.issue(t, faultOwner, foreign, foreignKey, nil), denied},
		"of the rival's CA":         {n.issue(t, faultOwner, rival, rivalKey, nil), denied},
		"a peer's":                  {n.member(t, faultOwner, "peers", "peer."+faultOwner), denied},
		"the rival's client's":      {n.user(t, faultRival), denied},
		"of another unit":           {n.issue(t, faultOwner, own, ownKey, unit), denied},
		"without the function":      {n.issue(t, faultOwner, own, ownKey, mayCall(t, "enrol, retire")), "may not call register_fleet"},
		"without any function":      {n.issue(t, faultOwner, own, ownKey, mayCall(t, "")), "may not call register_fleet"},
	}
}

// wrongCallers call what is another's to call.
func (n *faultNetwork) wrongCallers(t *testing.T, w *faultFleet) {
	anchor, attestations := w.anchor(t, w.from)
	for _, org := range []string{faultRival, faultLender, faultRegulator} {
		_, err := n.book(org).Anchor(t.Context(), anchor, attestations)
		refusedAs(t, "an anchor by "+org, err, ledger.Forbidden, "endorse", org)
		_, err = n.book(org).Retire(t.Context(), ledger.Retire{Fleet: w.fleet, Slots: []uint32{0}, Reason: "rivalry"})
		refusedAs(t, "a retirement by "+org, err, ledger.Forbidden, "endorse", org)
	}
	for _, org := range []string{faultLender, faultRegulator} {
		_, err := n.book(org).RegisterFleet(t.Context(), plainFleet("of-nobody"))
		refusedAs(t, "a fleet of "+org, err, ledger.Forbidden, org)
	}
	_, err := n.book(faultOwner).RegisterMaker(t.Context(), ledger.RegisterMaker{ID: "invented", Name: "Invented", Certificate: w.maker.Cert.Raw})
	refusedAs(t, "a maker by the owner", err, ledger.Forbidden, faultOwner)
}
