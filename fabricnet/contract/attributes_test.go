package contract_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// certified is a certificate with a Fabric CA's attributes, as it is parsed.
func certified(subject pkix.Name, attributes []byte) *x509.Certificate {
	return &x509.Certificate{Subject: subject, Extensions: []pkix.Extension{
		{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte("something else")}, {Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}, Value: attributes},
	}}
}

func issued(attributes map[string]string) []byte {
	b, err := json.Marshal(map[string]any{"attrs": attributes})
	if err != nil {
		panic(err)
	}
	return b
}

func TestCredentials(t *testing.T) {
	subject := pkix.Name{CommonName: "alice", Organization: []string{"Bank"}, OrganizationalUnit: []string{"client", "loans"}}
	many := map[string]string{}
	for i := range 40 {
		many[fmt.Sprintf("x%02d", i)] = "1"
	}
	for name, c := range map[string]struct {
		subject pkix.Name
		issued  map[string]string
		want    map[string]string
	}{
		"all":                      {subject, map[string]string{"department": "credit"}, map[string]string{"CN": "alice", "O": "Bank", "OU": "client,loans", "role": "client", "department": "credit"}},
		"none":                     {pkix.Name{OrganizationalUnit: []string{"admin"}}, nil, map[string]string{"OU": "admin", "role": "admin"}},
		"the subject's come first": {subject, map[string]string{"CN": "mallory", "role": "admin"}, map[string]string{"CN": "alice", "O": "Bank", "OU": "client,loans", "role": "client"}},
		"unfit":                    {pkix.Name{CommonName: "a\nb"}, map[string]string{"long": strings.Repeat("x", ledger.MaxAttribute+1), strings.Repeat("n", ledger.MaxAttributeName+1): "x", "empty": "", "fine": "yes"}, map[string]string{"role": "client", "fine": "yes"}},
	} {
		got, err := contract.CredentialsOf(certified(c.subject, issued(c.issued)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(c.want, got.Attributes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got, err := contract.CredentialsOf(certified(subject, issued(many)))
	if err != nil {
		t.Fatal(err)
	}
	if a := got.Attributes; len(a) != ledger.MaxAttributes || a["x11"] != "1" || a["x12"] != "" {
		t.Errorf("of many: %v", a)
	}
	for name, bad := range map[string][]byte{"garbage": []byte("{"), "numbers": []byte(`{"attrs":{"a":1}}`), "too long": issued(map[string]string{"a": strings.Repeat("x", 20_000)})} {
		if got, err := contract.CredentialsOf(certified(subject, bad)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add("alice", issued(map[string]string{"department": "credit"}))
	f.Add("a\x00b", []byte(`{"attrs":{"role":"admin"},"attrs":{}}`))
	f.Add("bob", issued(map[string]string{contract.FunctionsAttribute: " request ,withdraw"}))
	f.Fuzz(func(t *testing.T, name string, attributes []byte) {
		credentials, err := contract.CredentialsOf(certified(pkix.Name{CommonName: name}, attributes))
		if err != nil {
			return
		}
		got := credentials.Attributes
		if len(got) > ledger.MaxAttributes || got["role"] != "client" {
			t.Errorf("attributes are %v", got)
		}
		for name, value := range got {
			if ledger.CheckText("name", name, ledger.MaxAttributeName, true) != nil || ledger.CheckText("value", value, ledger.MaxAttribute, true) != nil {
				t.Errorf("attribute %q is %q", name, value)
			}
		}
	})
}

const creditOnly = `@id("credit")
permit (principal, action, resource) when { principal.hasTag("department") && principal.getTag("department") == "credit" };
`

// What counts is the certificate under which was asked, not the one of whoever decides.
func TestPolicyLooksAtTheRequestersCertificate(t *testing.T) {
	w := settled(t)
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(creditOnly)})
	w.notApproved("credit", nil)
	w.attributes = map[string]string{"department": "marketing"}
	w.notApproved("credit", nil)
	w.attributes = map[string]string{"department": "credit"}
	id, _ := w.asks(nil)
	w.attributes = nil
	w.must(operator, ledger.FnDecide, approval(id))
	e := query[ledger.RequestEntry](w, ledger.QueryRequest, ledger.RequestRef{Request: id})
	if diff := cmp.Diff(map[string]string{"department": "credit"}, e.Request.Attributes); diff != "" {
		t.Error(diff)
	}
}

// A driver that says more of a caller than is kept is broken.
func TestCallersAttributesAreBounded(t *testing.T) {
	w := newWorld(t)
	many := map[string]string{}
	for i := range ledger.MaxAttributes + 1 {
		many[fmt.Sprint("a", i)] = "x"
	}
	for name, attributes := range map[string]map[string]string{
		"too many": many, "no name": {"": "x"}, "no value": {"a": ""}, "too long": {"a": strings.Repeat("x", ledger.MaxAttribute+1)}, "unprintable": {"a": "\n"},
	} {
		w.attributes = attributes
		if _, err := w.do(operator, ledger.FnRegisterFleet, fleetArgs("f")); err == nil || ledger.CodeOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
