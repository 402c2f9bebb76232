package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/keystore"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/zk/commit"
)

// queries is the node's part in queries on encrypted data.
type queries struct {
	*party.Manager
	keys keys.Store // what is closed with it: a node without a store of devices' data has a key store for this alone
}

// openQueries makes ready to take part, once it is known how others are reached.
func (n *Node) openQueries(ctx context.Context) error {
	if !n.config.takesPart() {
		return nil
	}
	o := party.Options{
		Book: n.env.Book, Organisation: *n.own, Directory: filepath.Join(n.config.Data, "queries"), Approve: desk.Approval(n.config.Requests.Approve),
		ClipSteps: map[string]map[string]string{}, Peers: n.neighbours, Patience: n.config.Queries.Patience, Longest: n.config.Queries.Longest, Logger: n.log, Metrics: n.env.Metrics,
	}
	for i := range n.config.Fleets {
		f := &n.config.Fleets[i]
		o.Fleets = append(o.Fleets, f.ID)
		o.ClipSteps[f.ID] = f.ClipSteps
	}
	q := new(queries)
	if n.storage != nil {
		o.Keys, o.Openings = n.storage.Keys, n.openings
	} else {
		ks, _, err := openKeys(ctx, n.config, keystore.Options{Logger: n.log, Metrics: n.env.Metrics})
		if err != nil {
			return err
		}
		o.Keys, q.keys = ks, ks
	}
	var err error
	if q.Manager, err = party.New(o); err != nil {
		return errors.Join(err, q.close())
	}
	n.queries = q
	return nil
}

// close gives back what the node has open for it, after everything else has ended.
func (q *queries) close() error {
	var errs []error
	if q.Manager != nil {
		errs = append(errs, q.Manager.Close())
	}
	if q.keys != nil {
		errs = append(errs, q.keys.Close())
	}
	return errors.Join(errs...)
}

// Fetch implements party.Peers over the interface of the other's node.
func (n *neighbours) Fetch(ctx context.Context, organisation string, session commit.Digest, item string, size int) ([]byte, error) {
	c, err := n.line(ctx, organisation)
	if err != nil {
		return nil, err
	}
	b, err := c.Item(ctx, session, item, size)
	switch {
	case errors.Is(err, client.ErrNotYet):
		err = party.ErrNotYet
	case errors.Is(err, client.ErrForbidden):
		err = party.ErrForbidden
	case errors.Is(err, client.ErrUnknown):
		err = party.ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", item, organisation, err)
	}
	return b, nil
}
