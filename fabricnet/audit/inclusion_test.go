package audit

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func (c *channel) verifier() Blocks {
	return Blocks{Genesis: c.genesis, ChannelGenesis: c.pinned(), Chaincode: contractName}
}

// resting gives a block with all that it rests on.
func (c *channel) resting(v Blocks, height uint64) (map[uint64][]byte, error) {
	out := map[uint64][]byte{height: marshal(c.blocks[height])}
	for {
		missing, err := v.Foundations(out)
		if err != nil || len(missing) == 0 {
			return out, err
		}
		for _, m := range missing {
			out[m] = marshal(c.blocks[m])
		}
	}
}

// included looks for a transaction in the last block.
func (c *channel) included(v Blocks, p *proposal) (*ledger.Inclusion, error) {
	height := uint64(len(c.blocks) - 1)
	blocks, err := c.resting(v, height)
	if err != nil {
		return nil, err
	}
	found, err := v.Inclusions(blocks, []ledger.Located{{TxID: p.txID, Height: height}})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// asked puts a request on the channel.
func (c *channel) asked(nonce byte) *proposal {
	s := contracttest.Statement(fleetID, 101, nonce, time.Unix(c.now+86_400, 0))
	return c.call(contracttest.Lender, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()}, nil)
}

// A block by itself shows who called what, what the endorsers signed, and on what that rests.
func TestInclusion(t *testing.T) {
	for _, consensus := range []string{consensusRaft, consensusBFT} {
		c := populated(t, consensus)
		p := c.order(c.asked(62), peer.TxValidationCode_VALID)
		c.cut()
		f, err := c.included(c.verifier(), p)
		if err != nil {
			t.Fatal(err)
		}
		if f.Organisation != contracttest.Lender || f.Call.Function != ledger.FnRequest || f.TxID != p.txID || f.Time.Unix() != c.now || f.Height != uint64(len(c.blocks)-1) {
			t.Errorf("%s: %+v", consensus, f)
		}
		if want := []string{contracttest.Lender, contracttest.Regulator}; !slices.Equal(f.Endorsers, want) || len(f.Sealers) == 0 || len(f.Assumed) != 1 {
			t.Errorf("%s: endorsed by %v, sealed by %v, assumed %v", consensus, f.Endorsers, f.Sealers, f.Assumed)
		}
		written := 0
		for key, value := range f.Writes {
			if written++; !bytes.Equal(c.state[contractName+"\x00"+key].value, value) {
				t.Errorf("%s: %s is written with another value", consensus, key)
			}
		}
		if written == 0 {
			t.Errorf("%s: nothing is written", consensus)
		}
		v := c.verifier()
		v.ChannelGenesis = commit.Digest{}
		if f, err := c.included(v, p); err != nil || len(f.Assumed) != 2 || !strings.Contains(f.Assumed[0], c.pinned().String()) || !strings.Contains(f.Assumed[0], "rests") {
			t.Errorf("%s: without a pin: %v, %v", consensus, f, err)
		}
	}
}

// Behind a change of the configuration, all changes since block 0 are verified and said.
func TestInclusionBehindConfigurations(t *testing.T) {
	for _, consensus := range []string{consensusRaft, consensusBFT} {
		c := populated(t, consensus)
		c.configure(nil)
		c.configure(nil)
		c.order(c.asked(62), peer.TxValidationCode_VALID)
		c.cut()
		c.configure(nil)
		p := c.order(c.asked(63), peer.TxValidationCode_VALID)
		c.cut()
		f, err := c.included(c.verifier(), p)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Assumed) != 4 {
			t.Errorf("%s: assumed %v", consensus, f.Assumed)
		}
		height := uint64(len(c.blocks) - 1)
		sound, err := c.resting(c.verifier(), height)
		if err != nil {
			t.Fatal(err)
		}
		for at := range sound {
			blocks := maps.Clone(sound)
			delete(blocks, at)
			if _, err := c.verifier().Inclusions(blocks, []ledger.Located{{TxID: p.txID, Height: height}}); err == nil {
				t.Errorf("%s: block %d is not needed", consensus, at)
			}
		}
	}
}

// What is not as it must be is refused, with the reason.
func TestForgedInclusion(t *testing.T) {
	seals := int(common.BlockMetadataIndex_SIGNATURES)
	for _, consensus := range []string{consensusRaft, consensusBFT} {
		sound := populated(t, consensus)
		for name, test := range map[string]struct {
			forge func(*channel, *proposal) // before it is ordered
			after func(*channel, *Blocks)   // when it is in the last block
			want  string
		}{
			"endorsed by owner and lender": {forge: func(c *channel, p *proposal) {
				p.endorsers = []*member{c.orgs[contracttest.Operator].peer, c.orgs[contracttest.Lender].peer}
			}, want: "regulators"},
			"endorsed by clients": {forge: func(c *channel, p *proposal) {
				p.endorsers = []*member{c.orgs[contracttest.Regulator].client, c.orgs[contracttest.Lender].client}
			}, want: "regulators"},
			"another chaincode": {forge: func(_ *channel, p *proposal) { p.chaincode = "another" }, want: ""},
			"another ledger":    {forge: func(_ *channel, p *proposal) { p.args[1] = []byte(strings.Repeat("ab", 32)) }, want: "names ledger"},
			"data":              {after: func(c *channel, _ *Blocks) { d := c.last().Data; d.Data[0] = flip(d.Data[0], 300) }, want: "data have hash"},
			"seal": {after: func(c *channel, _ *Blocks) {
				m := c.last().Metadata.Metadata
				m[seals] = flip(m[seals], len(m[seals])-1)
			}, want: ""},
			"no seal": {after: func(c *channel, _ *Blocks) { c.last().Metadata.Metadata[seals] = nil }, want: "no orderer"},
			"sealed by peers": {after: func(c *channel, _ *Blocks) {
				c.sealWith(len(c.blocks)-1, c.orderers.peer, c.orderers.peer, c.orderers.peer)
			}, want: ""},
			"header": {after: func(c *channel, _ *Blocks) { c.last().Header.PreviousHash = flip(c.last().Header.PreviousHash, 2) }, want: ""},
			"number": {after: func(c *channel, _ *Blocks) { c.last().Header.Number++ }, want: ""},
			"void": {after: func(c *channel, _ *Blocks) {
				c.flag(len(c.blocks)-1, []byte{byte(peer.TxValidationCode_MVCC_READ_CONFLICT)})
			}, want: "had no effect"},
			"another channel":       {after: func(_ *channel, v *Blocks) { v.ChannelGenesis[0] ^= 1 }, want: "block 0"},
			"another consortium":    {after: func(_ *channel, v *Blocks) { v.Genesis = contracttest.WithKeys(contracttest.Genesis()) }, want: "names ledger"},
			"the other contract":    {after: func(_ *channel, v *Blocks) { v.Chaincode = "another" }, want: "no call of another"},
			"later configuration":   {after: func(c *channel, _ *Blocks) { c.lastConf = 99; c.seal(c.last()) }, want: "configuration of block"},
			"another configuration": {after: func(c *channel, _ *Blocks) { c.lastConf = 3; c.seal(c.last()) }, want: "holds no configuration"},
		} {
			c := sound.clone()
			c.state = maps.Clone(sound.state)
			p := c.asked(62)
			if test.forge != nil {
				test.forge(c, p)
			}
			c.order(p, peer.TxValidationCode_VALID)
			c.cut()
			v := c.verifier()
			if test.after != nil {
				test.after(c, &v)
			}
			if f, err := c.included(v, p); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %s: %v, %v, want %q", consensus, name, f, err, test.want)
			}
		}
		if _, err := sound.included(sound.verifier(), &proposal{txID: "none"}); err == nil || !strings.Contains(err.Error(), "not in the block") {
			t.Errorf("%s: an unknown transaction: %v", consensus, err)
		}
	}
}

func (c *channel) last() *common.Block { return c.blocks[len(c.blocks)-1] }

// What somebody else sent under the same id does not hide a transaction.
func TestInclusionBesideAnotherOfTheSameID(t *testing.T) {
	c := populated(t, consensusRaft)
	p := c.asked(62)
	void := *p
	void.endorsers = nil
	c.order(&void, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
	c.order(p, peer.TxValidationCode_VALID)
	c.cut()
	if f, err := c.included(c.verifier(), p); err != nil || len(f.Endorsers) != 2 {
		t.Errorf("%v, %v", f, err)
	}
}

// A transaction is read under its own id alone, however many others it mentions: each may hold as many signatures as fit into a block.
func TestMentionsAreNotRead(t *testing.T) {
	c := populated(t, consensusRaft)
	p, again, decoy := c.asked(62), c.asked(63), c.asked(64)
	decoy.args[2] = []byte(p.txID + again.txID)
	c.order(decoy, peer.TxValidationCode_VALID)
	c.order(p, peer.TxValidationCode_VALID)
	c.order(again, peer.TxValidationCode_VALID)
	c.order(p, peer.TxValidationCode_DUPLICATE_TXID)
	c.cut()
	proven := &proving{ids: map[uint64]map[string][]int{}}
	b := mustDecode(marshal(c.last()))
	for id, want := range map[string][]int{p.txID: {1, 3}, again.txID: {2}, "": nil, p.txID[:9]: nil} {
		if got := proven.named(b, id); !slices.Equal(got, want) {
			t.Errorf("%q is named by %v, not %v", id, got, want)
		}
	}
}

func FuzzInclusions(f *testing.F) {
	c := populated(f, consensusRaft)
	p := c.order(c.asked(62), peer.TxValidationCode_VALID)
	c.cut()
	v, height := c.verifier(), uint64(len(c.blocks)-1)
	sound, err := c.resting(v, height)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sound[height])
	f.Add(sound[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks := map[uint64][]byte{0: sound[0], height: b}
		if _, err := v.Foundations(blocks); err != nil {
			return
		}
		found, err := v.Inclusions(blocks, []ledger.Located{{TxID: p.txID, Height: height}})
		if err == nil && fmt.Sprint(found[0].Writes) == "" {
			t.Fatal("a transaction that writes nothing")
		}
	})
}
