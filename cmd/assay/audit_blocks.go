package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
)

// source opens the blocks: a file, or the peer up to the block that is its last now.
func (c *auditCall) source(ctx context.Context, config *audit.Config) (iter.Seq2[[]byte, error], func(), error) {
	if c.blocks != "" {
		f, err := os.Open(c.blocks)
		if err != nil {
			return nil, nil, cli.Usage("--blocks: %w", err)
		}
		info, err := f.Stat()
		if err != nil {
			return nil, nil, cli.Usage("--blocks: %w", err)
		}
		return blockfile.NewReader(c.Watched(f, info.Size(), "auditing")).All(), func() { f.Close() }, nil //nolint:errcheck // opened for reading
	}
	head, err := c.client.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	shown := c.Progress("auditing", int(min(head.Height, math.MaxInt-1))+1) // a peer can name any height
	config.Progress = func(number uint64) { shown(int(number) + 1) }
	blocks := func(ctx context.Context) iter.Seq2[[]byte, error] { return c.client.Blocks(ctx, 0, head.Height) }
	return peerBlocks(patient(ctx, blocks, blockPatience), head.Height), func() {}, nil
}

// blockPatience is how long the peer may take for a block that it says it has. A restart of the peer takes less.
const blockPatience = 2 * time.Minute

var errPatience = errors.New("the peer does not give a block that it says it has")

// patient ends a sequence whose next block does not come. The time that its user takes does not count.
func patient(ctx context.Context, blocks func(context.Context) iter.Seq2[[]byte, error], patience time.Duration) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		timer := time.AfterFunc(patience, func() { cancel(errPatience) })
		defer timer.Stop()
		for b, err := range blocks(ctx) {
			timer.Stop()
			if err != nil && errors.Is(context.Cause(ctx), errPatience) {
				err = fmt.Errorf("%w: none came for %v", errPatience, patience)
			}
			if !yield(b, err) || err != nil {
				return
			}
			timer.Reset(patience)
		}
	}
}

// peerBlocks ends with the last block. A peer that has the genesis block alone is followed otherwise.
func peerBlocks(blocks iter.Seq2[[]byte, error], last uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		number := uint64(0)
		for b, err := range blocks {
			if !yield(b, err) || number == last {
				return
			}
			number++
		}
	}
}
