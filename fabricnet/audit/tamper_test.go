package audit

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

// clone copies the blocks, so that one channel serves many tests.
func (c *channel) clone() *channel {
	out := *c
	out.blocks = make([]*common.Block, len(c.blocks))
	for i, b := range c.blocks {
		out.blocks[i] = proto.Clone(b).(*common.Block)
	}
	return &out
}

func flip(b []byte, i int) []byte {
	out := bytes.Clone(b)
	out[i%len(out)] ^= 1
	return out
}

// Everything that is changed in a block store is found, with the block named, and nothing after it is looked at.
func TestTamperedBlocks(t *testing.T) {
	const at = 7
	seals := int(common.BlockMetadataIndex_SIGNATURES)
	for _, consensus := range []string{consensusRaft, consensusBFT} {
		sound := populated(t, consensus)
		for name, test := range map[string]struct {
			change func(*channel)
			block  int
		}{
			"number":              {func(c *channel) { c.blocks[at].Header.Number++ }, at},
			"previous hash":       {func(c *channel) { c.blocks[at].Header.PreviousHash = flip(c.blocks[at].Header.PreviousHash, 3) }, at},
			"data hash":           {func(c *channel) { c.blocks[at].Header.DataHash = flip(c.blocks[at].Header.DataHash, 3) }, at},
			"data":                {func(c *channel) { c.blocks[at].Data.Data[0] = flip(c.blocks[at].Data.Data[0], 200) }, at},
			"transaction removed": {func(c *channel) { c.blocks[at].Data.Data = nil }, at},
			"transaction added":   {func(c *channel) { c.blocks[at].Data.Data = append(c.blocks[at].Data.Data, c.blocks[6].Data.Data[0]) }, at},
			"block removed":       {func(c *channel) { c.blocks = slices.Delete(c.blocks, at, at+1) }, at},
			"blocks swapped":      {func(c *channel) { c.blocks[at], c.blocks[at+1] = c.blocks[at+1], c.blocks[at] }, at},
			"block twice":         {func(c *channel) { c.blocks = slices.Insert(c.blocks, at, c.blocks[at-1]) }, at},
			"no metadata":         {func(c *channel) { c.blocks[at].Metadata = nil }, at},
			"no seal":             {func(c *channel) { c.blocks[at].Metadata.Metadata[seals] = nil }, at},
			"seal":                {func(c *channel) { m := c.blocks[at].Metadata.Metadata; m[seals] = flip(m[seals], len(m[seals])-1) }, at},
			"another block's seal": {func(c *channel) {
				c.blocks[at].Metadata.Metadata[seals] = c.blocks[at+1].Metadata.Metadata[seals]
			}, at},
			"sealed by another": {func(c *channel) {
				c.sealWith(at, c.orgs["operator"].orderer, c.orgs["operator"].orderer, c.orgs["operator"].orderer)
			}, at},
			"sealed by a peer":    {func(c *channel) { c.sealWith(at, c.orderers.peer, c.orderers.peer, c.orderers.peer) }, at},
			"header missing":      {func(c *channel) { c.blocks[at].Header = nil }, at},
			"genesis":             {func(c *channel) { c.blocks[0].Data.Data[0] = flip(c.blocks[0].Data.Data[0], 100) }, 0},
			"genesis and hash":    {func(c *channel) { c.blocks[0].Data.Data[0] = flip(c.blocks[0].Data.Data[0], 100); c.seal(c.blocks[0]) }, 0},
			"codes cut":           {func(c *channel) { c.flag(at, nil) }, at},
			"more codes than txs": {func(c *channel) { c.flag(at, []byte{0, 0}) }, at},
			"older configuration": {func(c *channel) { c.lastConf = 3; c.resealed(at) }, at},
		} {
			c := sound.clone()
			test.change(c)
			config := c.config()
			config.ChannelGenesis = sound.pinned()
			report, err := Run(t.Context(), config, c.encoded())
			if err != nil {
				t.Errorf("%s: %s: %v", consensus, name, err)
				continue
			}
			want := []string{fmt.Sprintf("%d damage", test.block)}
			if diff := cmp.Diff(want, failures(report)); diff != "" || report.Sound {
				t.Errorf("%s: %s: (-want +got):\n%s%v", consensus, name, diff, report.Findings)
			}
			if test.block > 0 && report.Height != uint64(test.block-1) {
				t.Errorf("%s: %s: height is %d", consensus, name, report.Height)
			}
		}
	}
}

func (c *channel) flag(block int, flags []byte) {
	c.blocks[block].Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = flags
}

// sealWith lets others sign a block, each under a number of its own where the consensus has numbers.
func (c *channel) sealWith(block int, by ...*member) {
	b := c.blocks[block]
	value := marshal(&common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: c.lastConf}})
	m := &common.Metadata{Value: value}
	for i, one := range by {
		if c.consensus == consensusRaft {
			m.Signatures = append(m.Signatures, c.sealBy(one, value, b.Header))
		} else {
			m.Signatures = append(m.Signatures, c.sealAs(uint32(i+1), one, value, b.Header))
		}
	}
	b.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = marshal(m)
}

func TestQuorum(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 4, 7: 5, 10: 7} {
		if got := quorum(n); got != want {
			t.Errorf("quorum of %d: %d, want %d", n, got, want)
		}
	}
	c := populated(t, consensusBFT)
	b := c.bft
	for name, test := range map[string]struct {
		by    []*member
		sound bool
	}{
		"three":              {b[:3], true},
		"all":                {b, true},
		"two":                {b[:2], false},
		"one three times":    {[]*member{b[0], b[0], b[0]}, false},
		"two and a stranger": {[]*member{b[0], b[1], c.orderers.orderer}, false},
		"swapped numbers":    {[]*member{b[1], b[0], b[2], b[3]}, false},
	} {
		d := c.clone()
		d.sealWith(5, test.by...)
		if r := d.audit(); r.Sound != test.sound {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}

// A channel whose policy is weaker than a quorum is held to the quorum.
func TestQuorumWithoutPolicy(t *testing.T) {
	c := newChannel(t, consensusBFT)
	c.blocks, c.sequence = nil, 0
	c.configure(func(root *common.ConfigGroup) {
		root.Groups["Orderer"].Policies["BlockValidation"] = implicit(common.ImplicitMetaPolicy_ANY, "Writers")
	})
	c.order(c.define("other", c.peersOf("regulator")), 0)
	c.cut()
	if r := c.audit(); !r.Sound {
		t.Fatal(r.Findings)
	}
	c.sealWith(1, c.bft[0], c.bft[1])
	if got := failures(c.audit()); len(got) != 1 {
		t.Error(got)
	}
}
