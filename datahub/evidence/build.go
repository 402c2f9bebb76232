package evidence

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Exporter makes files of what one organisation sees on the ledger.
type Exporter struct {
	Book ledger.Book
	// Blocks knows what the ledger's blocks rest on.
	Blocks Blocks
	// Organisation signs with Key, which is that of its entry in the genesis.
	Organisation string
	Key          crypto.Signer
	// Clock is time.Now if nil.
	Clock func() time.Time
}

// Evidence makes a signed file of a request.
func (x *Exporter) Evidence(ctx context.Context, request commit.Digest) ([]byte, error) {
	e, err := x.Collect(ctx, request)
	if err != nil {
		return nil, err
	}
	return x.Signed(e)
}

// Signed signs what was collected, and encodes it.
func (x *Exporter) Signed(e *Evidence) ([]byte, error) {
	now := time.Now
	if x.Clock != nil {
		now = x.Clock
	}
	if err := e.Sign(x.Organisation, x.Key, now()); err != nil {
		return nil, err
	}
	return e.Marshal()
}

// Collect takes what the ledger has of a request, as it comes: nothing is checked, so that what does not fit together can be shown to others.
func (x *Exporter) Collect(ctx context.Context, request commit.Digest) (*Evidence, error) {
	c := &collection{Exporter: x, Evidence: &Evidence{
		Version: Version, Ledger: x.Book.ID(), Policies: []ledger.PolicyRecord{}, Keys: []verify.PublishedKey{}, Transactions: []Transaction{},
		Format: x.Blocks.Format(), Blocks: []Block{},
	}, heights: map[string]uint64{}, blocks: map[uint64][]byte{}}
	if err := c.collect(ctx, request); err != nil {
		return nil, fmt.Errorf("evidence of request %s: %w", request, err)
	}
	return c.Evidence, nil
}

// collection is evidence on its way.
type collection struct {
	*Exporter
	*Evidence
	heights map[string]uint64
	blocks  map[uint64][]byte
	bytes   int
}

func (c *collection) collect(ctx context.Context, request commit.Digest) error {
	head, err := c.Book.Head(ctx)
	if err != nil {
		return err
	}
	c.Height, c.BlockHash = head.Height, head.Hash
	if c.Genesis, err = c.Book.Genesis(ctx); err != nil {
		return err
	}
	if c.Request, err = c.Book.RequestEntry(ctx, request); err != nil {
		return err
	}
	if err := c.permission(ctx); err != nil {
		return err
	}
	if err := c.proof(ctx); err != nil {
		return err
	}
	for _, txID := range c.named() {
		if err := c.locate(ctx, txID); err != nil {
			return err
		}
	}
	if err := c.found(ctx); err != nil {
		return err
	}
	if err := c.anchors(ctx); err != nil {
		return err
	}
	c.arrange()
	return nil
}

// permission takes what an approval rests on.
func (c *collection) permission(ctx context.Context) error {
	d := c.Request.Decision
	if d == nil || !d.Approved {
		return nil
	}
	owner := c.Request.Request.Owner
	g, err := c.Book.GrantEntry(ctx, owner, d.Grant)
	switch code := ledger.CodeOf(err); {
	case err == nil:
		c.Grant, c.Revocation = &g.Grant, g.Revocation
	case code != ledger.NotFound && code != ledger.Invalid: // that it is missing is for Verify to say
		return err
	}
	for i := range d.Policies[:min(len(d.Policies), maxPolicies)] {
		p, err := c.Book.Policy(ctx, owner, &d.Policies[i])
		if ledger.CodeOf(err) == ledger.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		c.Policies = append(c.Policies, p)
	}
	return nil
}

// proof takes the bundle as the verdict's transaction recorded it, and what it was verified with.
func (c *collection) proof(ctx context.Context) error {
	v := c.Request.Verdict
	if v == nil {
		return nil
	}
	recorded, err := c.Book.Recorded(ctx, v.TxID)
	if err != nil {
		return err
	}
	if args, err := ledger.Decode[ledger.SubmitProof]("arguments", recorded.Call.Args, ledger.MaxArgs); err == nil {
		c.Bundle = args.Bundle
	}
	facts, err := c.Book.Facts(ctx, c.Request.Request.Fleet, c.Request.Request.Epoch)
	if err != nil {
		return err
	}
	c.Facts = &facts.Facts
	c.Keys, err = c.Book.Keys(ctx)
	return err
}

// named are the transactions of all records but the anchors.
func (e *Evidence) named() []string {
	r := &e.Request
	ids := []string{r.Request.TxID}
	add := func(id string) { ids = append(ids, id) }
	if e.Grant != nil {
		add(e.Grant.TxID)
	}
	if e.Revocation != nil {
		add(e.Revocation.TxID)
	}
	for i := range e.Policies {
		add(e.Policies[i].TxID)
	}
	if r.Decision != nil {
		add(r.Decision.TxID)
	}
	if r.Withdrawal != nil {
		add(r.Withdrawal.TxID)
	}
	if r.Proving != nil {
		add(r.Proving.TxID)
	}
	if r.Failure != nil {
		add(r.Failure.TxID)
	}
	if r.Verdict != nil {
		add(r.Verdict.TxID)
	}
	return ids
}

func (c *collection) locate(ctx context.Context, txID string) error {
	if _, ok := c.heights[txID]; ok {
		return nil
	}
	height, err := c.Book.Locate(ctx, txID)
	if ledger.CodeOf(err) == ledger.NotFound {
		return nil // that it is missing is for Verify to say
	}
	if err != nil {
		return err
	}
	c.heights[txID] = height
	return c.take(ctx, height)
}

var errTooMuch = errors.New("its blocks are larger than a file may be")

func (c *collection) take(ctx context.Context, height uint64) error {
	if _, ok := c.blocks[height]; ok {
		return nil
	}
	b, err := c.Book.Block(ctx, height)
	if err != nil {
		return err
	}
	if c.bytes += len(b); c.bytes > maxBlockBytes || len(c.blocks) == maxBlocks {
		return errTooMuch
	}
	c.blocks[height] = b
	return nil
}

// found takes the blocks that the others rest on.
func (c *collection) found(ctx context.Context) error {
	for {
		missing, err := c.Exporter.Blocks.Foundations(c.blocks)
		if err != nil || len(missing) == 0 {
			return err
		}
		for _, height := range missing {
			if err := c.take(ctx, height); err != nil {
				return err
			}
		}
	}
}

// anchors takes the blocks of all anchors, or of none where that is too much.
func (c *collection) anchors(ctx context.Context) error {
	var ids []string
	if c.Facts != nil {
		ids = anchored(c.Facts)
	}
	if len(ids) == 0 || len(ids) > MaxAnchors {
		return nil
	}
	heights, blocks, size := maps.Clone(c.heights), maps.Clone(c.blocks), c.bytes
	for _, id := range ids {
		if err := c.locate(ctx, id); err != nil && !errors.Is(err, errTooMuch) {
			return err
		} else if err != nil {
			c.heights, c.blocks, c.bytes = heights, blocks, size
			return nil
		}
	}
	err := c.found(ctx)
	if errors.Is(err, errTooMuch) {
		c.heights, c.blocks, c.bytes = heights, blocks, size
		return nil
	}
	return err
}

// anchored lists the transactions of the facts' anchors.
func anchored(f *verify.Facts) []string {
	var ids []string
	for i := range f.Chunks {
		if f.Chunks[i].Anchored {
			ids = append(ids, f.Chunks[i].TxID)
		}
	}
	return ids
}

// arrange puts what was found in its order.
func (c *collection) arrange() {
	for id, height := range c.heights {
		c.Transactions = append(c.Transactions, Transaction{id, height})
	}
	slices.SortFunc(c.Transactions, func(a, b Transaction) int { return cmp.Compare(a.TxID, b.TxID) })
	for height, data := range c.blocks {
		c.Evidence.Blocks = append(c.Evidence.Blocks, Block{height, data})
	}
	slices.SortFunc(c.Evidence.Blocks, func(a, b Block) int { return cmp.Compare(a.Height, b.Height) })
}
