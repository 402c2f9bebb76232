package audit

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

// Consensus types.
const (
	consensusRaft = "etcdraft"
	consensusBFT  = "BFT"
)

const maxConsenters = 1 << 10

// configuration is a channel's configuration: who belongs to it, who orders, and its policies.
type configuration struct {
	channel  string
	sequence uint64
	// number is the block that it came in.
	number    uint64
	consensus string
	// byIdentifier says that orderers sign under the numbers of consenters.
	byIdentifier bool
	consenters   []*common.Consenter
	root         *common.ConfigGroup
	msps         map[string]*provider
	orderers     map[string]bool
	// members maps an MSP id to the name of its application organisation.
	members    map[string]string
	identities identities
}

// readConfiguration reads the configuration in a block, or gives an error if it holds none that this package understands.
func readConfiguration(b *block) (*configuration, error) {
	payload, ok := b.configuration()
	if !ok {
		return nil, errors.New("holds no configuration")
	}
	header, envelope := new(common.ChannelHeader), new(common.ConfigEnvelope)
	if err := decode("channel header", payload.GetHeader().GetChannelHeader(), header, nil); err != nil {
		return nil, err
	}
	if err := decode("configuration", payload.Data, envelope, nil); err != nil {
		return nil, err
	}
	c := &configuration{
		channel: header.ChannelId, sequence: envelope.GetConfig().GetSequence(), number: b.number, root: envelope.GetConfig().GetChannelGroup(),
		msps: map[string]*provider{}, orderers: map[string]bool{}, members: map[string]string{}, identities: identities{seen: map[[32]byte]*known{}},
	}
	if c.root == nil || c.channel == "" {
		return nil, errors.New("configuration: has no channel")
	}
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

func (c *configuration) read() error {
	if err := c.checkHashing(); err != nil {
		return err
	}
	capabilities, err := value(c.root, "Capabilities", new(common.Capabilities))
	if err != nil {
		return err
	}
	_, c.byIdentifier = capabilities.GetCapabilities()["V3_0"]
	if err := c.readOrderers(c.root.Groups["Orderer"]); err != nil {
		return fmt.Errorf("orderers: %w", err)
	}
	return c.readMembers(c.root.Groups["Application"])
}

// checkHashing refuses what no channel has any more: other hash functions, and trees of data hashes.
func (c *configuration) checkHashing() error {
	algorithm, err := value(c.root, "HashingAlgorithm", new(common.HashingAlgorithm))
	if err != nil {
		return err
	}
	structure, err := value(c.root, "BlockDataHashingStructure", new(common.BlockDataHashingStructure))
	if err != nil {
		return err
	}
	if algorithm.GetName() != "SHA256" || structure.GetWidth() != math.MaxUint32 {
		return fmt.Errorf("blocks are hashed with %.32q in a tree of width %d, only SHA256 and width %d are understood", algorithm.GetName(), structure.GetWidth(), uint32(math.MaxUint32))
	}
	return nil
}

// value decodes a group's value into m, which stays empty if there is none.
func value[M proto.Message](g *common.ConfigGroup, name string, m M) (M, error) {
	v := g.GetValues()[name]
	if v == nil {
		return m, nil
	}
	return m, decode(name, v.Value, m, limits{1: maxConsenters})
}

func (c *configuration) readOrderers(g *common.ConfigGroup) error {
	if g == nil {
		return errors.New("there are none")
	}
	kind, err := value(g, "ConsensusType", new(wire.ConsensusType))
	if err != nil {
		return err
	}
	if c.consensus = kind.GetType(); c.consensus != consensusRaft && c.consensus != consensusBFT {
		return fmt.Errorf("consensus type is %.32q, only %s and %s are understood", c.consensus, consensusRaft, consensusBFT)
	}
	mapping, err := value(g, "Orderers", new(common.Orderers))
	if err != nil {
		return err
	}
	c.consenters = mapping.GetConsenterMapping()
	if c.consensus == consensusBFT && (!c.byIdentifier || len(c.consenters) == 0) {
		return errors.New("consensus type is BFT, without capability V3_0 or without consenters")
	}
	for _, name := range slices.Sorted(maps.Keys(g.Groups)) {
		id, err := c.readMSP(name, g.Groups[name])
		if err != nil {
			return err
		}
		c.orderers[id] = true
	}
	return nil
}

func (c *configuration) readMembers(g *common.ConfigGroup) error {
	if g == nil {
		return errors.New("there are no application organisations")
	}
	capabilities, err := value(g, "Capabilities", new(common.Capabilities))
	if err != nil {
		return err
	}
	if _, v20 := capabilities.GetCapabilities()["V2_0"]; !v20 {
		if _, v25 := capabilities.GetCapabilities()["V2_5"]; !v25 {
			return errors.New("application capabilities are older than V2_0, which is not understood")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.Groups)) {
		id, err := c.readMSP(name, g.Groups[name])
		if err != nil {
			return err
		}
		c.members[id] = name
	}
	return nil
}

// readMSP reads an organisation's MSP. One that both orders and takes part has the same in both places.
func (c *configuration) readMSP(name string, g *common.ConfigGroup) (string, error) {
	v := g.GetValues()["MSP"]
	if v == nil {
		return "", fmt.Errorf("organisation %.64q has no MSP", name)
	}
	p, err := readProvider(v.Value)
	if err != nil {
		return "", fmt.Errorf("organisation %.64q: %w", name, err)
	}
	if other := c.msps[p.id]; other != nil && !proto.Equal(other.config, p.config) {
		return "", fmt.Errorf("organisation %.64q: MSP %.64q is defined twice", name, p.id)
	}
	if c.msps[p.id] == nil {
		c.msps[p.id] = p
	}
	return p.id, nil
}

// consenter is the identity of a consenter, serialised; nil if there is none of this number.
func (c *configuration) consenter(number uint32) []byte {
	for _, one := range c.consenters {
		if one.Id == number {
			b, err := proto.Marshal(&msp.SerializedIdentity{Mspid: one.MspId, IdBytes: one.Identity})
			if err != nil {
				return nil // an MSP id that is not UTF-8 names nobody
			}
			return b
		}
	}
	return nil
}

// quorum is how many of n consenters must sign a block so that any two quorums share an honest one: ⌈(n+f+1)/2⌉ with f = ⌊(n−1)/3⌋.
func quorum(n int) int {
	f := (n - 1) / 3
	return (n + f + 2) / 2
}
