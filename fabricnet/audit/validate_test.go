package audit

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	valid     = peer.TxValidationCode_VALID
	duplicate = peer.TxValidationCode_DUPLICATE_TXID
	policy    = peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE
)

// fleet proposes to register a fleet.
func (c *channel) fleet(id string) *proposal {
	return c.call(contracttest.Operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: id, Schema: contracttest.Schema, ChunkSize: 64}, nil)
}

// rebuilt changes a signed envelope's payload and lets the creator sign again.
func (c *channel) rebuilt(p *proposal, change func(*common.Payload)) *common.Envelope {
	e, payload := c.envelope(p), new(common.Payload)
	if err := proto.Unmarshal(e.Payload, payload); err != nil {
		c.t.Fatal(err)
	}
	change(payload)
	e.Payload = marshal(payload)
	e.Signature = p.creator.sign(e.Payload)
	return e
}

// raw orders an envelope under a code.
func (c *channel) raw(e *common.Envelope, code peer.TxValidationCode) {
	c.pending, c.flags = append(c.pending, e), append(c.flags, byte(code))
}

// Each code is computed, and any other one that a peer recorded is a failure.
func TestCodes(t *testing.T) {
	for name, test := range map[string]struct {
		code  peer.TxValidationCode
		order func(c *channel)
	}{
		"valid": {valid, func(c *channel) { c.order(c.fleet("a"), valid) }},
		"creator's signature": {peer.TxValidationCode_BAD_CREATOR_SIGNATURE, func(c *channel) {
			e := c.envelope(c.fleet("a"))
			e.Signature = c.orgs[contracttest.Rival].client.sign(e.Payload)
			c.raw(e, peer.TxValidationCode_BAD_CREATOR_SIGNATURE)
		}},
		"signature in the upper half": {peer.TxValidationCode_BAD_CREATOR_SIGNATURE, func(c *channel) {
			e := c.envelope(c.fleet("a"))
			e.Signature = upper(t, c.orgs[contracttest.Operator].client, e.Signature)
			c.raw(e, peer.TxValidationCode_BAD_CREATOR_SIGNATURE)
		}},
		"foreign creator": {peer.TxValidationCode_BAD_CREATOR_SIGNATURE, func(c *channel) {
			c.orgs[contracttest.Operator] = newAuthority("operator")
			c.order(c.fleet("a"), peer.TxValidationCode_BAD_CREATOR_SIGNATURE)
		}},
		"no header": {peer.TxValidationCode_BAD_COMMON_HEADER, func(c *channel) {
			c.raw(c.rebuilt(c.fleet("a"), func(p *common.Payload) { p.Header = nil }), peer.TxValidationCode_BAD_COMMON_HEADER)
		}},
		"transaction id": {peer.TxValidationCode_BAD_PROPOSAL_TXID, func(c *channel) {
			p := c.fleet("a")
			h := new(common.ChannelHeader)
			if err := proto.Unmarshal(p.header.ChannelHeader, h); err != nil {
				t.Fatal(err)
			}
			h.TxId = "00" + h.TxId[2:]
			p.header.ChannelHeader = marshal(h)
			c.order(p, peer.TxValidationCode_BAD_PROPOSAL_TXID)
		}},
		"other proposal": {peer.TxValidationCode_INVALID_ENDORSER_TRANSACTION, func(c *channel) {
			p := c.fleet("a")
			p.change = func(a *peer.ChaincodeActionPayload) {
				a.ChaincodeProposalPayload = append(a.ChaincodeProposalPayload, 0x12, 0)
			}
			c.order(p, peer.TxValidationCode_INVALID_ENDORSER_TRANSACTION)
		}},
		"other channel": {peer.TxValidationCode_TARGET_CHAIN_NOT_FOUND, func(c *channel) {
			p := c.fleet("a")
			h := new(common.ChannelHeader)
			if err := proto.Unmarshal(p.header.ChannelHeader, h); err != nil {
				t.Fatal(err)
			}
			h.ChannelId = "other"
			p.header.ChannelHeader = marshal(h)
			c.order(p, peer.TxValidationCode_TARGET_CHAIN_NOT_FOUND)
		}},
		"undefined chaincode": {peer.TxValidationCode_INVALID_CHAINCODE, func(c *channel) {
			p := c.propose(c.orgs[contracttest.Operator].client, "unknown", []byte("f"))
			c.order(p, peer.TxValidationCode_INVALID_CHAINCODE)
		}},
		"namespace twice": {peer.TxValidationCode_ILLEGAL_WRITESET, func(c *channel) {
			p := c.fleet("a")
			p.rwset.NsRwset = append(p.rwset.NsRwset, p.rwset.NsRwset[1])
			c.order(p, peer.TxValidationCode_ILLEGAL_WRITESET)
		}},
		"in the block twice": {duplicate, func(c *channel) { p := c.order(c.fleet("a"), valid); c.raw(p.signed, duplicate) }},
		"again":              {duplicate, func(c *channel) { p := c.order(c.fleet("a"), valid); c.cut(); c.raw(p.signed, duplicate) }},
		"again after invalid": {duplicate, func(c *channel) {
			p := c.fleet("a")
			p.endorsers = p.endorsers[:1]
			c.order(p, policy)
			c.cut()
			p.endorsers = c.fleet("b").endorsers
			c.order(p, duplicate)
		}},
		"endorsement dropped": {policy, func(c *channel) { p := c.fleet("a"); p.endorsers = p.endorsers[:1]; c.order(p, policy) }},
		"endorsed by owner and lender": {policy, func(c *channel) {
			p := c.fleet("a")
			p.endorsers = []*member{c.orgs[contracttest.Operator].peer, c.orgs[contracttest.Lender].peer}
			c.order(p, policy)
		}},
		"endorsed by a client": {policy, func(c *channel) {
			p := c.fleet("a")
			p.endorsers[1] = c.orgs[contracttest.Lender].client
			c.order(p, policy)
		}},
		"endorsed by one twice": {policy, func(c *channel) { p := c.fleet("a"); p.endorsers[1] = p.endorsers[0]; c.order(p, policy) }},
		"endorsement forged": {policy, func(c *channel) {
			p := c.fleet("a")
			p.change = func(a *peer.ChaincodeActionPayload) {
				a.Action.Endorsements[1].Signature = a.Action.Endorsements[0].Signature
			}
			c.order(p, policy)
		}},
		"key read that changed": {peer.TxValidationCode_MVCC_READ_CONFLICT, func(c *channel) {
			first, second := c.fleet("a"), c.fleet("a")
			c.order(first, valid)
			c.cut()
			c.order(second, peer.TxValidationCode_MVCC_READ_CONFLICT)
		}},
		"key read that changed in the block": {peer.TxValidationCode_MVCC_READ_CONFLICT, func(c *channel) {
			first, second := c.fleet("a"), c.fleet("a")
			c.order(first, valid)
			c.order(second, peer.TxValidationCode_MVCC_READ_CONFLICT)
		}},
		"range that changed": {peer.TxValidationCode_PHANTOM_READ_CONFLICT, func(c *channel) {
			query := c.call(contracttest.Lender, ledger.QueryFleets, ledger.Nothing{}, nil)
			c.order(c.fleet("a"), valid)
			c.order(query, peer.TxValidationCode_PHANTOM_READ_CONFLICT)
		}},
		"range that did not": {valid, func(c *channel) {
			c.order(c.fleet("a"), valid)
			c.cut()
			c.order(c.call(contracttest.Lender, ledger.QueryFleets, ledger.Nothing{}, nil), valid)
		}},
		"definition that changed": {peer.TxValidationCode_MVCC_READ_CONFLICT, func(c *channel) {
			p := c.fleet("a")
			c.order(c.define(contractName, c.peersOf(contracttest.Regulator, contracttest.Lender)), valid)
			c.cut()
			c.order(p, peer.TxValidationCode_MVCC_READ_CONFLICT)
		}},
		"definition without a majority": {policy, func(c *channel) {
			p := c.define("other", c.peersOf(contracttest.Lender))
			p.endorsers = p.endorsers[:2]
			c.order(p, policy)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := founded(t)
			test.order(c)
			last := c.cut()
			report := c.audit()
			if !report.Sound {
				t.Fatal(report.Findings)
			}
			if code := test.code.String(); test.code != valid && report.Invalid[len(report.Invalid)-1].Code != code {
				t.Errorf("invalid: %+v", report.Invalid)
			}
			other := byte(valid)
			if test.code == valid {
				other = byte(policy)
			}
			flags := bytes.Clone(last.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER])
			flags[len(flags)-1] = other
			c.flag(len(c.blocks)-1, flags)
			want := []string{fmt.Sprintf("%d flag", len(c.blocks)-1)}
			if diff := cmp.Diff(want, failures(c.audit())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// founded is a channel with the contract defined, on blocks that carry codes.
func founded(t testing.TB) *channel {
	c := newChannel(t, consensusRaft)
	c.t = t
	c.order(c.define(contractName, c.peersOf(contracttest.Regulator, contracttest.Lender)), valid)
	c.cut()
	c.submit(contracttest.Regulator, ledger.FnFound, c.genesis, nil)
	return c
}

// An organisation's own collection is its own to endorse.
func TestCollections(t *testing.T) {
	c := founded(t)
	approve := func(by string, endorser *member) *proposal {
		p := c.propose(c.orgs[by].admin, lifecycleNamespace, []byte("ApproveChaincodeDefinitionForMyOrg"))
		hashed := &kvrwset.HashedRWSet{HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: []byte("key of " + by), ValueHash: []byte("value")}}}
		p.rwset = &rwset.TxReadWriteSet{NsRwset: []*rwset.NsReadWriteSet{{Namespace: lifecycleNamespace, CollectionHashedRwset: []*rwset.CollectionHashedReadWriteSet{
			{CollectionName: implicitCollection + c.orgs[by].mspID, HashedRwset: marshal(hashed)},
		}}}}
		p.endorsers = []*member{endorser}
		return p
	}
	c.order(approve(contracttest.Operator, c.orgs[contracttest.Operator].peer), valid)
	c.order(approve(contracttest.Rival, c.orgs[contracttest.Operator].peer), policy)
	c.cut()
	reads := func(v *kvrwset.Version) *proposal {
		p := approve(contracttest.Operator, c.orgs[contracttest.Operator].peer)
		p.rwset.NsRwset[0].CollectionHashedRwset[0].HashedRwset = marshal(&kvrwset.HashedRWSet{
			HashedReads:  []*kvrwset.KVReadHash{{KeyHash: []byte("key of operator"), Version: v}},
			HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: []byte("another"), ValueHash: []byte("value")}},
		})
		return p
	}
	c.order(reads(&kvrwset.Version{BlockNum: 3, TxNum: 0}), valid)
	c.order(reads(&kvrwset.Version{BlockNum: 3, TxNum: 1}), peer.TxValidationCode_MVCC_READ_CONFLICT)
	c.cut()
	if r := c.audit(); !r.Sound {
		t.Error(r.Findings)
	}
}

// Blocks of an orderer carry no codes. They are audited all the same.
func TestWithoutCodes(t *testing.T) {
	c := founded(t)
	p := c.fleet("a")
	p.endorsers = p.endorsers[:1]
	c.order(p, policy)
	c.cut()
	for i := range c.blocks {
		c.flag(i, nil)
	}
	r := c.audit()
	if !r.Sound || r.Counts.Flags != 0 || r.Counts.Codes[policy.String()] != 1 {
		t.Errorf("%+v", r)
	}
}

// A policy of the channel that asks for less than the consortium's rule does not make a call sound.
func TestRule(t *testing.T) {
	c := newChannel(t, consensusRaft)
	c.order(c.define(contractName, anyOf(role(c.orgs[contracttest.Operator].mspID, msp.MSPRole_MEMBER))), valid)
	c.cut()
	p := c.call(contracttest.Regulator, ledger.FnFound, c.genesis, nil)
	p.endorsers = []*member{c.orgs[contracttest.Operator].peer}
	c.order(p, valid)
	c.cut()
	if diff := cmp.Diff([]string{"2 rule"}, failures(c.audit())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
