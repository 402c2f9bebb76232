package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/fabricnet/audit/wire"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Config is what the auditor brings. Everything else comes from the blocks.
type Config struct {
	// Genesis is the consortium's, as the auditor agreed to it.
	Genesis *ledger.Genesis
	// ChannelGenesis is the hash of the channel's block 0, which is trusted. See [ChannelGenesis].
	ChannelGenesis commit.Digest
	// Chaincode is the name that the contract has on the channel.
	Chaincode string
	// AcceptConfigurations are the hashes of blocks that change the channel's configuration, which the auditor knows of otherwise. One in any other block is a failure.
	AcceptConfigurations []commit.Digest
	// SRS gives the SRS with a digest, which is the one pinned on the channel. Without it no anchor is re-checked, which is a failure.
	SRS func(digest commit.Digest) (*commit.SRS, error)
	// Attestations gives the attestations with a root, as ledger.JoinAttestations wrote them. It may be nil, and fail.
	Attestations func(ctx context.Context, root commit.Digest) ([]byte, error)
	// WithoutAttestations lets anchors pass whose attestations are not to be had. They are counted and listed. Without it each is a failure.
	WithoutAttestations bool
	// Store opens what the audit keeps its state in until it ends. Nil is memory, of which it takes as much as the channel's state has.
	Store func() (Store, error)
	// Progress is told the number of each block that is done. It may be nil.
	Progress func(number uint64)
}

func (c *Config) check() error {
	switch {
	case c.Genesis == nil:
		return errors.New("the consortium's genesis is missing")
	case c.ChannelGenesis.IsZero():
		return errors.New("the channel's genesis is not pinned")
	case c.Chaincode == "" || c.Chaincode == lifecycleNamespace:
		return fmt.Errorf("chaincode %q is not a contract's name", c.Chaincode)
	}
	return c.Genesis.Check()
}

// auditor is an audit on its way.
type auditor struct {
	*Config
	ctx    context.Context
	store  Store
	report *Report
	// conf is the configuration in force for the next block.
	conf     *configuration
	next     uint64
	contract *replayer
	// keyed are the chaincodes that gave keys policies of their own.
	keyed map[string]bool
	// flagged says whether the blocks carry a peer's codes, once the first has been seen.
	flagged *bool
}

// damaged is an error that ends the audit with a finding, not without a report.
type damaged struct{ error }

func (d damaged) Unwrap() error { return d.error }

// Run audits a channel's blocks, in order from block 0. What is wrong with the channel is in the report; an error means that the audit could not be carried
// out. A block that the source cannot give is damage.
func Run(ctx context.Context, config Config, blocks iter.Seq2[[]byte, error]) (*Report, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("auditing: %w", err)
	}
	open := config.Store
	if open == nil {
		open = inMemory
	}
	s, err := open()
	if err != nil {
		return nil, fmt.Errorf("auditing: %w", err)
	}
	defer s.Close() //nolint:errcheck // all in it is thrown away
	a := &auditor{Config: &config, ctx: ctx, store: s, report: newReport(&config), keyed: map[string]bool{}}
	a.contract = newReplayer(a)
	if err := a.blocks(blocks); err != nil {
		return nil, fmt.Errorf("auditing block %d: %w", a.next, err)
	}
	if a.next == 0 && a.report.Sound {
		return nil, errors.New("auditing: there are no blocks")
	}
	a.report.fit()
	return a.report, nil
}

func (a *auditor) blocks(blocks iter.Seq2[[]byte, error]) error {
	for encoded, err := range blocks {
		if ctxErr := a.ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		if err != nil {
			err = damaged{fmt.Errorf("cannot be read: %w", err)}
		} else {
			err = a.block(encoded)
		}
		var d damaged
		if errors.As(err, &d) {
			a.report.add(Finding{Block: a.next, Kind: Damage, Failure: true, Message: d.Error()})
			return nil
		}
		if err != nil {
			return err
		}
		if a.Progress != nil {
			a.Progress(a.next)
		}
		a.next++
	}
	return nil
}

// block checks one block and takes over what it changes.
func (a *auditor) block(encoded []byte) error {
	b, err := decodeBlock(encoded)
	if err != nil {
		return damaged{err}
	}
	if err := a.checkChain(b); err != nil {
		return damaged{err}
	}
	for _, i := range b.odd {
		a.report.add(Finding{Block: b.number, Kind: Encoding, Failure: true, Message: fmt.Sprintf("transaction %d is not in the encoding that orderers give to what they receive", i)})
	}
	if err := update(a.store, func(s *state) error { return a.content(s, b) }); err != nil {
		return err
	}
	a.report.Height, a.report.Hash = b.number, b.hash
	a.report.Counts.Blocks++
	return nil
}

// checkChain checks that the block is the one that the orderers sealed in this place, or the genesis block that is pinned.
func (a *auditor) checkChain(b *block) error {
	if a.next > 0 {
		if err := b.checkFollows(a.next, a.report.Hash); err != nil {
			return err
		}
	}
	if err := b.checkData(); err != nil {
		return err
	}
	if a.next > 0 {
		n, err := a.conf.checkSeal(b)
		a.report.Counts.Signatures += uint64(n)
		return err
	}
	if b.number != 0 || b.hash != a.ChannelGenesis {
		return fmt.Errorf("is number %d with hash %s, the channel's genesis that is trusted has hash %s", b.number, b.hash, a.ChannelGenesis)
	}
	c, err := readConfiguration(b)
	if err != nil {
		return err
	}
	a.conf = c
	a.report.Channel, a.report.Consensus, a.report.ChannelGenesis = c.channel, c.consensus, b.hash
	return nil
}

// content goes through a block's transactions.
func (a *auditor) content(s *state, b *block) error {
	flags, err := a.flags(b)
	if err != nil {
		return damaged{err}
	}
	var txs []*transaction
	if b.number == 0 {
		txs = []*transaction{{code: wire.TxValidationCode_VALID, kind: common.HeaderType_CONFIG}} // pinned, and signed by nobody
	} else {
		txs = a.readAll(b)
	}
	if err := a.checkAll(s, b, txs, flags); err != nil {
		return err
	}
	a.report.Counts.Transactions += uint64(len(txs))
	for i, t := range txs {
		if err := a.settle(s, b, t, flags); err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	for _, t := range txs {
		if t.id != "" {
			if err := s.use(t.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// flags are a peer's codes. Blocks come from one source, so all have them or none; the genesis block may lack them.
func (a *auditor) flags(b *block) ([]byte, error) {
	flags, err := b.flags()
	if err != nil || b.number == 0 {
		return flags, err
	}
	has := len(flags) > 0
	if a.flagged == nil {
		a.flagged = &has
	}
	if *a.flagged != has {
		return nil, errors.New("carries validation codes and blocks before it do not, or the other way round")
	}
	return flags, nil
}

// readAll reads a block's transactions, each by itself.
func (a *auditor) readAll(b *block) []*transaction {
	txs := make([]*transaction, len(b.data))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, encoded := range b.data {
		group.Go(func() error {
			txs[i] = a.conf.readTransaction(i, encoded)
			return nil
		})
	}
	group.Wait() //nolint:errcheck // no function returns an error
	return txs
}
