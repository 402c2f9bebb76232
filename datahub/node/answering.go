package node

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// openDesk makes ready to answer requests about the node's fleets.
func (n *Node) openDesk(context.Context) (err error) {
	if !n.config.Proving.Answer {
		return nil
	}
	owner := &datahub.Owner{Book: n.env.Book, Keys: n.env.Proving}
	owner.Chunks, owner.AtOnce = n.chunkProver()
	o := desk.Options{Owner: owner, Openings: n.openings, Approve: desk.Approval(n.config.Requests.Approve), Logger: n.log, Metrics: n.env.Metrics}
	for i := range n.config.Fleets {
		o.Fleets = append(o.Fleets, n.config.Fleets[i].ID)
	}
	n.desk, err = desk.New(o)
	return err
}

// openings gives the prover what the anchors commit to.
func (n *Node) openings(ctx context.Context, fleet string, epoch uint64, f *verify.ChunkFacts) (*zk.Chunk, error) {
	row, err := n.storage.Store.Chunk(ctx, fleet, epoch, f.Index)
	if err != nil {
		return nil, fmt.Errorf("opening of chunk %d: %w", f.Index, err)
	}
	if row.Shredded {
		return nil, desk.ErrGone
	}
	return parseOpening(row.Opening, f.Index, f.Size)
}
