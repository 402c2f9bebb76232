package audit

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// public changes what a proposal reads and writes in the contract's namespace.
func (p *proposal) public(change func(*kvrwset.KVRWSet)) {
	for _, n := range p.rwset.NsRwset {
		if n.Namespace == contractName {
			set := new(kvrwset.KVRWSet)
			if err := proto.Unmarshal(n.Rwset, set); err != nil {
				panic(err)
			}
			change(set)
			n.Rwset = marshal(set)
		}
	}
}

func (p *proposal) foreign(namespace string, set *kvrwset.KVRWSet) {
	p.rwset.NsRwset = append(p.rwset.NsRwset, &rwset.NsReadWriteSet{Namespace: namespace, Rwset: marshal(set)})
}

// What endorsers sign that the contract would not do is found, however many of them sign it.
func TestForgedOutcomes(t *testing.T) {
	one := func(key string) []*kvrwset.KVWrite { return []*kvrwset.KVWrite{{Key: key, Value: []byte("x")}} }
	for name, test := range map[string]struct {
		kind   Kind
		change func(*channel, *proposal)
	}{
		"write changed": {Replay, func(_ *channel, p *proposal) {
			p.public(func(s *kvrwset.KVRWSet) { s.Writes[0].Value = append(s.Writes[0].Value, ' ') })
		}},
		"write added": {Replay, func(_ *channel, p *proposal) {
			p.public(func(s *kvrwset.KVRWSet) { s.Writes = append(s.Writes, one("zz")...) })
		}},
		"write dropped": {Replay, func(_ *channel, p *proposal) { p.public(func(s *kvrwset.KVRWSet) { s.Writes = nil }) }},
		"write deletes": {Foreign, func(_ *channel, p *proposal) { p.public(func(s *kvrwset.KVRWSet) { s.Writes[0].IsDelete = true }) }},
		"write empty":   {Foreign, func(_ *channel, p *proposal) { p.public(func(s *kvrwset.KVRWSet) { s.Writes[0].Value = nil }) }},
		"write twice": {Foreign, func(_ *channel, p *proposal) {
			p.public(func(s *kvrwset.KVRWSet) { s.Writes = append(s.Writes, s.Writes[0]) })
		}},
		"metadata": {Foreign, func(_ *channel, p *proposal) {
			p.public(func(s *kvrwset.KVRWSet) {
				s.MetadataWrites = []*kvrwset.KVMetadataWrite{{Key: "fleet/a", Entries: []*kvrwset.KVMetadataEntry{{Name: "VALIDATION_PARAMETER"}}}}
			})
		}},
		"other namespace": {Foreign, func(c *channel, p *proposal) { p.foreign("other", &kvrwset.KVRWSet{Writes: one("k")}) }},
		"event name":      {Replay, func(_ *channel, p *proposal) { p.event.EventName = ledger.EventAnchored }},
		"event payload":   {Replay, func(_ *channel, p *proposal) { p.event.Payload = []byte("{}") }},
		"event dropped":   {Replay, func(_ *channel, p *proposal) { p.event = nil }},
		"event's id":      {Foreign, func(_ *channel, p *proposal) { p.event.TxId = strings.Repeat("0", 64) }},
		"result":          {Replay, func(_ *channel, p *proposal) { p.response.Payload = nil }},
		"status":          {Foreign, func(_ *channel, p *proposal) { p.response.Status = 201 }},
		"other argument": {Replay, func(_ *channel, p *proposal) {
			p.args[2] = ledger.Encode(ledger.RegisterFleet{ID: "b", Schema: contracttest.Schema, ChunkSize: 64})
		}},
		"refused argument": {Replay, func(_ *channel, p *proposal) {
			p.args[2] = ledger.Encode(ledger.RegisterFleet{ID: "a", Schema: contracttest.Schema, ChunkSize: 65})
		}},
		"no function":   {Replay, func(_ *channel, p *proposal) { p.args[0] = []byte("nothing") }},
		"founded again": {Replay, func(c *channel, p *proposal) { p.args[0], p.args[2] = []byte(ledger.FnFound), c.genesis.Canonical() }},
		"other ledger":  {Identity, func(_ *channel, p *proposal) { p.args[1] = []byte(strings.Repeat("0", 64)) }},
		"too few args":  {Identity, func(_ *channel, p *proposal) { p.args = p.args[:2] }},
		"message":       {Foreign, func(_ *channel, p *proposal) { p.response.Message = "x" }},
	} {
		t.Run(name, func(t *testing.T) {
			c := founded(t)
			c.order(c.define("other", c.peersOf(contracttest.Regulator)), valid)
			c.cut()
			p := c.fleet("a")
			test.change(c, p)
			c.order(p, valid)
			c.cut()
			want := []string{fmt.Sprintf("%d %s", len(c.blocks)-1, test.kind)}
			if r := c.audit(); cmp.Diff(want, failures(r)) != "" {
				t.Errorf("want %v: %v", want, r.Findings)
			}
		})
	}
}

// Whoever calls is who signed, with a certificate for it, in its period.
func TestCallers(t *testing.T) {
	attribute := func(value string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}, Value: []byte(`{"attrs":{"` + contract.FunctionsAttribute + `":"` + value + `"}}`)}}
		}
	}
	early := func(c *x509.Certificate) { c.NotAfter = notBefore.Add(time.Hour) }
	for name, test := range map[string]struct {
		unit   string
		change func(*x509.Certificate)
		want   []string
	}{
		"client":           {"client", nil, nil},
		"admin":            {"admin", nil, nil},
		"peer":             {"peer", nil, []string{"3 identity"}},
		"expired":          {"client", early, []string{"3 identity"}},
		"for the function": {"client", attribute("enrol, register_fleet"), nil},
		"for another":      {"client", attribute("enrol"), []string{"3 identity"}},
	} {
		c := founded(t)
		org := c.orgs[contracttest.Operator]
		org.client = certificate(org.mspID, test.unit, org.member, test.change)
		c.order(c.fleet("a"), valid)
		c.cut()
		if got := failures(c.audit()); len(got) != len(test.want) || len(got) > 0 && got[0] != test.want[0] {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// An endorser whose certificate had expired does not count.
func TestExpiredEndorser(t *testing.T) {
	c := founded(t)
	org := c.orgs[contracttest.Lender]
	org.peer = certificate(org.mspID, "peer", org.member, func(c *x509.Certificate) { c.NotAfter = notBefore.Add(time.Hour) })
	c.order(c.fleet("a"), valid)
	c.cut()
	if diff := cmp.Diff([]string{"3 rule"}, failures(c.audit())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Another chaincode that writes to the contract's state is found, though the contract's peers endorsed it.
func TestForeignWrite(t *testing.T) {
	c := founded(t)
	c.order(c.define("other", c.peersOf(contracttest.Regulator)), valid)
	c.cut()
	p := c.propose(c.orgs[contracttest.Operator].client, "other", []byte("f"))
	p.rwset = new(rwset.TxReadWriteSet)
	p.foreign(contractName, &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "fleet/x", Value: []byte("x")}}})
	c.order(p, valid)
	c.cut()
	if diff := cmp.Diff([]string{"4 foreign"}, failures(c.audit())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A proposal of one that another submits as its own is found.
func TestStolenProposal(t *testing.T) {
	c := founded(t)
	p := c.fleet("a")
	other := marshal(&common.SignatureHeader{Creator: c.orgs[contracttest.Rival].client.serialised(), Nonce: nonce()})
	own := p.header
	p.header = &common.Header{ChannelHeader: own.ChannelHeader, SignatureHeader: other}
	e := c.rebuilt(p, func(payload *common.Payload) { payload.Header = own })
	c.order(c.fleet("b"), valid)
	c.raw(e, valid)
	c.cut()
	if diff := cmp.Diff([]string{"3 identity"}, failures(c.audit())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A change of enrolment that arrives after a call of a later epoch is noted; it harmed nobody, as that epoch was not opened.
func TestHeldBack(t *testing.T) {
	c := founded(t)
	maker := contracttest.NewMaker("maker-1")
	c.submit(contracttest.Regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}, nil)
	c.submit(contracttest.Operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}, nil)
	c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 100}, nil)
	held := c.call(contracttest.Operator, ledger.FnEnrol, contracttest.Enrolment(c.id, fleetID, 0, 0, maker.Devices("s", 2)), nil)
	c.now += c.genesis.EpochSeconds
	c.submit(contracttest.Operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "other", Schema: contracttest.Schema, ChunkSize: 64}, nil)
	c.order(held, valid)
	c.cut()
	r := c.audit()
	if !r.Sound || len(r.Findings) != 2 || r.Findings[0].Kind != HeldBack || r.Findings[1].Kind != Late || r.Findings[0].Block != uint64(len(c.blocks)-1) {
		t.Error(r.Findings)
	}
}

// A forged endorsement beside good ones does no harm and is noted.
func TestForgedEndorsement(t *testing.T) {
	c := founded(t)
	p := c.fleet("a")
	p.change = func(a *peer.ChaincodeActionPayload) {
		a.Action.Endorsements = append(a.Action.Endorsements, &peer.Endorsement{Endorser: c.orgs[contracttest.Rival].peer.serialised(), Signature: []byte("x")})
	}
	c.order(p, valid)
	c.cut()
	if r := c.audit(); !r.Sound || len(r.Findings) != 1 || r.Findings[0].Kind != Endorsement {
		t.Error(r.Findings)
	}
}

func TestOtherGenesis(t *testing.T) {
	c := founded(t)
	config := c.config()
	g := *c.genesis
	g.Name = "another"
	config.Genesis = &g
	r, err := Run(t.Context(), config, c.encoded())
	if err != nil || r.Sound {
		t.Error(err, r.Findings)
	}
}
