package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

var testSRS = sync.OnceValue(contracttest.SRS)

const contractName = "assay"

func nonce() []byte {
	b := make([]byte, 24)
	rand.Read(b) //nolint:errcheck // never fails
	return b
}

func concat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// proposal is a transaction on its way. Tests change what they want to see found.
type proposal struct {
	chaincode string
	creator   *member
	time      int64
	args      [][]byte
	rwset     *rwset.TxReadWriteSet
	event     *peer.ChaincodeEvent
	response  *peer.Response
	endorsers []*member
	header    *common.Header
	txID      string
	// signed is what was handed to the orderers.
	signed *common.Envelope
	// change comes before the creator signs.
	change func(*peer.ChaincodeActionPayload)
}

func (c *channel) propose(creator *member, chaincode string, args ...[]byte) *proposal {
	sh := &common.SignatureHeader{Creator: creator.serialised(), Nonce: nonce()}
	sum := sha256.Sum256(concat(sh.Nonce, sh.Creator))
	p := &proposal{
		chaincode: chaincode, creator: creator, time: c.now, args: args, txID: hex.EncodeToString(sum[:]), response: &peer.Response{Status: 200},
		endorsers: []*member{c.orgs[contracttest.Regulator].peer, c.orgs[contracttest.Lender].peer},
	}
	p.header = &common.Header{SignatureHeader: marshal(sh), ChannelHeader: marshal(&common.ChannelHeader{
		Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: testChannel, TxId: p.txID, Timestamp: timestamppb.New(time.Unix(c.now, 5)),
		Extension: marshal(&peer.ChaincodeHeaderExtension{ChaincodeId: &peer.ChaincodeID{Name: chaincode}}),
	})}
	return p
}

// call proposes a call of the contract and lets a peer simulate it.
func (c *channel) call(org, function string, args any, blob []byte) *proposal {
	c.t.Helper()
	p := c.propose(c.orgs[org].client, contractName, []byte(function), []byte(c.id.String()), ledger.Encode(args))
	s := &simulation{channel: c, kv: &kvrwset.KVRWSet{}}
	var transient map[string][]byte
	if blob != nil {
		transient = map[string][]byte{ledger.TransientAttestations: blob}
	}
	credentials, err := contract.CredentialsOf(p.creator.cert)
	if err != nil {
		c.t.Fatal(err)
	}
	tx := &contract.Tx{
		ID: p.txID, Time: time.Unix(c.now, 0).UTC(), Caller: contract.Caller{Org: org, Attributes: credentials.Attributes}, Ledger: c.id, Genesis: c.genesis,
	}
	env := &contract.Environment{SRS: c.srs, Keep: func(_ commit.ChunkPlace, root commit.Digest, b []byte) error { c.kept[root] = b; return nil }}
	result, err := c.execute(env, tx, s, ledger.Call{Function: function, Args: p.args[2], Transient: transient})
	if err != nil {
		c.t.Fatalf("%s: %v", function, err)
	}
	p.response.Payload = result
	if s.name != "" {
		p.event = &peer.ChaincodeEvent{ChaincodeId: contractName, TxId: p.txID, EventName: s.name, Payload: s.payload}
	}
	p.rwset = &rwset.TxReadWriteSet{NsRwset: []*rwset.NsReadWriteSet{
		{Namespace: lifecycleNamespace, Rwset: marshal(&kvrwset.KVRWSet{Reads: []*kvrwset.KVRead{c.read(lifecycleNamespace, "namespaces/fields/assay/Sequence")}})},
		{Namespace: contractName, Rwset: marshal(s.sorted())},
	}}
	return p
}

func (c *channel) execute(env *contract.Environment, tx *contract.Tx, s *simulation, call ledger.Call) ([]byte, error) {
	if call.Function == ledger.FnFound {
		if err := s.Put(ledger.GenesisKey, call.Args); err != nil {
			return nil, err
		}
		s.Event(ledger.EventFounded, ledger.Encode(ledger.EventPayload{Organisation: tx.Caller.Org}))
		return call.Args, nil
	}
	if contract.IsQuery(call.Function) {
		return contract.Query(env, tx, s, call.Function, call.Args)
	}
	return contract.Execute(env, tx, s, call)
}

func (c *channel) read(namespace, key string) *kvrwset.KVRead {
	r := &kvrwset.KVRead{Key: key}
	if v, ok := c.state[namespace+"\x00"+key]; ok {
		r.Version = &kvrwset.Version{BlockNum: v.at.block, TxNum: v.at.tx}
	}
	return r
}

// simulation is a peer's view of the state during a call.
type simulation struct {
	channel *channel
	kv      *kvrwset.KVRWSet
	name    string
	payload []byte
}

func (s *simulation) Get(key string) ([]byte, error) {
	s.kv.Reads = append(s.kv.Reads, s.channel.read(contractName, key))
	return s.channel.state[contractName+"\x00"+key].value, nil
}

func (s *simulation) Put(key string, value []byte) error {
	s.kv.Writes = append(s.kv.Writes, &kvrwset.KVWrite{Key: key, Value: value})
	return nil
}

func (s *simulation) Range(prefix string, fn func(string, []byte) error) error {
	q := &kvrwset.RangeQueryInfo{StartKey: prefix, EndKey: prefix + "\x7f", ItrExhausted: true}
	tree, reads := newReadsTree(50), []*kvrwset.KVRead{}
	for _, k := range slices.Sorted(maps.Keys(s.channel.state)) {
		key, ok := strings.CutPrefix(k, contractName+"\x00")
		if !ok || !strings.HasPrefix(key, prefix) {
			continue
		}
		r := s.channel.read(contractName, key)
		reads = append(reads, r)
		if err := tree.add(r); err != nil {
			return err
		}
		if err := fn(key, s.channel.state[k].value); err != nil {
			return err
		}
	}
	if q.ReadsInfo = (&kvrwset.RangeQueryInfo_RawReads{RawReads: &kvrwset.QueryReads{KvReads: reads}}); len(reads) > 50 {
		summary, err := tree.summary()
		if err != nil {
			return err
		}
		q.ReadsInfo = &kvrwset.RangeQueryInfo_ReadsMerkleHashes{ReadsMerkleHashes: summary}
	}
	s.kv.RangeQueriesInfo = append(s.kv.RangeQueriesInfo, q)
	return nil
}

func (s *simulation) Event(name string, payload []byte) { s.name, s.payload = name, payload }

func (s *simulation) sorted() *kvrwset.KVRWSet {
	slices.SortFunc(s.kv.Writes, func(a, b *kvrwset.KVWrite) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(s.kv.Reads, func(a, b *kvrwset.KVRead) int { return strings.Compare(a.Key, b.Key) })
	s.kv.Reads = slices.CompactFunc(s.kv.Reads, func(a, b *kvrwset.KVRead) bool { return a.Key == b.Key })
	return s.kv
}

// envelope lets the endorsers and the creator sign.
func (c *channel) envelope(p *proposal) *common.Envelope {
	payload := marshal(&peer.ChaincodeProposalPayload{Input: marshal(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		Type: peer.ChaincodeSpec_GOLANG, ChaincodeId: &peer.ChaincodeID{Name: p.chaincode}, Input: &peer.ChaincodeInput{Args: p.args},
	}})})
	hash := sha256.Sum256(concat(p.header.ChannelHeader, p.header.SignatureHeader, payload))
	action := &peer.ChaincodeAction{Results: marshal(p.rwset), Response: p.response, ChaincodeId: &peer.ChaincodeID{Name: p.chaincode, Version: "1"}}
	if p.event != nil {
		action.Events = marshal(p.event)
	}
	response := marshal(&peer.ProposalResponsePayload{ProposalHash: hash[:], Extension: marshal(action)})
	full := &peer.ChaincodeActionPayload{ChaincodeProposalPayload: payload, Action: &peer.ChaincodeEndorsedAction{ProposalResponsePayload: response}}
	for _, e := range p.endorsers {
		full.Action.Endorsements = append(full.Action.Endorsements, &peer.Endorsement{Endorser: e.serialised(), Signature: e.sign(concat(response, e.serialised()))})
	}
	if p.change != nil {
		p.change(full)
	}
	encoded := marshal(&common.Payload{Header: p.header, Data: marshal(&peer.Transaction{Actions: []*peer.TransactionAction{{Header: p.header.SignatureHeader, Payload: marshal(full)}}})})
	return &common.Envelope{Payload: encoded, Signature: p.creator.sign(encoded)}
}

// order puts a transaction in the next block, under the code that peers give it, and applies its writes if that is VALID.
func (c *channel) order(p *proposal, code peer.TxValidationCode) *proposal {
	at := version{uint64(len(c.blocks)), uint64(len(c.pending))}
	p.signed = c.envelope(p)
	c.pending, c.flags = append(c.pending, p.signed), append(c.flags, byte(code))
	if code != peer.TxValidationCode_VALID {
		return p
	}
	sets, err := decodeRWSet(marshal(p.rwset))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range sets {
		for _, w := range n.public.Writes {
			c.state[n.name+"\x00"+w.Key] = entry{w.Value, at}
		}
	}
	return p
}

// submit orders a valid call in a block of its own.
func (c *channel) submit(org, function string, args any, blob []byte) *proposal {
	c.t.Helper()
	p := c.order(c.call(org, function, args, blob), peer.TxValidationCode_VALID)
	c.cut()
	return p
}

// define commits the contract's definition with an endorsement policy.
func (c *channel) define(name string, policy *common.SignaturePolicyEnvelope) *proposal {
	parameter := marshal(&peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: policy}})
	info := marshal(&lifecycle.ChaincodeValidationInfo{ValidationPlugin: "vscc", ValidationParameter: parameter})
	write := func(key string, m []byte) *kvrwset.KVWrite { return &kvrwset.KVWrite{Key: key, Value: m} }
	set := &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{
		write("namespaces/fields/"+name+"/Sequence", marshal(&lifecycle.StateData{Type: &lifecycle.StateData_Int64{Int64: 1}})),
		write("namespaces/fields/"+name+"/ValidationInfo", marshal(&lifecycle.StateData{Type: &lifecycle.StateData_Bytes{Bytes: info}})),
		write("namespaces/metadata/"+name, marshal(&lifecycle.StateMetadata{Datatype: "ChaincodeDefinition", Fields: []string{"Sequence", "ValidationInfo"}})),
	}}
	p := c.propose(c.orgs[contracttest.Regulator].admin, lifecycleNamespace, []byte("CommitChaincodeDefinition"))
	p.rwset = &rwset.TxReadWriteSet{NsRwset: []*rwset.NsReadWriteSet{{Namespace: lifecycleNamespace, Rwset: marshal(set)}}}
	for _, id := range []string{contracttest.Operator, contracttest.Rival} {
		p.endorsers = append(p.endorsers, c.orgs[id].peer)
	}
	return p
}

// peersOf is a policy that asks for peers of all of some organisations.
func (c *channel) peersOf(orgs ...string) *common.SignaturePolicyEnvelope {
	var principals []*msp.MSPPrincipal
	for _, id := range orgs {
		principals = append(principals, role(c.orgs[id].mspID, msp.MSPRole_PEER))
	}
	return nOf(int32(len(orgs)), principals...)
}

// summary is the record of a tree.
func (t *readsTree) summary() (*kvrwset.QueryReadsMerkleSummary, error) {
	top, level, err := t.top()
	return &kvrwset.QueryReadsMerkleSummary{MaxDegree: uint32(t.degree), MaxLevel: level, MaxLevelHashes: top}, err
}
