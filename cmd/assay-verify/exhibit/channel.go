package exhibit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Failures of a channel's blocks, besides those of files of evidence.
const (
	// FoundingRefused is a file that is neither a genesis nor a regulator's export.
	FoundingRefused verdict.Failure = "founding"
	// ChannelWrong is a channel with a finding that is a failure.
	ChannelWrong verdict.Failure = "channel-wrong"
	// HeadDiffers is a channel that is not the one of a regulator's export, or that ends before it.
	HeadDiffers verdict.Failure = "head"
)

// ChannelFiles are what is checked of a channel.
type ChannelFiles struct {
	// Blocks is a file of package blockfile: the channel's blocks from the first.
	Blocks io.Reader
	// Founding is the consortium's genesis, or a regulator's export. With an export the channel is checked up to its height, and its last block is to be the export's.
	Founding []byte
	// Ledger and Channel are what genesis and first block must be of. Zero digests compare nothing, and the channel says so.
	Ledger, Channel commit.Digest
	Chaincode       string
	// Accepted are the hashes of the blocks with changes of the channel's configuration that the caller knows of. One in any other block makes the channel unsound.
	Accepted []commit.Digest
	// SRS is asked for the SRS that is pinned on the channel. Without it a channel on which one is pinned is not sound.
	SRS func(commit.Digest) (*commit.SRS, error)
	At  time.Time
}

// Channel is what came of checking a channel's blocks.
type Channel struct {
	Kind    string  `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Sound   bool    `json:"sound"`
	// Failure and Reason say why it is not sound: the first reason, if there are several.
	Failure   verdict.Failure `json:"failure,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	CheckedAt *time.Time      `json:"checked_at,omitempty"`
	Blocks    verdict.File    `json:"blocks_file"`
	Founding  verdict.File    `json:"founding_file"`
	// Compared and Pinned say whether the caller named the ledger, and the channel.
	Compared bool `json:"ledger_compared"`
	Pinned   bool `json:"channel_compared"`
	// Export is the regulator's, if there is one.
	Export *Export `json:"export,omitempty"`
	// Report is nil if there was nothing to audit.
	Report *audit.Report `json:"report,omitempty"`
}

// Export is what a regulator's export says of the ledger's end.
type Export struct {
	By        string        `json:"exported_by"`
	Height    uint64        `json:"height"`
	BlockHash commit.Digest `json:"block_hash"`
}

// CheckChannel checks a channel from its first block. It never fails: what cannot be checked is not sound. It ends early with the context. It keeps the channel's state in memory, which is up to ten
// times the blocks' size if they are full of tiny transactions: bound it from outside for blocks of a maker whom nobody knows.
func CheckChannel(ctx context.Context, f ChannelFiles) *Channel {
	x := &Channel{Kind: "ledger", Outcome: NotSound, Founding: verdict.FileOf(f.Founding)}
	if !f.At.IsZero() {
		at := f.At.UTC().Truncate(time.Second)
		x.CheckedAt = &at
	}
	sum, size := sha256.New(), &counter{}
	all := io.TeeReader(f.Blocks, io.MultiWriter(sum, size))
	err := x.check(ctx, f, all)
	if _, rest := io.Copy(io.Discard, all); rest != nil && err == nil {
		err = because(ChannelWrong, rest)
	}
	x.Blocks = verdict.File{Bytes: size.n, SHA256: commit.Digest(sum.Sum(nil))}
	if err != nil {
		x.Failure, x.Reason = failureOf(err), ledger.Printable(err.Error(), maxReason)
		return x
	}
	x.Sound, x.Outcome = true, Sound
	return x
}

type counter struct{ n int }

func (c *counter) Write(b []byte) (int, error) {
	c.n += len(b)
	return len(b), nil
}

func (x *Channel) check(ctx context.Context, f ChannelFiles, blocks io.Reader) error {
	g, err := x.founding(f.Founding)
	if err != nil {
		return because(FoundingRefused, err)
	}
	if id := g.ID(); !f.Ledger.IsZero() && f.Ledger != id {
		return because(verdict.LedgerDiffers, fmt.Errorf("the founding document is of ledger %s, not of %s", id, f.Ledger))
	}
	x.Compared, x.Pinned = !f.Ledger.IsZero(), !f.Channel.IsZero()
	config := f.config(g)
	next, stop := iter.Pull2(blockfile.NewReader(blocks).All())
	defer stop()
	first, err, ok := next()
	if err == nil && !ok {
		err = errors.New("the file of blocks is empty")
	}
	if err == nil {
		config.ChannelGenesis, err = audit.ChannelGenesis(first)
	}
	if err != nil {
		return because(ChannelWrong, err)
	}
	if err := sameChannel("blocks are", config.ChannelGenesis, f.Channel); err != nil {
		return err
	}
	if x.Report, err = audit.Run(ctx, config, x.upTo(first, next)); err != nil {
		return because(ChannelWrong, err)
	}
	return x.judge()
}

// config is what the blocks are held against, but for the first of them.
func (f *ChannelFiles) config(g *ledger.Genesis) audit.Config {
	return audit.Config{Genesis: g, Chaincode: f.Chaincode, AcceptConfigurations: f.Accepted, SRS: f.SRS, WithoutAttestations: true}
}

// grounded reports whether the channel is the caller's, or the one whose last block a regulator of the caller's ledger names.
func (x *Channel) grounded() bool { return x.Compared && (x.Pinned || x.Export != nil && x.Sound) }

// founding reads what the channel is held against.
func (x *Channel) founding(b []byte) (*ledger.Genesis, error) {
	const export = `"assay-trust/`
	if head, _, _ := bytes.Cut(b, []byte{','}); !bytes.Contains(head, []byte(export)) {
		return ledger.ParseGenesis(b)
	}
	t, err := ledger.ParseTrust(b)
	if err != nil {
		return nil, err
	}
	x.Export = &Export{t.ExportedBy, t.Height, t.BlockHash}
	return &t.Genesis, nil
}

// upTo gives the blocks up to the export's height, or all if there is none.
func (x *Channel) upTo(first []byte, next func() ([]byte, error, bool)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		block, err, ok := first, error(nil), true
		for height := uint64(0); ok && (x.Export == nil || height <= x.Export.Height); height++ {
			if !yield(block, err) || err != nil {
				return
			}
			block, err, ok = next()
		}
	}
}

// judge says what of the report, and of the export, makes the channel unsound.
func (x *Channel) judge() error {
	if f := x.Report.Failure(); f != nil {
		return because(ChannelWrong, errors.New(f.String()))
	}
	if e := x.Export; e != nil && (x.Report.Height != e.Height || x.Report.Hash != e.BlockHash) {
		return because(HeadDiffers, fmt.Errorf("the blocks go up to block %d with hash %s, the export of %s is of block %d with hash %s", x.Report.Height, x.Report.Hash, e.By, e.Height, e.BlockHash))
	}
	return nil
}
