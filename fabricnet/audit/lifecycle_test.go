package audit

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"

	"github.com/assay-net/assay/fabricnet/audit/wire"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

func (p *proposal) private(namespace, collection string) *proposal {
	hashed := marshal(&kvrwset.HashedRWSet{HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: nonce(), ValueHash: nonce()}}})
	p.rwset.NsRwset = append(p.rwset.NsRwset, &rwset.NsReadWriteSet{
		Namespace: namespace, CollectionHashedRwset: []*rwset.CollectionHashedReadWriteSet{{CollectionName: collection, HashedRwset: hashed}},
	})
	return p
}

// other proposes a call of another chaincode that does nothing yet.
func (c *channel) other(endorsers ...*member) *proposal {
	p := c.propose(c.orgs[contracttest.Operator].client, "other", []byte("f"))
	p.rwset, p.endorsers = new(rwset.TxReadWriteSet), endorsers
	return p
}

// weakened is a definition of the contract that its owner alone can meet.
func (c *channel) weakened() *kvrwset.KVRWSet {
	parameter := marshal(&peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: c.peersOf(contracttest.Operator)}})
	info := marshal(&lifecycle.ChaincodeValidationInfo{ValidationPlugin: builtinValidation, ValidationParameter: parameter})
	return &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{
		Key: "namespaces/fields/" + contractName + "/ValidationInfo", Value: marshal(&lifecycle.StateData{Type: &lifecycle.StateData_Bytes{Bytes: info}}),
	}}}
}

// withOther is a channel with another chaincode that has two collections: one with a policy of its own, and one without.
func withOther(t *testing.T) *channel {
	c := founded(t)
	p := c.define("other", c.peersOf(contracttest.Regulator))
	static := func(name string, policy *common.SignaturePolicyEnvelope) *peer.CollectionConfig {
		s := &peer.StaticCollectionConfig{Name: name}
		if policy != nil {
			s.EndorsementPolicy = &peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: policy}}
		}
		return &peer.CollectionConfig{Payload: &peer.CollectionConfig_StaticCollectionConfig{StaticCollectionConfig: s}}
	}
	collections := marshal(&peer.CollectionConfigPackage{Config: []*peer.CollectionConfig{static("plain", nil), static("own", c.peersOf(contracttest.Lender))}})
	set := new(kvrwset.KVRWSet)
	if err := decode("", p.rwset.NsRwset[0].Rwset, set, nil); err != nil {
		t.Fatal(err)
	}
	set.Writes = append(set.Writes, &kvrwset.KVWrite{
		Key: "namespaces/fields/other/Collections", Value: marshal(&lifecycle.StateData{Type: &lifecycle.StateData_Bytes{Bytes: collections}}),
	})
	p.rwset.NsRwset[0].Rwset = marshal(set)
	c.order(p, valid)
	c.cut()
	return c
}

// Every namespace that a transaction writes to is held to its policy, whatever comes before it.
func TestPoliciesOfAllNamespaces(t *testing.T) {
	for name, test := range map[string]struct {
		code  peer.TxValidationCode
		write func(c *channel) *proposal
	}{
		"collection": {valid, func(c *channel) *proposal {
			return c.other(c.orgs[contracttest.Regulator].peer).private("other", "plain")
		}},
		"collection, not endorsed": {policy, func(c *channel) *proposal { return c.other().private("other", "plain") }},
		"collection's own policy":  {valid, func(c *channel) *proposal { return c.other(c.orgs[contracttest.Lender].peer).private("other", "own") }},
		"collection's own policy, not": {policy, func(c *channel) *proposal {
			return c.other(c.orgs[contracttest.Regulator].peer).private("other", "own")
		}},
		"no such collection": {policy, func(c *channel) *proposal {
			return c.other(c.orgs[contracttest.Regulator].peer).private("other", "foo")
		}},
		"collection and definition": {policy, func(c *channel) *proposal {
			p := c.other().private("other", "foo")
			p.foreign(lifecycleNamespace, c.weakened())
			return p
		}},
		"definition": {policy, func(c *channel) *proposal {
			p := c.other(c.orgs[contracttest.Regulator].peer)
			p.foreign(lifecycleNamespace, c.weakened())
			return p
		}},
	} {
		for _, flagged := range []bool{true, false} {
			c := withOther(t)
			c.order(test.write(c), test.code)
			c.cut()
			c.order(c.fleet("a"), valid) // under the definition that was
			c.cut()
			if !flagged {
				for i := range c.blocks {
					c.flag(i, nil)
				}
			}
			if r := c.audit(); !r.Sound || r.Counts.PeersWord != 0 || (len(r.Invalid) == 1) != (test.code != valid) {
				t.Errorf("%s: %v %v", name, r.Findings, r.Invalid)
			}
		}
	}
}

// What hangs on a policy that is not evaluated is a peer's word: said so each time, missed where no peer gives it, and not taken for the contract's definition.
func TestPeersWord(t *testing.T) {
	keyed := func(c *channel) *proposal {
		p := c.other(c.orgs[contracttest.Regulator].peer)
		p.foreign("other", &kvrwset.KVRWSet{MetadataWrites: []*kvrwset.KVMetadataWrite{{Key: "k", Entries: []*kvrwset.KVMetadataEntry{{Name: "VALIDATION_PARAMETER"}}}}})
		return p
	}
	writes := func(c *channel, endorsers ...*member) *proposal {
		p := c.other(endorsers...)
		p.foreign("other", &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "k", Value: []byte("v")}}})
		return p
	}
	for name, test := range map[string]struct {
		code    peer.TxValidationCode
		flagged bool
		change  func(c *channel, p *proposal)
		word    uint64
		want    []string
	}{
		"valid":                                {valid, true, nil, 1, []string{}},
		"void":                                 {policy, true, nil, 1, []string{}},
		"no word":                              {valid, false, nil, 0, []string{"5 unevaluated"}},
		"definition, not endorsed":             {policy, true, func(c *channel, p *proposal) { p.foreign(lifecycleNamespace, c.weakened()) }, 0, []string{}},
		"definition, valid in the peer's word": {valid, true, func(c *channel, p *proposal) { p.foreign(lifecycleNamespace, c.weakened()) }, 0, []string{"5 flag"}},
		"definition, endorsed": {policy, true, func(c *channel, p *proposal) {
			p.foreign(lifecycleNamespace, c.weakened())
			p.endorsers = c.define("x", c.peersOf(contracttest.Regulator)).endorsers
		}, 0, []string{"5 unevaluated"}},
		"contract": {policy, true, func(c *channel, p *proposal) {
			p.foreign(contractName, &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "k", Value: []byte("v")}}})
			p.endorsers = c.fleet("b").endorsers
		}, 0, []string{"5 unevaluated"}},
	} {
		for _, together := range []bool{true, false} {
			c := withOther(t)
			c.order(keyed(c), valid)
			if !together {
				c.cut()
			}
			p := writes(c)
			if test.change != nil {
				test.change(c, p)
			}
			c.order(p, test.code)
			c.cut()
			if !test.flagged {
				for i := range c.blocks {
					c.flag(i, nil)
				}
			}
			want := append([]string{}, test.want...)
			for i := range want {
				want[i] = fmt.Sprint(len(c.blocks)-1, want[i][1:])
			}
			r := c.audit()
			if diff := cmp.Diff(want, failures(r)); diff != "" || r.Counts.PeersWord != test.word {
				t.Errorf("%s: %d (-want +got):\n%s%v", name, r.Counts.PeersWord, diff, r.Findings)
			}
		}
	}
}

// A hashed range query is short and covers what it likes. There is an end to what is walked for the ones of a block.
func TestWalkedRanges(t *testing.T) {
	c := withOther(t)
	p := c.other(c.orgs[contracttest.Regulator].peer)
	p.foreign(lifecycleNamespace, &kvrwset.KVRWSet{RangeQueriesInfo: []*kvrwset.RangeQueryInfo{{
		ItrExhausted: true, ReadsInfo: &kvrwset.RangeQueryInfo_ReadsMerkleHashes{ReadsMerkleHashes: &kvrwset.QueryReadsMerkleSummary{MaxDegree: 2, MaxLevel: 9}},
	}}})
	sets, err := decodeRWSet(marshal(p.rwset))
	if err != nil {
		t.Fatal(err)
	}
	s, err := inMemory()
	if err != nil {
		t.Fatal(err)
	}
	err = update(s, func(s *state) error {
		if err := s.put(publicKey(lifecycleNamespace, "k"), version{1, 0}, []byte("v")); err != nil {
			return err
		}
		if code, err := s.checkReads(sets); err != nil || code != wire.TxValidationCode_PHANTOM_READ_CONFLICT {
			t.Error(code, err)
		}
		s.walked = maxWalked
		if _, err := s.checkReads(sets); err != errWalked {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
