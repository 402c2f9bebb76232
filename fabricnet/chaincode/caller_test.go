package chaincode

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func TestCaller(t *testing.T) {
	w := newWorld(t)
	unit := func(units ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject.OrganizationalUnit = units }
	}
	good := clientCertificate(t, nil)
	for name, test := range map[string]struct {
		creator []byte
		want    string // "" for one that may call
	}{
		"client":                  {creatorOf(t, "OperatorMSP", good), ""},
		"administrator":           {creatorOf(t, "lender", clientCertificate(t, unit("x", "admin"))), ""},
		"white space behind":      {creatorOf(t, "lender", append(append([]byte{}, good...), "\n\n"...)), ""},
		"unknown MSP":             {creatorOf(t, "stranger", good), `MSP "stranger" is of no organisation`},
		"id that is not the MSP":  {creatorOf(t, contracttest.Operator, good), "is of no organisation"},
		"other case":              {creatorOf(t, "operatorMSP", good), "is of no organisation"},
		"no MSP":                  {creatorOf(t, "", good), "MSP id has 0"},
		"long MSP":                {creatorOf(t, strings.Repeat("x", 65), good), "MSP id has 65"},
		"peer":                    {creatorOf(t, "lender", clientCertificate(t, unit("peer"))), "must be client or admin"},
		"orderer":                 {creatorOf(t, "lender", clientCertificate(t, unit("orderer"))), "must be client or admin"},
		"peer that is client too": {creatorOf(t, "lender", clientCertificate(t, unit("client", "peer"))), "must be client or admin"},
		"no unit":                 {creatorOf(t, "lender", clientCertificate(t, unit())), "must be client or admin"},
		"other case of unit":      {creatorOf(t, "lender", clientCertificate(t, unit("CLIENT"))), "must be client or admin"},
		"expired":                 {creatorOf(t, "lender", clientCertificate(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })), "valid from"},
		"not yet":                 {creatorOf(t, "lender", clientCertificate(t, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })), "valid from"},
		"nothing":                 {nil, "MSP id has 0"},
		"too long":                {creatorOf(t, "lender", append(append([]byte{}, good...), make([]byte, maxCreator)...)), "at most 32768"},
		"no protobuf":             {[]byte{0xff, 0xff}, "not an identity"},
		"no PEM":                  {creatorOf(t, "lender", []byte("certificate")), "not one certificate in PEM"},
		"two certificates":        {creatorOf(t, "lender", append(append([]byte{}, good...), good...)), "not one certificate in PEM"},
		"no certificate":          {creatorOf(t, "lender", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")), "certificate:"},
	} {
		stub := w.by("lender", ledger.QueryEpoch, struct{}{})
		stub.creator = test.creator
		r := w.Invoke(stub)
		if test.want == "" {
			if r.GetStatus() != 200 {
				t.Errorf("%s: %d %s", name, r.GetStatus(), r.GetMessage())
			}
		} else if text := w.refused(r, ledger.Forbidden); !strings.Contains(text, test.want) {
			t.Errorf("%s: %q does not say %q", name, text, test.want)
		}
	}
}

func TestFunctionsOfACertificate(t *testing.T) {
	w := newWorld(t)
	for list, may := range map[string]bool{
		"epoch": true, "anchor, epoch": true, "epoch,anchor": true, "": false, "anchor": false, "epochs": false, "EPOCH": false, "anchor;epoch": false,
	} {
		stub := w.by("lender", ledger.QueryEpoch, struct{}{})
		stub.creator = creatorOf(t, "lender", withAttribute(t, contract.FunctionsAttribute, list))
		r := w.Invoke(stub)
		if may && r.GetStatus() != 200 {
			t.Errorf("%q: %s", list, r.GetMessage())
		}
		if !may && !strings.Contains(w.refused(r, ledger.Forbidden), "this certificate of lender may not call epoch") {
			t.Errorf("%q: %s", list, r.GetMessage())
		}
	}
	stub := w.by("lender", ledger.QueryEpoch, struct{}{})
	stub.creator = creatorOf(t, "lender", withAttribute(t, "hf.Affiliation", "anything"))
	if r := w.Invoke(stub); r.GetStatus() != 200 {
		t.Errorf("another attribute: %s", r.GetMessage())
	}
}

func FuzzParseCreator(f *testing.F) {
	good := clientCertificate(f, nil)
	f.Add(creatorOf(f, "lender", good))
	f.Add(creatorOf(f, "lender", withAttribute(f, contract.FunctionsAttribute, "epoch")))
	f.Add([]byte{0x0a, 0x01})
	f.Fuzz(func(t *testing.T, creator []byte) {
		mspID, certificate, err := parseCreator(creator)
		if err != nil {
			return
		}
		var id msp.SerializedIdentity
		if err := proto.Unmarshal(creator, &id); err != nil || id.GetMspid() != mspID || mspID == "" || len(mspID) > ledger.MaxID || certificate == nil {
			t.Errorf("accepted MSP id %q, %v", mspID, err)
		}
		contract.CredentialsOf(certificate) //nolint:errcheck // it must not panic
	})
}
