package audit

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// resigned changes the payload of a transaction's action and lets the creator sign again.
func (c *channel) resigned(p *proposal, change func(action []byte) []byte) *common.Envelope {
	return c.rebuilt(p, func(payload *common.Payload) {
		tx := new(peer.Transaction)
		if err := proto.Unmarshal(payload.Data, tx); err != nil {
			c.t.Fatal(err)
		}
		tx.Actions[0].Payload = change(tx.Actions[0].Payload)
		payload.Data = marshal(tx)
	})
}

// padded proposes a call of another chaincode by a client whose identity has n bytes behind its certificate, which peers do not look at.
func (c *channel) padded(org string, n int) *proposal {
	client := *c.orgs[org].client
	p := c.propose(&client, "other", []byte("f"))
	sh := &common.SignatureHeader{Creator: marshal(&msp.SerializedIdentity{Mspid: client.mspID, IdBytes: append(client.pem(), make([]byte, n)...)}), Nonce: nonce()}
	h := new(common.ChannelHeader)
	if err := proto.Unmarshal(p.header.ChannelHeader, h); err != nil {
		c.t.Fatal(err)
	}
	h.TxId = transactionID(sh)
	p.header = &common.Header{ChannelHeader: marshal(h), SignatureHeader: marshal(sh)}
	p.rwset, p.endorsers = new(rwset.TxReadWriteSet), []*member{c.orgs[contracttest.Regulator].peer}
	return p
}

// What one client can do to a transaction that Fabric's peers take all the same does not make a channel unsound.
func TestOddTransactions(t *testing.T) {
	for name, order := range map[string]func(c *channel){
		"many endorsements": func(c *channel) {
			p := c.fleet("a")
			p.change = func(a *peer.ChaincodeActionPayload) {
				junk := &peer.Endorsement{Endorser: []byte{1}, Signature: []byte{1}}
				a.Action.Endorsements = append(slices.Repeat([]*peer.Endorsement{junk}, 3000), a.Action.Endorsements...)
			}
			c.order(p, valid)
		},
		"proposal twice": func(c *channel) {
			c.raw(c.resigned(c.fleet("a"), func(action []byte) []byte {
				return append(protowire.AppendBytes(protowire.AppendTag(nil, fieldProposal, protowire.BytesType), []byte("first")), action...)
			}), valid)
		},
		"action in two parts": func(c *channel) {
			c.raw(c.resigned(c.fleet("a"), func(action []byte) []byte {
				a := new(peer.ChaincodeActionPayload)
				if err := proto.Unmarshal(action, a); err != nil {
					c.t.Fatal(err)
				}
				second := marshal(&peer.ChaincodeActionPayload{Action: &peer.ChaincodeEndorsedAction{Endorsements: a.Action.Endorsements[1:]}})
				a.Action.Endorsements = a.Action.Endorsements[:1]
				return append(marshal(a), second...)
			}), valid)
		},
		"header in another encoding": func(c *channel) {
			c.raw(c.rebuilt(c.fleet("a"), func(p *common.Payload) {
				p.Header.SignatureHeader = append(p.Header.SignatureHeader, 0x78, 0x01) // an unknown field
			}), valid)
		},
		"young certificate": func(c *channel) {
			op := c.orgs[contracttest.Operator]
			op.client = certificate(op.mspID, "client", op.member, func(x *x509.Certificate) { x.NotBefore = time.Unix(c.now, 0).Add(c.genesis.ClockSkew()) })
			c.order(c.fleet("a"), valid)
		},
		"long creator": func(c *channel) {
			c.order(c.padded(contracttest.Operator, 100<<10), valid)
		},
		"many namespaces": func(c *channel) {
			p := c.padded(contracttest.Operator, 0)
			for i := range 3000 {
				p.foreign(fmt.Sprint("n", i), &kvrwset.KVRWSet{Reads: []*kvrwset.KVRead{{Key: "k"}}})
			}
			c.order(p, valid)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := founded(t)
			c.t = t
			c.order(c.define("other", c.peersOf(contracttest.Regulator)), valid)
			c.cut()
			order(c)
			c.cut()
			if r := c.audit(); !r.Sound || r.Counts.Codes[valid.String()] != 0 || len(r.Invalid) != 0 {
				t.Error(r.Findings, r.Invalid)
			}
		})
	}
}

// A certificate younger than clocks can differ by is not valid yet.
func TestCertificateOfLater(t *testing.T) {
	c := founded(t)
	op := c.orgs[contracttest.Operator]
	op.client = certificate(op.mspID, "client", op.member, func(x *x509.Certificate) {
		x.NotBefore = time.Unix(c.now+1, 0).Add(c.genesis.ClockSkew()).Add(time.Second)
	})
	c.order(c.fleet("a"), valid)
	c.cut()
	if diff := cmp.Diff([]string{"3 identity"}, failures(c.audit())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Peers differ about why a transaction is void that has several faults. That is noted, and that it has an effect for some is a failure.
func TestVoidForDifferentReasons(t *testing.T) {
	for code, want := range map[peer.TxValidationCode]bool{peer.TxValidationCode_INVALID_CHAINCODE: true, policy: true, valid: false} {
		c := founded(t)
		p := c.fleet("a")
		p.endorsers = nil
		p.foreign("undefined", &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "k", Value: []byte{1}}}})
		c.order(p, code)
		c.cut()
		if r := c.audit(); r.Sound != want {
			t.Errorf("%v: %v", code, r.Findings)
		}
	}
}

// twin is a certificate with the other value of S in its authority's signature, which verifies as well.
func twin(t *testing.T, m *member, authority *member) *member {
	var raw struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(m.cert.Raw, &raw); err != nil {
		t.Fatal(err)
	}
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(raw.Signature.Bytes, &s); err != nil {
		t.Fatal(err)
	}
	s.S.Sub(authority.key.Params().N, s.S)
	signature, err := asn1.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	raw.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	der, err := asn1.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &member{m.mspID, cert, m.key}
}

// One certificate in two forms is one signer.
func TestTwinCertificate(t *testing.T) {
	org := newAuthority("OrgMSP")
	p, err := readProvider(org.config())
	if err != nil {
		t.Fatal(err)
	}
	c := &configuration{msps: map[string]*provider{"OrgMSP": p}, identities: identities{seen: map[[32]byte]*known{}}}
	other, message := twin(t, org.peer, org.member), func() []byte { return []byte("m") }
	good, bad := c.signers(slices.Values([]signature{
		{org.peer.serialised(), message, org.peer.sign(message())}, {other.serialised(), message, other.sign(message())},
	}))
	if len(good) != 1 || bad != 0 {
		t.Errorf("%d signers, %d bad", len(good), bad)
	}
	if !good[0].satisfies(&msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_IDENTITY, Principal: other.serialised()}) {
		t.Error("the twin is another principal")
	}
}

// An MSP that is in a configuration twice is the same in all of it.
func TestMSPTwice(t *testing.T) {
	c := newChannel(t, consensusRaft)
	c.blocks, c.sequence = nil, 0
	c.configure(func(root *common.ConfigGroup) {
		lax := proto.Clone(root.Groups["Application"].Groups[contracttest.Rival]).(*common.ConfigGroup)
		lax.Values["MSP"].Value = c.orgs[contracttest.Rival].config(func(m *msp.FabricMSPConfig) { m.FabricNodeOus = nil })
		root.Groups["Orderer"].Groups["Again"] = lax
	})
	if _, err := readConfiguration(mustDecode(marshal(c.blocks[0]))); err == nil {
		t.Error("is taken")
	}
}

// Where roles are not told by units, the contract's service still wants a client's or administrator's.
func TestUnitsOfCallers(t *testing.T) {
	for unit, want := range map[string][]string{"client": {}, "admin": {}, "team": {"3 identity"}} {
		c := newChannel(t, consensusRaft)
		c.blocks, c.sequence = nil, 0
		c.configure(func(root *common.ConfigGroup) {
			root.Groups["Application"].Groups[contracttest.Operator].Values["MSP"].Value = c.orgs[contracttest.Operator].config(func(m *msp.FabricMSPConfig) { m.FabricNodeOus = nil })
		})
		c.order(c.define(contractName, c.peersOf(contracttest.Regulator, contracttest.Lender)), valid)
		c.pending, c.flags = nil, nil
		d := c.define(contractName, c.peersOf(contracttest.Regulator, contracttest.Lender))
		d.endorsers = append(d.endorsers, c.orgs[contracttest.Lender].peer)
		c.order(d, valid)
		c.cut()
		c.submit(contracttest.Regulator, ledger.FnFound, c.genesis, nil)
		op := c.orgs[contracttest.Operator]
		op.client = certificate(op.mspID, unit, op.member, nil)
		c.order(c.fleet("a"), valid)
		c.cut()
		if diff := cmp.Diff(want, failures(c.audit())); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", unit, diff)
		}
	}
}

// A call that comes long after newer ones is noted.
func TestLate(t *testing.T) {
	c := founded(t)
	held := c.fleet("a")
	c.now += c.genesis.ProposalAgeSeconds + 2*c.genesis.ClockSkewSeconds + 1
	c.order(c.fleet("b"), valid)
	c.cut()
	c.order(held, valid)
	c.cut()
	if r := c.audit(); !r.Sound || len(r.Findings) != 1 || r.Findings[0].Kind != Late || r.Findings[0].Block != 4 {
		t.Error(r.Findings)
	}
}

// An envelope in another encoding, which a leader under BFT can make of one, is a failure and not the end; one that can be read as two is.
func TestOtherEncodings(t *testing.T) {
	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   []string
	}{
		"unknown field before": {func(b []byte) []byte { return append([]byte{0x78, 0x01}, b...) }, []string{"3 encoding"}},
		"unknown field behind": {func(b []byte) []byte { return append(b, 0x78, 0x01) }, []string{}},
		"signature first": {func(b []byte) []byte {
			e := new(common.Envelope)
			if err := proto.Unmarshal(b, e); err != nil {
				t.Fatal(err)
			}
			return append(marshal(&common.Envelope{Signature: e.Signature}), marshal(&common.Envelope{Payload: e.Payload})...)
		}, []string{"3 encoding"}},
		"two in one":   {func(b []byte) []byte { return append(b, b...) }, []string{"3 damage"}},
		"no signature": {func(b []byte) []byte { return marshal(&common.Envelope{Payload: inner(b, 1)}) }, []string{"3 damage"}},
		"cut short":    {func(b []byte) []byte { return b[:len(b)-1] }, []string{"3 damage"}},
	} {
		c := founded(t)
		c.order(c.fleet("a"), valid)
		b := c.cut()
		b.Data.Data[0] = test.change(b.Data.Data[0])
		c.seal(b)
		c.submit(contracttest.Operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "b", Schema: contracttest.Schema, ChunkSize: 64}, nil)
		r := c.audit()
		if diff := cmp.Diff(test.want, failures(r)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s%v", name, diff, r.Findings)
		}
		if len(test.want) == 0 || test.want[0] == "3 encoding" {
			if r.Counts.Calls[ledger.FnRegisterFleet] != 2 {
				t.Errorf("%s: %v", name, r.Counts.Calls)
			}
		}
	}
}
