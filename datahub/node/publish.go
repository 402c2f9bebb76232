package node

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	publishPause    = 2 * time.Second
	publishPauseMax = time.Minute
)

// publish tells the ledger where the node is and whose certificates it shows, unless the ledger says so already. It tries until it is done.
func (n *Node) publish(ctx context.Context) error {
	own, err := n.api.authority.Publish(n.env.Book.ID(), n.api.published)
	if err != nil {
		return err
	}
	for pause := publishPause; ; pause = min(2*pause, publishPauseMax) {
		err := n.publishOnce(ctx, own)
		if err == nil || ctx.Err() != nil {
			n.api.known.Store(err == nil)
			return nil
		}
		n.log.Warn("telling the ledger where this node is: will try again", "url", own.URL, "error", err)
		if sleep(ctx, pause) != nil {
			return nil
		}
	}
}

func (n *Node) publishOnce(ctx context.Context, own ledger.PublishNode) error {
	nodes, err := n.env.Book.Nodes(ctx)
	if err != nil {
		return err
	}
	for i := range nodes {
		if nodes[i].Organisation == n.own.ID && nodes[i].URL == own.URL && bytes.Equal(nodes[i].Certificate, own.Certificate) {
			return nil
		}
	}
	receipt, err := n.env.Book.PublishNode(ctx, own)
	if err == nil {
		n.log.Info("the ledger says where this node is", "url", own.URL, "tx", receipt.TxID)
	}
	return err
}

// followNodes tells the guard of other organisations' nodes as the ledger does.
func (n *Node) followNodes(ctx context.Context) error {
	for ctx.Err() == nil {
		head, err := n.env.Book.Head(ctx)
		if err == nil {
			n.api.guard.NodesChanged() // whatever there was before
			for event, err := range n.env.Book.Events(ctx, head.Height+1, 0) {
				if err != nil {
					break
				}
				if event.Name == ledger.EventNodePublished {
					n.api.guard.NodesChanged()
				}
			}
		}
		if sleep(ctx, publishPause) != nil {
			break
		}
	}
	return nil
}

var errUnpublished = errors.New("the ledger does not say yet where this node is: other organisations' nodes cannot find it")

// checkPublished is for /readyz.
func (n *Node) checkPublished(context.Context) error {
	if !n.api.known.Load() {
		return errUnpublished
	}
	return nil
}
