package contract_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/verify"
)

func TestRegisterMaker(t *testing.T) {
	w := bareWorld(t)
	good := ledger.RegisterMaker{ID: "maker-a", Name: "Maker A", Certificate: w.maker.Cert.Raw}
	for _, org := range []string{operator, lender} {
		w.refused(ledger.Forbidden, org, org, ledger.FnRegisterMaker, good)
	}
	leaf := w.maker.Certify("maker-a", "x", commit.Module, committest.NewDevice(commit.P256).Key.Public())
	w.refused(ledger.Invalid, "certificate is of maker", regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker-b", Name: "B", Certificate: good.Certificate})
	w.refused(ledger.Invalid, "CA", regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker-a", Name: "A", Certificate: leaf})
	w.refused(ledger.Invalid, "maker", regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker/a", Name: "A", Certificate: good.Certificate})
	w.refused(ledger.Invalid, "name", regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker-a", Name: "a\nb", Certificate: good.Certificate})
	w.must(regulator, ledger.FnRegisterMaker, good)
	w.refused(ledger.Conflict, "registered", regulator, ledger.FnRegisterMaker, good)
	if m := query[[]ledger.Maker](w, ledger.QueryMakers, ledger.Nothing{}); len(m) != 1 || m[0].ID != "maker-a" {
		t.Errorf("makers are %+v", m)
	}
}

// One CA under two names would make two (maker, serial) pairs of one device.
func TestOneCAIsOneMaker(t *testing.T) {
	w := bareWorld(t)
	w.must(regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker-a", Name: "A", Certificate: w.maker.Cert.Raw})
	other := w.maker.Reissue("maker-b")
	w.refused(ledger.Conflict, "CA's key", regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker-b", Name: "B", Certificate: other})
	if c, err := x509.ParseCertificate(other); err != nil || !bytes.Equal(c.RawSubjectPublicKeyInfo, w.maker.Cert.RawSubjectPublicKeyInfo) {
		t.Fatal("the test's second certificate has another key")
	}
}

func TestRegisterFleet(t *testing.T) {
	w := bareWorld(t)
	for _, org := range []string{lender, regulator, "nobody"} {
		w.refused(ledger.Forbidden, org, org, ledger.FnRegisterFleet, fleetArgs(fleetID))
	}
	w.refused(ledger.Invalid, "schema", operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "f", Schema: "battery/v9", ChunkSize: 64})
	w.refused(ledger.Invalid, "chunk_size", operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "f", Schema: "battery/v1", ChunkSize: 128})
	for _, id := range []string{"", "A", "a/b", "-a", "a-", "a\x00", "ä", string(bytes.Repeat([]byte{'a'}, 65))} {
		w.refused(ledger.Invalid, "", operator, ledger.FnRegisterFleet, fleetArgs(id))
	}
	w.must(operator, ledger.FnRegisterFleet, fleetArgs(fleetID))
	w.refused(ledger.Conflict, "registered", rival, ledger.FnRegisterFleet, fleetArgs(fleetID))
	if f := query[ledger.Fleet](w, ledger.QueryFleet, ledger.FleetRef{Fleet: fleetID}); f.Owner != operator {
		t.Errorf("fleet is %+v", f)
	}
}

func TestPublishKey(t *testing.T) {
	w := bareWorld(t)
	key := contracttest.SRSKey(w.srs)
	for _, org := range []string{operator, lender} {
		w.refused(ledger.Forbidden, org, org, ledger.FnPublishKey, key)
	}
	bad := key
	bad.Digest[0] ^= 1
	w.refused(ledger.Invalid, "digest", regulator, ledger.FnPublishKey, bad)
	w.refused(ledger.Invalid, "circuit", regulator, ledger.FnPublishKey, verify.NewPublishedKey("chunk-65/v1", verify.SetupUnsafe, key.Key))
	w.refused(ledger.Invalid, "", regulator, ledger.FnPublishKey, verify.NewPublishedKey("fleet-64/v1", verify.SetupUnsafe, key.Key))
	w.refused(ledger.Invalid, "setup", regulator, ledger.FnPublishKey, verify.NewPublishedKey(verify.SRSKey, "ceremony of nobody", key.Key))
	w.must(regulator, ledger.FnPublishKey, key)
	w.refused(ledger.Conflict, "pinned", regulator, ledger.FnPublishKey, key)
	if keys := query[[]verify.PublishedKey](w, ledger.QueryKeys, ledger.Nothing{}); len(keys) != 1 || keys[0].Digest != key.Digest {
		t.Errorf("keys are %+v", keys)
	}
}

// A peer without an SRS cannot tell a good key from one whose τ somebody knows.
func TestSRSKeyNeedsAPeerWithTheSRS(t *testing.T) {
	w := bareWorld(t)
	environment := w.environment()
	environment.SRS = nil
	call := ledger.Call{Function: ledger.FnPublishKey, Args: ledger.Encode(contracttest.SRSKey(w.srs))}
	if _, err := contract.Execute(environment, w.tx(regulator), w.state.Begin(), call); err == nil || !strings.Contains(err.Error(), "no SRS") {
		t.Errorf("endorsed without an SRS: %v", err)
	}
}

func TestSRSKeyOfAnotherSRSIsRefused(t *testing.T) {
	w := bareWorld(t)
	key := contracttest.SRSKey(w.srs)
	changed := bytes.Clone(key.Key)
	changed[0] ^= 1 // the digest of the powers, which nothing else in the key shows
	w.refused(ledger.Invalid, "SRS", regulator, ledger.FnPublishKey, verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, changed))
}

func TestArgumentsHaveOneForm(t *testing.T) {
	w := bareWorld(t)
	good := string(ledger.Encode(fleetArgs(fleetID)))
	for _, args := range []string{
		"", "null", "[]", good + " ", " " + good, good + "{}",
		`{"id":"f","schema":"battery/v1","chunk_size":64,"owner":"rival"}`,
		`{"id":"f","id":"g","schema":"battery/v1","chunk_size":64}`,
		`{"ID":"f","schema":"battery/v1","chunk_size":64}`,
		`{"schema":"battery/v1","id":"f","chunk_size":64}`,
		`{"id":"f","schema":"battery/v1","chunk_size":6.4e1}`,
	} {
		w.refused(ledger.Invalid, "", operator, ledger.FnRegisterFleet, []byte(args))
	}
	w.refused(ledger.Invalid, "function", operator, "fleets", ledger.Nothing{})
	w.refused(ledger.Invalid, "function", operator, "", ledger.Nothing{})
	w.must(operator, ledger.FnRegisterFleet, []byte(good))
}
