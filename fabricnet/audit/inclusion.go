package audit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"

	"github.com/assay-net/assay/fabricnet/audit/wire"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Blocks verifies single blocks of a Fabric channel: what can be known of a transaction without the blocks before it.
type Blocks struct {
	// Genesis is the consortium's.
	Genesis *ledger.Genesis
	// ChannelGenesis is the hash of the channel's block 0. If it is zero, the block 0 that comes with the others is taken, and said to be. Then the blocks show nothing to
	// whoever does not compare it: that block says who orders and who speaks for each organisation, and the consortium's genesis has no part in it.
	ChannelGenesis commit.Digest
	// Chaincode is the name that the contract has on the channel.
	Chaincode string
}

// maxReconfigured bounds the changes of a channel's configuration that a block may rest on.
const maxReconfigured = 64

// Pinned reports whether the channel is: then blocks of another kind of ledger are not the channel's.
func (v Blocks) Pinned() bool { return !v.ChannelGenesis.IsZero() }

// Format names the encoding of blocks.
func (Blocks) Format() string { return "fabric-block/v3" }

// Foundations lists the heights of the blocks without which these cannot be verified, and that are not among them: block 0, the configurations that the orderers
// say were in force, and the block before each of those. What they rest on in turn is for the next call.
func (v Blocks) Foundations(blocks map[uint64][]byte) ([]uint64, error) {
	missing, configurations := map[uint64]bool{}, 0
	need := func(height uint64) {
		if _, ok := blocks[height]; !ok {
			missing[height] = true
		}
	}
	need(0)
	for height, encoded := range blocks {
		b, err := decodeBlock(encoded)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", height, err)
		}
		if height == 0 {
			continue
		}
		if _, ok := b.configuration(); ok {
			need(height - 1)
			configurations++
			continue
		}
		last, err := b.lastConfiguration()
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", height, err)
		}
		if last >= height {
			return nil, fmt.Errorf("block %d: orderers signed it under the configuration of block %d", height, last)
		}
		need(last)
	}
	if configurations > maxReconfigured {
		return nil, fmt.Errorf("the channel's configuration changed more than %d times", maxReconfigured)
	}
	return slices.Sorted(maps.Keys(missing)), nil
}

// lastConfiguration is the height of the configuration that the orderers say they were under.
func (b *block) lastConfiguration() (uint64, error) {
	m, err := b.signatures()
	if err != nil {
		return 0, err
	}
	metadata := new(common.OrdererBlockMetadata)
	if err := decode("orderers' metadata", m.Value, metadata, nil); err != nil {
		return 0, err
	}
	return metadata.GetLastConfig().GetIndex(), nil
}

// Inclusions finds transactions in blocks. It verifies the channel's configuration from block 0 on, each block's data and the orderers' signatures under the
// configuration that they name, and of every transaction the creator, the endorsers' signatures, chains, roles and periods, the consortium's own rule, and that it is a call of the
// contract on this ledger.
//
// That a transaction was valid when it came hangs on the blocks before it: here it is the word of the peer that gave the block. So is it that an outcome which was endorsed is the
// outcome of the contract. An audit of the whole channel shows both.
func (v Blocks) Inclusions(blocks map[uint64][]byte, wanted []ledger.Located) ([]*ledger.Inclusion, error) {
	if v.Genesis == nil || v.Chaincode == "" || v.Chaincode == lifecycleNamespace {
		return nil, errors.New("the consortium's genesis or the contract's name is missing")
	}
	p := &proving{
		Blocks: v, encoded: blocks, opened: map[uint64]*block{}, ids: map[uint64]map[string][]int{}, configurations: map[uint64]*configuration{}, under: map[uint64]*configuration{},
		sealers: map[uint64][]string{},
	}
	out := make([]*ledger.Inclusion, 0, len(wanted))
	for _, w := range wanted {
		found, err := p.find(w)
		if err != nil {
			return nil, fmt.Errorf("block %d: transaction %.64q: %w", w.Height, w.TxID, err)
		}
		out = append(out, found)
	}
	for _, found := range out {
		found.Assumed = slices.Clone(p.assumed)
	}
	return out, nil
}

// proving keeps what was verified of blocks.
type proving struct {
	Blocks
	encoded map[uint64][]byte
	opened  map[uint64]*block
	// ids are where in a block the transactions are that name an id.
	ids            map[uint64]map[string][]int
	configurations map[uint64]*configuration
	// under are the configurations behind the blocks whose seals verify, by height.
	under map[uint64]*configuration
	// depth is how many configurations are being verified, each for the one after it.
	depth   int
	sealers map[uint64][]string
	assumed []string
}

func (p *proving) find(w ledger.Located) (*ledger.Inclusion, error) {
	b, err := p.open(w.Height)
	if err != nil {
		return nil, err
	}
	c, err := p.sealed(b)
	if err != nil {
		return nil, err
	}
	flags, err := b.flags()
	if err != nil {
		return nil, err
	}
	refused := errors.New("is not in the block")
	for _, i := range p.named(b, w.TxID) {
		t := c.readTransaction(i, b.data[i])
		if t.id != w.TxID {
			continue
		}
		if len(flags) > 0 && wire.TxValidationCode(flags[i]) != wire.TxValidationCode_VALID {
			refused = fmt.Errorf("had no effect: its peer recorded %v", wire.TxValidationCode(flags[i]))
			continue // anybody can send another under the same id
		}
		found, err := p.inclusion(t)
		if err != nil {
			refused = err
			continue
		}
		found.Block, found.Height, found.Sealers = b.hash, b.number, p.sealers[b.number]
		if len(flags) == 0 {
			p.assume("that the transactions had effect: no peer's codes are in the blocks")
		} else {
			p.assume("that the transactions were valid when they came: the blocks before them are not here, and the codes are the word of who gave the blocks")
		}
		return found, nil
	}
	return nil, refused
}

// named lists a block's transactions whose headers name an id. To read one takes verifying its signatures, of which a block may be full: it is not read because it mentions
// the ids of others, and a block is gone through once, not once for each of its transactions that is wanted.
func (p *proving) named(b *block, id string) []int {
	if p.ids[b.number] == nil {
		ids := make(map[string][]int, len(b.data))
		for i, encoded := range b.data {
			if _, header, ok := channelHeader(encoded); ok {
				ids[header.TxId] = append(ids[header.TxId], i)
			}
		}
		p.ids[b.number] = ids
	}
	return p.ids[b.number][id]
}

func (p *proving) assume(text string) {
	if !slices.Contains(p.assumed, text) {
		p.assumed = append(p.assumed, text)
	}
}

// inclusion is a call of the contract that was endorsed as it must be.
func (p *proving) inclusion(t *transaction) (*ledger.Inclusion, error) {
	if !t.valid() {
		return nil, fmt.Errorf("is not valid, %v: %s", t.code, t.reason)
	}
	if t.kind != common.HeaderType_ENDORSER_TRANSACTION || t.chaincode != p.Chaincode {
		return nil, fmt.Errorf("is no call of %s", p.Chaincode)
	}
	if err := t.creator.checkPeriod(t.time(), p.Genesis.ClockSkew()); err != nil {
		return nil, fmt.Errorf("creator: %w", err)
	}
	if !bytes.Equal(t.actionBy.Nonce, t.signer.Nonce) || !bytes.Equal(t.actionBy.Creator, t.signer.Creator) {
		return nil, errors.New("the endorsers saw a proposal of another creator than the transaction's")
	}
	a := &auditor{Config: &Config{Genesis: p.Genesis}, report: &Report{Ledger: p.Genesis.ID()}}
	called, err := a.readCall(t)
	if err != nil {
		return nil, err
	}
	if err := t.load(); err != nil {
		return nil, err
	}
	defer t.unload()
	out, err := recorded(t)
	if err != nil {
		return nil, err
	}
	found := &ledger.Inclusion{
		Recorded: ledger.Recorded{Organisation: called.tx.Caller.Org, Call: ledger.Call{Function: called.function, Args: called.args}, Time: called.tx.Time},
		TxID:     t.id, Endorsers: p.endorsers(t), Writes: out.writes,
	}
	return found, p.Genesis.EndorsementRule().Check(p.Genesis, found.Endorsers)
}

// endorsers are the organisations of the genesis whose peers signed, each once, as checkRule counts them.
func (p *proving) endorsers(t *transaction) []string {
	var orgs []string
	for _, id := range t.endorsers {
		org, ok := p.Genesis.ByMSP(id.mspID)
		if ok && id.has(msp.MSPRole_PEER) && id.checkPeriod(t.time(), p.Genesis.ClockSkew()) == nil && !slices.Contains(orgs, org.ID) {
			orgs = append(orgs, org.ID)
		}
	}
	slices.Sort(orgs)
	return orgs
}
