package admin

import (
	"context"
	"fmt"
	"io"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/client/ledger"

	"github.com/assay-net/assay/fabricnet/blockfile"
)

// Info is how far the organisation's peer is.
type Info struct {
	// Height is the number of blocks; the last one's number is one less.
	Height uint64
	// Hash is that of the last block's header, Previous that of the one before it.
	Hash, Previous []byte
}

// Height asks the organisation's peer how many blocks of the channel it has.
func (a *Admin) Height(ctx context.Context) (Info, error) {
	info, err := within(ctx, a, func(ctx context.Context) (Info, error) {
		blocks, err := a.ledger()
		if err != nil {
			return Info{}, err
		}
		answer, err := blocks.QueryInfo(ledger.WithParentContext(ctx), ledger.WithTargets(a.peer))
		if err != nil {
			return Info{}, err
		}
		return Info{Height: answer.BCI.GetHeight(), Hash: answer.BCI.GetCurrentBlockHash(), Previous: answer.BCI.GetPreviousBlockHash()}, nil
	})
	return info, a.failed("asking for the channel's height", a.config.Peer.Address, err)
}

// Block returns a block as a serialised common.Block, metadata and validation codes of the organisation's peer included.
func (a *Admin) Block(ctx context.Context, number uint64) ([]byte, error) {
	encoded, err := within(ctx, a, func(ctx context.Context) ([]byte, error) {
		blocks, err := a.ledger()
		if err != nil {
			return nil, err
		}
		block, err := blocks.QueryBlock(number, ledger.WithParentContext(ctx), ledger.WithTargets(a.peer))
		if err != nil {
			return nil, err
		}
		return encodeBlock(block, number)
	})
	return encoded, a.failed(fmt.Sprintf("reading block %d", number), a.config.Peer.Address, err)
}

func encodeBlock(block *common.Block, number uint64) ([]byte, error) {
	if block.GetHeader() == nil || block.Header.Number != number {
		return nil, fmt.Errorf("the peer sent block %d", block.GetHeader().GetNumber())
	}
	return encode(block)
}

// Export writes blocks from to to, both included, as a file of package blockfile. Progress, which may be nil, is told how many blocks are written.
func (a *Admin) Export(ctx context.Context, w io.Writer, from, to uint64, progress func(n uint64)) error {
	step := fmt.Sprintf("exporting blocks %d to %d", from, to)
	if from > to {
		return a.failed(step, "", fmt.Errorf("the first is after the last"))
	}
	info, err := a.Height(ctx)
	if err != nil {
		return err
	}
	if to >= info.Height {
		return a.failed(step, a.config.Peer.Address, fmt.Errorf("the peer has %d blocks, the last is %d", info.Height, info.Height-1))
	}
	out := blockfile.NewWriter(w)
	for n := from; n <= to; n++ {
		block, err := a.Block(ctx, n)
		if err != nil {
			return err
		}
		if err := out.Write(block); err != nil {
			return a.failed(step, "", err)
		}
		if progress != nil {
			progress(n - from + 1)
		}
	}
	return nil
}
