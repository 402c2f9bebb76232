package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/zk/commit"
)

// What another organisation's node says of an item that it does not send.
var (
	// ErrNotYet: it will have the item, or may give it, later.
	ErrNotYet = errors.New("there is no such item yet")
	// ErrForbidden: the item is not for the caller.
	ErrForbidden = errors.New("the item is not for this organisation")
	// ErrUnknown: it has nothing of the session.
	ErrUnknown = errors.New("that node has nothing of the session")
)

const (
	// MaxItem bounds an item in bytes.
	MaxItem = 16 << 20
	// itemDeadline is for items whose context has none.
	itemDeadline = 2 * time.Minute
	// reasonNotYet is that of the ErrorInfo for what there is not yet.
	reasonNotYet = "not_yet"
)

// Item fetches what another organisation's node has for this one in a session: exactly size bytes, or an error. It takes memory for that, from when the first of it comes, and for one message, whatever
// the node sends. ErrNotYet, ErrForbidden and ErrUnknown are in the errors of a node that says so, of whose words an error has few. Whether the bytes are the right ones is for the caller to see:
// the ledger has their digest.
func (c *Client) Item(ctx context.Context, session commit.Digest, item string, size int) ([]byte, error) {
	if size < 1 || size > MaxItem {
		return nil, fmt.Errorf("item: size is %d, must be 1 to %d", size, MaxItem)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, itemDeadline)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx) // ends a stream that is left
	defer cancel()
	stream, err := c.Sessions.FetchItem(ctx, &assayv1.FetchItemRequest{Session: session.String(), Item: item, Size: uint32(size)})
	if err != nil {
		return nil, refusedItem(err)
	}
	var b []byte
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && len(b) == size:
			return b, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("item: ended at byte %d of %d", len(b), size)
		case err != nil:
			return nil, refusedItem(err)
		case m.GetOffset() != uint64(len(b)) || len(m.GetData()) == 0 || len(m.GetData()) > size-len(b):
			return nil, fmt.Errorf("item: what comes behind byte %d of %d does not fit", len(b), size)
		}
		if b == nil {
			b = make([]byte, 0, size)
		}
		b = append(b, m.GetData()...)
	}
}

// maxSaid bounds how much of another node's words is in an error, in letters: they go into logs.
const maxSaid = 256

// refusedItem gives a node's no the error that stands for it.
func refusedItem(err error) error {
	p, ok := ProblemOf(err)
	if !ok {
		return err
	}
	words := []rune(strings.Join(strings.Fields(p.Message), " "))
	err = status.Error(p.Code, string(words[:min(len(words), maxSaid)]))
	switch {
	case p.Code == codes.FailedPrecondition && p.Reason == reasonNotYet:
		return fmt.Errorf("%w: %w", ErrNotYet, err)
	case p.Code == codes.PermissionDenied:
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	case p.Code == codes.NotFound:
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return err
}
