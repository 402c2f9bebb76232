package scoring

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// What one side asks the other for.
const (
	ItemRequest = "score request" // of the lender, by the owner: of score.RequestSize bytes
	ItemAnswer  = "score answer"  // of the owner, by the lender: of score.AnswerSize bytes
)

// Peers asks the nodes of other organisations, which know who asks by its certificate.
type Peers interface {
	// Fetch reads exactly size bytes: it allocates and reads no more, whatever the other side sends, and more or less is an error.
	Fetch(ctx context.Context, organisation string, session commit.Digest, item string, size int) ([]byte, error)
}

// Node is what both sides are made of.
type Node struct {
	// Self is the organisation's id.
	Self string
	// Book is its access to the ledger, and believed in everything.
	Book ledger.Book
	// Store keeps what must survive the process, under the ids of sessions and of queries, in slots of this package's own names. It is in no backup.
	Store session.Store
	Peers Peers
	// Timeout is for one answer of the other side. Default 1 minute.
	Timeout time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log is told what is done; nil discards. No line has a result, a coefficient, a moment or a count.
	Log *slog.Logger
}

const (
	// late is how long after a session's end an answer may still be fetched: by a lender that was down, from an owner that keeps it for that.
	late = 30 * 24 * time.Hour
	// settling is how long after a session's end a ledger may still commit what was endorsed before it.
	settling = 2 * time.Hour
)

func (n Node) withDefaults() (Node, error) {
	if n.Self == "" || n.Book.Client == nil || n.Store == nil || n.Peers == nil {
		return n, errors.New("scoring: a node needs its organisation, a book, a store and peers")
	}
	if n.Timeout <= 0 {
		n.Timeout = time.Minute
	}
	if n.Now == nil {
		n.Now = time.Now
	}
	if n.Log == nil {
		n.Log = slog.New(slog.DiscardHandler)
	}
	return n, nil
}

// Standing is how a session stands for this side after a step.
type Standing struct {
	// Phase is the round that the session waits for: request, answer or result.
	Phase ledger.Round
	// Waiting says for whom, or for what.
	Waiting string
	// Done says that nothing is left to do in this session, ever, and that all is destroyed that belongs to it alone.
	Done bool
	// Reason is why it is done without a result, or will be.
	Reason string
}

func waiting(phase ledger.Round, format string, args ...any) Standing {
	return Standing{Phase: phase, Waiting: ledger.Printable(fmt.Sprintf(format, args...), ledger.MaxReason)}
}

// offers are what may be fetched here.
type offers struct {
	mu    sync.Mutex
	items map[commit.Digest]offer
}

type offer struct {
	item, to string
	// read gives the bytes.
	read func(context.Context) ([]byte, error)
}

func (o *offers) put(id commit.Digest, item, to string, read func(context.Context) ([]byte, error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.items == nil {
		o.items = map[commit.Digest]offer{}
	}
	o.items[id] = offer{item, to, read}
}

func (o *offers) withdraw(id commit.Digest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.items, id)
}

func (o *offers) has(id commit.Digest) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.items[id]
	return ok
}

// serve gives an item to whom it is for: session.ErrForbidden to others, and session.ErrNotYet for what no step has offered, which may be never.
func (o *offers) serve(ctx context.Context, caller string, id commit.Digest, item string) ([]byte, error) {
	o.mu.Lock()
	found, ok := o.items[id]
	o.mu.Unlock()
	switch {
	case ok && found.to != caller:
		return nil, session.ErrForbidden
	case !ok || found.item != item:
		return nil, session.ErrNotYet
	}
	return found.read(ctx)
}

// fetch asks the other side for an item of exactly this size, and compares it with what is recorded.
func (n *Node) fetch(ctx context.Context, from string, id commit.Digest, item string, size int, recorded commit.Digest) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, n.Timeout)
	defer cancel()
	b, err := n.Peers.Fetch(ctx, from, id, item, size)
	if err != nil {
		return nil, err
	}
	if len(b) != size || sha256.Sum256(b) != recorded {
		return nil, errOther
	}
	return b, nil
}

// errOther is of bytes that are not those that were committed to.
var errOther = errors.New("what came is not what is recorded")

// get reads a slot; nil without an error says that nothing was ever kept there.
func (n *Node) get(ctx context.Context, id commit.Digest, slot string) ([]byte, error) {
	b, err := n.Store.Get(ctx, storeID(id), slot)
	if errors.Is(err, session.ErrAbsent) {
		return nil, nil
	}
	return b, err
}

func (n *Node) put(ctx context.Context, id commit.Digest, slot string, value []byte) ([]byte, error) {
	kept, err := n.Store.Put(ctx, storeID(id), slot, value)
	if err != nil {
		return nil, fmt.Errorf("keeping %s: %w", slot, err)
	}
	return kept, nil
}

func (n *Node) destroy(ctx context.Context, id commit.Digest, slots ...string) error {
	if err := n.Store.Destroy(ctx, storeID(id), slots...); err != nil {
		return fmt.Errorf("destroying what is kept of %s: %w", id, err)
	}
	return nil
}
