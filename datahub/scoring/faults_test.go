package scoring_test

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// client is an organisation's access to the contract.
type client struct {
	ledger.Client
	world *world
	org   string
	sound bool // nothing goes wrong
}

func (c *client) ID() commit.Digest { return c.world.genesis.ID() }

func (c *client) Submit(_ context.Context, call ledger.Call) (ledger.Receipt, error) {
	f := noFault
	if !c.sound {
		f = c.world.what(c.org + " submits " + call.Function)
	}
	if f == lostRequest {
		return ledger.Receipt{}, errLost
	}
	result, tx, err := c.world.do(c.org, call.Function, call.Args)
	if f == lostAnswer {
		return ledger.Receipt{}, errLost
	}
	return ledger.Receipt{TxID: tx, Result: result}, err
}

func (c *client) Evaluate(_ context.Context, function string, args []byte) ([]byte, error) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return contract.Query(&contract.Environment{}, c.world.tx(c.org, commit.Digest{}.String()), c.world.state.Begin(), function, args)
}

// store is a store of which a call can be lost.
type store struct {
	session.Store
	world *world
	of    string
}

func (s *store) Put(ctx context.Context, id storeID, slot string, value []byte) ([]byte, error) {
	f := s.world.what(s.of + " keeps " + slot)
	if f == lostRequest {
		return nil, errLost
	}
	kept, err := s.Store.Put(ctx, id, slot, value)
	if f == lostAnswer {
		return nil, errLost
	}
	return kept, err
}

func (s *store) Destroy(ctx context.Context, id storeID, slots ...string) error {
	f := s.world.what(fmt.Sprint(s.of, " destroys ", slots))
	if f == lostRequest {
		return errLost
	}
	err := s.Store.Destroy(ctx, id, slots...)
	if f == lostAnswer {
		return errLost
	}
	return err
}

// peers carry requests between the two, as they are now.
type peers struct {
	world *world
	self  string
}

func (p *peers) Fetch(ctx context.Context, from string, id commit.Digest, item string, size int) ([]byte, error) {
	f := p.world.what(p.self + " fetches " + item)
	if f == lostRequest {
		return nil, errLost
	}
	serve := p.world.lender.Serve
	if from == operator {
		serve = p.world.owner.Serve
	}
	b, err := serve(ctx, p.self, id, item)
	if err != nil {
		return nil, err
	}
	if item == scoring.ItemAnswer {
		p.world.served[sha256.Sum256(b)] = true
	}
	if p.world.tamper != nil {
		b = p.world.tamper(item, b)
	}
	if f == lostAnswer {
		return nil, errLost
	}
	if len(b) != size {
		return nil, fmt.Errorf("%d bytes, want %d", len(b), size)
	}
	return b, nil
}
