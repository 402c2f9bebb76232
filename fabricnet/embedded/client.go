package embedded

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Client is an organisation's access to the ledger. It implements ledger.Client.
type Client struct {
	ledger    *Ledger
	org       string
	endorsers []string
}

var _ ledger.Client = (*Client)(nil)

// Client gives access in an organisation's name. Its calls go to the peers of the given organisations, or of all if none is given.
func (l *Ledger) Client(org string, endorsers ...string) (*Client, error) {
	if len(endorsers) == 0 {
		for i := range l.genesis.Organisations {
			endorsers = append(endorsers, l.genesis.Organisations[i].ID)
		}
	}
	endorsers = slices.Compact(slices.Sorted(slices.Values(endorsers)))
	for _, id := range append([]string{org}, endorsers...) {
		if _, ok := l.genesis.Organisation(id); !ok {
			return nil, ledger.Refuse(ledger.NotFound, "%q is not an organisation of this ledger", id)
		}
	}
	return &Client{ledger: l, org: org, endorsers: endorsers}, nil
}

// Book gives typed access in an organisation's name, endorsed by all.
func (l *Ledger) Book(org string) (ledger.Book, error) {
	c, err := l.Client(org)
	return ledger.Book{Client: c}, err
}

// Signer signs with an organisation's key, for example a trust export.
func (l *Ledger) Signer(org string) (crypto.Signer, error) {
	key, ok := l.keys[org]
	if !ok {
		return nil, ledger.Refuse(ledger.NotFound, "%q is not an organisation of this ledger", org)
	}
	return key, nil
}

// ID is the ledger id.
func (c *Client) ID() commit.Digest { return c.ledger.id }

// Submit runs a call and returns when its block is on disk. A call whose readings were overtaken by another's writes is run again.
func (c *Client) Submit(ctx context.Context, call ledger.Call) (ledger.Receipt, error) {
	return c.ledger.submit(ctx, c.org, c.endorsers, call)
}

// Evaluate runs a query on the last block's state, at the ledger's time.
func (c *Client) Evaluate(ctx context.Context, function string, args []byte) (result []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx := &contract.Tx{
		ID: strings.Repeat("0", 64), Time: time.Unix(c.ledger.now(), 0).UTC(), Caller: contract.Caller{Org: c.org},
		Ledger: c.ledger.id, Genesis: c.ledger.genesis,
	}
	err = c.ledger.db.View(func(db *bbolt.Tx) error {
		result, err = contract.Query(&contract.Environment{Policies: &c.ledger.policies}, tx, reader{stateView{db.Bucket(bucketState)}}, function, args)
		return err
	})
	return result, err
}

// Head is the last block; before the first, height 0 and the ledger id.
func (c *Client) Head(context.Context) (ledger.Head, error) {
	var h head
	err := c.ledger.db.View(func(tx *bbolt.Tx) (err error) {
		h, err = readHead(tx, c.ledger.id)
		return err
	})
	return ledger.Head{Height: h.Height, Hash: h.Hash}, err
}

// Locate is the height of the block that holds a transaction.
func (c *Client) Locate(_ context.Context, txID string) (height uint64, err error) {
	err = c.ledger.db.View(func(tx *bbolt.Tx) error {
		at, err := placeOf(tx, txID)
		height = at.Height
		return err
	})
	return height, err
}

// placeOf is the block that holds a transaction, and which of its transactions it is.
func placeOf(tx *bbolt.Tx, txID string) (version, error) {
	b := tx.Bucket(bucketTransactions).Get([]byte(txID))
	if b == nil {
		return version{}, ledger.Refuse(ledger.NotFound, "transaction %.80q is not known", txID)
	}
	return parseVersion(b)
}

// Recorded is the call that a transaction recorded.
func (c *Client) Recorded(_ context.Context, txID string) (recorded ledger.Recorded, err error) {
	err = c.ledger.db.View(func(tx *bbolt.Tx) error {
		at, err := placeOf(tx, txID)
		if err != nil {
			return err
		}
		_, blk, err := decodeBlock(tx.Bucket(bucketBlocks).Get(heightKey(at.Height)))
		if err != nil {
			return fmt.Errorf("reading block %d: %w", at.Height, err)
		}
		if int(at.Index) >= len(blk.Transactions) {
			return fmt.Errorf("reading block %d: it has no transaction %d", at.Height, at.Index)
		}
		t, err := decodeTransaction(c.ledger.id, blk.Transactions[at.Index])
		if err != nil {
			return fmt.Errorf("reading block %d: %w", at.Height, err)
		}
		recorded = t.Recorded(at.Height)
		return nil
	})
	return recorded, err
}

// Block is a sealed block as it is stored: see package sealed for its encoding.
func (c *Client) Block(_ context.Context, height uint64) (block []byte, err error) {
	err = c.ledger.db.View(func(tx *bbolt.Tx) error {
		block = bytes.Clone(tx.Bucket(bucketBlocks).Get(heightKey(height)))
		if block == nil {
			return ledger.Refuse(ledger.NotFound, "there is no block %d", height)
		}
		return nil
	})
	return block, err
}

// BlockHash is the hash by which the block after it names the block of a height.
func (c *Client) BlockHash(ctx context.Context, height uint64) (commit.Digest, error) {
	b, err := c.Block(ctx, height)
	if err != nil {
		return commit.Digest{}, err
	}
	outer, _, err := decodeBlock(b)
	if err != nil {
		return commit.Digest{}, fmt.Errorf("reading block %d: %w", height, err)
	}
	return sealed.BlockHash(c.ledger.id, outer.Block), nil
}

// Events gives the events of the blocks from the one height to the other, and follows the ledger if to is 0.
func (c *Client) Events(ctx context.Context, from, to uint64) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for height := max(from, 1); to == 0 || height <= to; height++ {
			events, err := c.ledger.eventsAt(ctx, height)
			if err != nil {
				yield(ledger.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// eventsAt waits for a block and reads its events.
func (l *Ledger) eventsAt(ctx context.Context, height uint64) ([]ledger.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l.changedMu.Lock()
		changed, closed := l.changed, l.closed
		l.changedMu.Unlock()
		if closed {
			return nil, fmt.Errorf("reading events of block %d: the ledger is closed", height)
		}
		events, found, err := l.readEvents(height)
		if err != nil {
			return nil, fmt.Errorf("reading events of block %d: %w", height, err)
		}
		if found {
			return events, nil
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

func (l *Ledger) readEvents(height uint64) (events []ledger.Event, found bool, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketBlocks).Get(heightKey(height))
		if b == nil {
			return nil
		}
		found = true
		_, blk, err := decodeBlock(b)
		if err != nil {
			return err
		}
		for _, encoded := range blk.Transactions {
			t, err := decodeTransaction(l.id, encoded)
			if err != nil {
				return err
			}
			payload, err := ledger.Decode[ledger.EventPayload]("event", t.Done.Event.Payload, ledger.MaxEventPayload)
			if err != nil {
				return err
			}
			events = append(events, ledger.Event{Height: height, TxID: t.ID, Name: t.Done.Event.Name, Payload: *payload})
		}
		return nil
	})
	return events, found, err
}
