package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// State is what became of a transaction.
type State string

const (
	// Recorded: it is in a block, and valid.
	Recorded State = "recorded"
	// Invalid: it is in a block, and changed nothing. It never will.
	Invalid State = "invalid"
	// Unknown: the own peer has no block with it. It may come yet, if it was sent.
	Unknown State = "unknown"
)

// Outcome is what the own peer knows about a transaction.
type Outcome struct {
	State State
	// Code is Fabric's name of why it is invalid.
	Code string
	// Height is that of its block, if it is in one.
	Height uint64
	// Receipt is what Submit would have returned, if it is recorded.
	Receipt ledger.Receipt
}

// Outcome tells what became of a transaction: of one that a Submit ended with *OutcomeUnknown for, or of an id that was written down before a crash.
// It does not wait.
func (c *Client) Outcome(ctx context.Context, txID string) (Outcome, error) {
	if !isTxID(txID) {
		return Outcome{}, ledger.Refuse(ledger.Invalid, "transaction id %.80q is not 64 lower-case hexadecimal digits", txID)
	}
	block, err := c.blockOf(ctx, txID)
	if ledger.CodeOf(err) == ledger.NotFound {
		return Outcome{State: Unknown}, nil
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("asking for the outcome of transaction %s: %w", txID, err)
	}
	found, code, err := find(block, txID)
	if err != nil {
		return Outcome{}, fmt.Errorf("asking for the outcome of transaction %s: %w", txID, err)
	}
	height := block.GetHeader().GetNumber()
	if code != peer.TxValidationCode_VALID {
		return Outcome{State: Invalid, Code: code.String(), Height: height}, nil
	}
	return Outcome{State: Recorded, Height: height, Receipt: found.receipt(c.genesis, height)}, nil
}

// first is the fate of the first copy of a transaction.
func (c *Client) first(ctx context.Context, txID string) (peer.TxValidationCode, uint64, error) {
	block, err := c.blockOf(ctx, txID)
	if err != nil {
		return 0, 0, err
	}
	_, code, err := find(block, txID)
	return code, block.GetHeader().GetNumber(), err
}

// Locate is the height of the block that holds a transaction. One that is invalid is in no block that matters, and not found.
func (c *Client) Locate(ctx context.Context, txID string) (uint64, error) {
	if height, ok := c.places.get(txID); ok {
		return height, nil
	}
	o, err := c.Outcome(ctx, txID)
	if err != nil {
		return 0, err
	}
	switch o.State {
	case Unknown:
		return 0, ledger.Refuse(ledger.NotFound, "transaction %q is not known", txID)
	case Invalid:
		return 0, ledger.Refuse(ledger.NotFound, "transaction %s is in block %d and invalid (%s)", txID, o.Height, o.Code)
	}
	return o.Height, nil
}

// blockOf is the block that holds a transaction. It notes the height of every valid one in it: who asks for one anchor asks for its neighbours next.
func (c *Client) blockOf(ctx context.Context, txID string) (*common.Block, error) {
	b, err := c.system(ctx, c.own.ID, "GetBlockByTxID", txID)
	var e *Error
	if errors.As(err, &e) && saidUnknown(e) {
		return nil, ledger.Refuse(ledger.NotFound, "transaction %q is not known", txID)
	}
	if err != nil {
		return nil, err
	}
	block := &common.Block{}
	if err := proto.Unmarshal(b, block); err != nil {
		return nil, fmt.Errorf("block: %w", err)
	}
	return block, envelopes(block, func(envelope *common.Envelope, code peer.TxValidationCode) error {
		if code != peer.TxValidationCode_VALID {
			return nil // anybody can have anything ordered that is not
		}
		_, channel, err := header(envelope)
		if err == nil && isTxID(channel.GetTxId()) {
			c.places.put(channel.GetTxId(), block.GetHeader().GetNumber())
		}
		return err
	})
}

func saidUnknown(e *Error) bool {
	for _, m := range e.Messages {
		if strings.Contains(m.Message, textUnknownTx) {
			return true
		}
	}
	return false
}

// find reads the envelope with an id: the valid one if there is one, else the first. Any other with this id in the block is a copy or a forgery, and
// changes nothing. Of one that is not valid only the id is read: it may hold anything.
func find(block *common.Block, txID string) (found *transaction, code peer.TxValidationCode, err error) {
	err = envelopes(block, func(envelope *common.Envelope, validation peer.TxValidationCode) error {
		valid := validation == peer.TxValidationCode_VALID
		_, channel, err := header(envelope)
		if err != nil && !valid {
			return nil
		}
		if err != nil || channel.GetTxId() != txID || found != nil && (!valid || code == validation) {
			return err
		}
		found, code = &transaction{id: txID}, validation
		if valid {
			found, err = parseTransaction(envelope)
		}
		return err
	})
	if err == nil && found == nil {
		err = fmt.Errorf("block %d does not hold transaction %s", block.GetHeader().GetNumber(), txID)
	}
	return found, code, err
}

// maxPlaces is how many transactions' heights are remembered, in some 20 MiB: more than a fleet has chunks.
const maxPlaces = 1 << 17

// places remembers the heights of transactions, which never change. The oldest goes first.
type places struct {
	mu     sync.Mutex
	height map[string]uint64
	ring   []string
	next   int
}

func newPlaces(size int) *places {
	return &places{height: map[string]uint64{}, ring: make([]string, size)}
}

func (p *places) get(txID string) (uint64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	height, ok := p.height[txID]
	return height, ok
}

func (p *places) put(txID string, height uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.height[txID]; ok {
		return
	}
	delete(p.height, p.ring[p.next])
	p.ring[p.next], p.height[txID] = txID, height
	p.next = (p.next + 1) % len(p.ring)
}
