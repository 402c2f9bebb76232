package audit

import (
	"crypto"
	"crypto/sha256"
	"iter"
	"math"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const testChannel = "assay"

// channel makes the blocks of a channel as Fabric's orderers and peers do, with a signer for everybody. What they sign can be chosen, so that what they would never sign is
// tested too.
type channel struct {
	t         testing.TB
	genesis   *ledger.Genesis
	id        commit.Digest
	srs       *commit.SRS
	orgs      map[string]*authority
	orderers  *authority
	consensus string
	bft       []*member
	sequence  uint64
	lastConf  uint64
	blocks    []*common.Block
	pending   []*common.Envelope
	flags     []byte
	state     map[string]entry
	kept      map[commit.Digest][]byte
	signers   map[string]crypto.Signer
	now       int64
}

// entry is a value with its version, by namespace and key.
type entry struct {
	value []byte
	at    version
}

func newChannel(t testing.TB, consensus string) *channel {
	return newChannelOf(t, consensus, contracttest.Genesis())
}

func newChannelOf(t testing.TB, consensus string, founding ledger.Genesis) *channel {
	g, signers := contracttest.WithSigners(founding)
	c := &channel{
		t: t, genesis: g, signers: signers, id: g.ID(), srs: testSRS(), orgs: map[string]*authority{}, orderers: newAuthority("OrdererMSP"), consensus: consensus,
		state: map[string]entry{}, kept: map[commit.Digest][]byte{}, now: g.EpochZero + 100*g.EpochSeconds + 3600,
	}
	for i := range g.Organisations {
		c.orgs[g.Organisations[i].ID] = newAuthority(g.Organisations[i].MSPID())
	}
	for range 4 {
		c.bft = append(c.bft, certificate("OrdererMSP", "orderer", c.orderers.member, nil))
	}
	c.configure(nil)
	return c
}

func configValue(m proto.Message) *common.ConfigValue { return &common.ConfigValue{Value: marshal(m)} }

func implicit(rule common.ImplicitMetaPolicy_Rule, sub string) *common.ConfigPolicy {
	return &common.ConfigPolicy{Policy: &common.Policy{
		Type: int32(common.Policy_IMPLICIT_META), Value: marshal(&common.ImplicitMetaPolicy{Rule: rule, SubPolicy: sub}),
	}}
}

// anyOf is a signature policy that one of some principals meets.
func anyOf(principals ...*msp.MSPPrincipal) *common.SignaturePolicyEnvelope {
	return nOf(1, principals...)
}

func nOf(n int32, principals ...*msp.MSPPrincipal) *common.SignaturePolicyEnvelope {
	rules := make([]*common.SignaturePolicy, len(principals))
	for i := range principals {
		rules[i] = &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}}
	}
	return &common.SignaturePolicyEnvelope{
		Rule:       &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: &common.SignaturePolicy_NOutOf{N: n, Rules: rules}}},
		Identities: principals,
	}
}

func role(mspID string, r msp.MSPRole_MSPRoleType) *msp.MSPPrincipal {
	return &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: marshal(&msp.MSPRole{MspIdentifier: mspID, Role: r})}
}

func signaturePolicy(p *common.SignaturePolicyEnvelope) *common.ConfigPolicy {
	return &common.ConfigPolicy{Policy: &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: marshal(p)}}
}

func (a *authority) group(by msp.MSPRole_MSPRoleType) *common.ConfigGroup {
	return &common.ConfigGroup{
		Values: map[string]*common.ConfigValue{"MSP": {Value: a.config()}},
		Policies: map[string]*common.ConfigPolicy{
			"Writers":     signaturePolicy(anyOf(role(a.mspID, msp.MSPRole_MEMBER))),
			"Endorsement": signaturePolicy(anyOf(role(a.mspID, by))),
		},
	}
}

// root is the channel's configuration.
func (c *channel) root() *common.ConfigGroup {
	capability := func(name string) *common.ConfigValue {
		return configValue(&common.Capabilities{Capabilities: map[string]*common.Capability{name: {}}})
	}
	ordering := &common.ConfigGroup{
		Groups:   map[string]*common.ConfigGroup{"OrdererOrg": c.orderers.group(msp.MSPRole_ORDERER)},
		Values:   map[string]*common.ConfigValue{"ConsensusType": configValue(&orderer.ConsensusType{Type: c.consensus}), "Capabilities": capability("V2_0")},
		Policies: map[string]*common.ConfigPolicy{"BlockValidation": implicit(common.ImplicitMetaPolicy_ANY, "Writers")},
	}
	if c.consensus == consensusBFT {
		mapping := &common.Orderers{}
		var principals []*msp.MSPPrincipal
		for i, m := range c.bft {
			mapping.ConsenterMapping = append(mapping.ConsenterMapping, &common.Consenter{Id: uint32(i + 1), MspId: m.mspID, Identity: m.pem()})
			principals = append(principals, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_IDENTITY, Principal: m.serialised()})
		}
		ordering.Values["Orderers"] = configValue(mapping)
		ordering.Policies["BlockValidation"] = signaturePolicy(nOf(3, principals...))
	}
	application := &common.ConfigGroup{
		Groups: map[string]*common.ConfigGroup{}, Values: map[string]*common.ConfigValue{"Capabilities": capability("V2_5")},
		Policies: map[string]*common.ConfigPolicy{
			"LifecycleEndorsement": implicit(common.ImplicitMetaPolicy_MAJORITY, "Endorsement"), "Endorsement": implicit(common.ImplicitMetaPolicy_MAJORITY, "Endorsement"),
		},
	}
	for id, a := range c.orgs {
		application.Groups[id] = a.group(msp.MSPRole_PEER)
	}
	return &common.ConfigGroup{
		Groups: map[string]*common.ConfigGroup{"Orderer": ordering, "Application": application},
		Values: map[string]*common.ConfigValue{
			"Capabilities": capability("V3_0"), "HashingAlgorithm": configValue(&common.HashingAlgorithm{Name: "SHA256"}),
			"BlockDataHashingStructure": configValue(&common.BlockDataHashingStructure{Width: math.MaxUint32}),
		},
	}
}

// configure puts the channel's configuration, as it is now or changed, in a block of its own.
func (c *channel) configure(change func(*common.ConfigGroup)) {
	root := c.root()
	if change != nil {
		change(root)
	}
	header := &common.ChannelHeader{Type: int32(common.HeaderType_CONFIG), ChannelId: testChannel}
	payload := &common.Payload{
		Header: &common.Header{ChannelHeader: marshal(header), SignatureHeader: marshal(&common.SignatureHeader{Creator: c.orderers.orderer.serialised(), Nonce: nonce()})},
		Data:   marshal(&common.ConfigEnvelope{Config: &common.Config{Sequence: c.sequence, ChannelGroup: root}}),
	}
	c.sequence++
	encoded := marshal(payload)
	c.lastConf = uint64(len(c.blocks))
	c.pending, c.flags = []*common.Envelope{{Payload: encoded, Signature: c.orderers.orderer.sign(encoded)}}, []byte{0}
	c.cut()
}

// cut makes a block of what is pending.
func (c *channel) cut() *common.Block {
	b := &common.Block{Header: &common.BlockHeader{Number: uint64(len(c.blocks))}, Data: &common.BlockData{}, Metadata: &common.BlockMetadata{Metadata: make([][]byte, 5)}}
	if len(c.blocks) > 0 {
		hash := sha256.Sum256(headerBytes(c.blocks[len(c.blocks)-1].Header))
		b.Header.PreviousHash = hash[:]
	}
	for _, e := range c.pending {
		b.Data.Data = append(b.Data.Data, marshal(e))
	}
	b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = c.flags
	c.pending, c.flags = nil, nil
	c.blocks = append(c.blocks, b)
	c.seal(b)
	return b
}

// seal fits a block's header to its data and lets the orderers sign it.
func (c *channel) seal(b *common.Block) {
	h := sha256.New()
	for _, d := range b.Data.Data {
		h.Write(d)
	}
	b.Header.DataHash = h.Sum(nil)
	if b.Header.Number == 0 {
		return
	}
	value := marshal(&common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: min(c.lastConf, b.Header.Number)}})
	m := &common.Metadata{Value: value}
	if c.consensus == consensusRaft {
		m.Signatures = append(m.Signatures, c.sealBy(c.orderers.orderer, value, b.Header))
	} else {
		for i := range 3 {
			m.Signatures = append(m.Signatures, c.sealAs(uint32(i+1), c.bft[i], value, b.Header))
		}
	}
	b.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = marshal(m)
}

func (c *channel) sealBy(m *member, value []byte, header *common.BlockHeader) *common.MetadataSignature {
	h := marshal(&common.SignatureHeader{Creator: m.serialised(), Nonce: nonce()})
	return &common.MetadataSignature{SignatureHeader: h, Signature: m.sign(concat(value, h, headerBytes(header)))}
}

func (c *channel) sealAs(id uint32, m *member, value []byte, header *common.BlockHeader) *common.MetadataSignature {
	h := marshal(&common.IdentifierHeader{Identifier: id, Nonce: nonce()})
	return &common.MetadataSignature{IdentifierHeader: h, Signature: m.sign(concat(value, h, headerBytes(header)))}
}

// resealed makes the rest of the chain follow from a block that was changed, as orderers would that are in on it.
func (c *channel) resealed(from int) {
	for i := from; i < len(c.blocks); i++ {
		if i > 0 {
			hash := sha256.Sum256(headerBytes(c.blocks[i-1].Header))
			c.blocks[i].Header.PreviousHash = hash[:]
		}
		c.seal(c.blocks[i])
	}
}

// encoded gives the blocks as a source does.
func (c *channel) encoded() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, b := range c.blocks {
			if !yield(marshal(b), nil) {
				return
			}
		}
	}
}

func (c *channel) pinned() commit.Digest { return sha256.Sum256(headerBytes(c.blocks[0].Header)) }
