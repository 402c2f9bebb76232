package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// neighbours connects to other organisations' nodes, where the ledger says that they are and as this organisation's own.
type neighbours struct {
	book        ledger.Book
	certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

	mu     sync.Mutex
	lines  map[string]*line // one of an organisation at most
	closed bool
}

// line is a connection that is kept, and the record that it was made by.
type line struct {
	to     ledger.NodeRecord
	client *client.Client
}

var (
	errNoNode = errors.New("the organisation has published no node")
	errNoLine = errors.New("the node is closing: it calls nobody any more")
)

// maxNeighbourMessage bounds a message of another's node.
const maxNeighbourMessage = 256 << 10

// of is where the ledger says that an organisation's node is.
func (n *neighbours) of(ctx context.Context, organisation string) (*ledger.NodeRecord, error) {
	nodes, err := n.book.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		if nodes[i].Organisation == organisation {
			return &nodes[i], nil
		}
	}
	return nil, fmt.Errorf("organisation %s: %w", organisation, errNoNode)
}

// dial makes a connection of the caller's own.
func (n *neighbours) dial(node *ledger.NodeRecord) (*client.Client, error) {
	u, err := url.Parse(node.URL)
	if err != nil {
		return nil, fmt.Errorf("node of %s: %w", node.Organisation, err)
	}
	config, err := access.PeerTLS(node, n.certificate)
	if err != nil {
		return nil, err
	}
	return client.Dial(client.Options{Address: u.Host, TLS: config, MaxMessage: maxNeighbourMessage})
}

// line gives the connection that is kept to an organisation's node. Before every use the ledger is asked where that is: it may have moved, or shows other certificates. Then the former connection
// ends at once, with the calls on it: what was read of a node that is not the organisation's any more is to be asked for anew.
func (n *neighbours) line(ctx context.Context, organisation string) (*client.Client, error) {
	node, err := n.of(ctx, organisation)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, errNoLine
	}
	old := n.lines[organisation]
	if old != nil && old.serves(node) {
		return old.client, nil
	}
	c, err := n.dial(node)
	if err != nil {
		return nil, err
	}
	if old != nil {
		old.client.Close() //nolint:errcheck // it leads to where the node is no more
	}
	if n.lines == nil {
		n.lines = map[string]*line{}
	}
	n.lines[organisation] = &line{*node, c}
	return c, nil
}

// serves reports whether the connection leads to where a record says, or was made by a later one: whoever was slow to read the ledger must not bring back what another has seen replaced.
func (l *line) serves(node *ledger.NodeRecord) bool {
	return l.to.Time > node.Time || l.to.URL == node.URL && bytes.Equal(l.to.Certificate, node.Certificate)
}

// close ends the connections that are kept, for good.
func (n *neighbours) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines {
		l.client.Close() //nolint:errcheck // nothing waits for it
	}
	clear(n.lines)
	n.closed = true
}
