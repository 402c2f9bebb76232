package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Blocks gives the own peer's blocks from the one height to the other, both included, each as a serialized common.Block with the peer's validation
// codes in its metadata. With to = 0 it follows the channel. It waits while the peer is away; it ends with an error when the context does, or when the
// peer refuses. Block 0 is the channel's genesis block.
func (c *Client) Blocks(ctx context.Context, from, to uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for block, err := range c.blocks(ctx, from, to) {
			var b []byte
			if err == nil {
				b, err = proto.MarshalOptions{Deterministic: true}.Marshal(block)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// blocks is Blocks before encoding.
func (c *Client) blocks(ctx context.Context, from, to uint64) iter.Seq2[*common.Block, error] {
	return func(yield func(*common.Block, error) bool) {
		var pause pause
		refusals := 0 // in a row, of a block that the peer has
		for next := from; to == 0 || next <= to; {
			reached, err := c.stream(ctx, next, to, yield)
			if err == nil {
				return // all were given, or no more are wanted
			}
			if reached > next {
				pause.length, refusals = 0, 0
			}
			next = reached
			e := c.streamError(ctx, err)
			if e.kind == withheld {
				refusals++
			} else {
				refusals = 0
			}
			if refusals == withheldAttempts {
				e.kind = final
			}
			if e.kind != final {
				c.waiting(e)
			}
			if e.kind == final {
				yield(nil, e)
				return
			}
			if ended := pause.wait(ctx); ended != nil {
				yield(nil, &Error{Stage: StageEvents, Err: ended})
				return
			}
		}
	}
}

// stream gives blocks from next on as long as the peer sends them, and returns which one would be next. Its error is nil only if it came to the end.
func (c *Client) stream(ctx context.Context, next, to uint64, yield func(*common.Block, error) bool) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, head, err := c.deliver(ctx, next)
	if err != nil {
		return next, err
	}
	for to == 0 || next <= to {
		response, err := stream.Recv()
		if err != nil {
			return next, err
		}
		block := response.GetBlock()
		if block == nil {
			return next, statusError(response.GetStatus(), next, head)
		}
		switch number := block.GetHeader().GetNumber(); {
		case number < next:
			continue // the peer was asked from its last block on
		case number > next:
			return next, &Error{Stage: StageEvents, Err: fmt.Errorf("the peer sent block %d instead of %d", number, next)}
		}
		if next++; !yield(block, nil) {
			return next, nil
		}
	}
	return next, nil
}

// deliver asks the peer for its blocks from a height on, and tells which is its last. A peer refuses a height that is further off than its next block, so
// it is asked from where it is.
func (c *Client) deliver(ctx context.Context, from uint64) (stream peer.Deliver_DeliverClient, last uint64, err error) {
	head, err := c.Head(ctx)
	if err != nil {
		return nil, 0, err
	}
	request, err := c.network.NewBlockEventsRequest(client.WithStartBlock(min(from, head.Height+1)))
	if err != nil {
		return nil, 0, err
	}
	envelope := &common.Envelope{}
	b, err := request.Bytes()
	if err != nil {
		return nil, 0, err
	}
	if err := proto.Unmarshal(b, envelope); err != nil {
		return nil, 0, err
	}
	if envelope.Signature, err = c.sign(hash.SHA256(envelope.GetPayload())); err != nil {
		return nil, 0, err
	}
	if stream, err = peer.NewDeliverClient(c.conn).Deliver(ctx); err != nil {
		return nil, 0, err
	}
	return stream, head.Height, stream.Send(envelope)
}

// withheldAttempts is how often in a row a peer may end the stream at a block that it has. It does once when it stops; it does each time when it cannot read
// the block.
const withheldAttempts = 8

// statusError is why a peer ended a stream, whose next block is that after the last that it gave.
func statusError(s common.Status, next, last uint64) error {
	err := fmt.Errorf("the peer ended the stream: %s", s)
	switch s {
	case common.Status_FORBIDDEN:
		return &Error{Stage: StageEvents, Err: ledger.Refuse(ledger.Forbidden, "the own peer does not accept the caller's certificate: %s", s)}
	case common.Status_BAD_REQUEST:
		return &Error{Stage: StageEvents, Err: err}
	}
	if next <= last {
		return &Error{Stage: StageEvents, Err: fmt.Errorf("the peer, which has blocks up to %d, does not give block %d: %s", last, next, s), kind: withheld}
	}
	return &Error{Stage: StageEvents, Err: err, kind: unreachable}
}

// streamError tells a failure that passes from one that does not.
func (c *Client) streamError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return &Error{Stage: StageEvents, Err: ctx.Err()}
	}
	var e *Error
	if errors.As(err, &e) {
		kind := e.kind
		if errors.Is(err, context.DeadlineExceeded) {
			kind = unreachable // asking for the head gave up after a while; following does not
		}
		if kind != unreachable && kind != withheld {
			kind = final
		}
		return &Error{Stage: StageEvents, Messages: e.Messages, Err: e.Err, kind: kind}
	}
	e = &Error{Stage: StageEvents, Err: err, kind: unreachable}
	switch status.Code(err) {
	case codes.ResourceExhausted, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.InvalidArgument:
		e.kind = final
	}
	return e
}
