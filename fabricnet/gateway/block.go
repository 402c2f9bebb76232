package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strconv"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Block is a block as the own peer keeps it: a serialized common.Block with the peer's validation codes in its metadata.
func (c *Client) Block(ctx context.Context, height uint64) ([]byte, error) {
	b, _, err := c.block(ctx, height)
	return b, err
}

// BlockHash is the SHA-256 of a block's header in ASN.1, by which the next block's header names it. The own peer's word is taken for the header.
func (c *Client) BlockHash(ctx context.Context, height uint64) (commit.Digest, error) {
	_, block, err := c.block(ctx, height)
	if err != nil {
		return commit.Digest{}, err
	}
	header := block.GetHeader()
	encoded, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(header.GetNumber()), header.GetPreviousHash(), header.GetDataHash()})
	if err != nil {
		return commit.Digest{}, fmt.Errorf("encoding the header of block %d: %w", height, err)
	}
	return sha256.Sum256(encoded), nil
}

// block reads a block of the own peer.
func (c *Client) block(ctx context.Context, height uint64) ([]byte, *common.Block, error) {
	head, err := c.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	if height > head.Height {
		return nil, nil, ledger.Refuse(ledger.NotFound, "there is no block %d, the last is %d", height, head.Height)
	}
	b, err := c.system(ctx, c.own.ID, "GetBlockByNumber", strconv.FormatUint(height, 10))
	if err != nil {
		return nil, nil, fmt.Errorf("reading block %d: %w", height, err)
	}
	block := &common.Block{}
	if err := proto.Unmarshal(b, block); err != nil {
		return nil, nil, fmt.Errorf("reading block %d: %w", height, err)
	}
	if got := block.GetHeader().GetNumber(); block.GetHeader() == nil || got != height {
		return nil, nil, fmt.Errorf("reading block %d: the peer gave another", height)
	}
	return b, block, nil
}
