package gateway

import (
	"context"
	"errors"
	"strings"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// order hands a transaction to the ordering service and waits for its outcome. From the first attempt on, whatever is not known is said to be unknown.
func (c *Client) order(ctx context.Context, e *endorsed) (ledger.Receipt, error) {
	if err := c.offer(ctx, e); err != nil {
		return ledger.Receipt{}, err
	}
	code, height, err := c.awaitCommit(ctx, e.id)
	if err != nil {
		return ledger.Receipt{}, c.unknown(e.id, err)
	}
	if code == peer.TxValidationCode_DUPLICATE_TXID {
		// It was sent twice, and what came to be known is the second copy's fate, which changes nothing.
		if code, height, err = c.first(ctx, e.id); err != nil {
			return ledger.Receipt{}, c.unknown(e.id, err)
		}
	}
	if code != peer.TxValidationCode_VALID {
		return ledger.Receipt{}, invalid(e.id, code)
	}
	return e.parsed.receipt(c.genesis, height), nil
}

func (c *Client) unknown(txID string, err error) *Error {
	e := &Error{Stage: StageCommit, TxID: txID}
	if st, ok := status.FromError(err); ok {
		e.Messages, err = c.messagesOf(st), plain(st)
	}
	e.Err = &OutcomeUnknown{TxID: txID, Err: err}
	return e
}

// offer sends the same transaction, again if need be, until the ordering service takes it. It returns nil if it did, or if it may have: the outcome will
// tell. It returns an error only if the transaction cannot have been ordered.
func (c *Client) offer(ctx context.Context, e *endorsed) error {
	if err := ctx.Err(); err != nil {
		return &Error{Stage: StageSubmit, TxID: e.id, Err: err}
	}
	offering, cancel := context.WithTimeout(ctx, c.timeouts.Submit)
	defer cancel()
	var pause pause
	for perhaps := false; ; perhaps = true {
		_, err := e.signed.SubmitWithContext(offering)
		if err == nil {
			return nil
		}
		if failure := c.submitError(e.id, err); !perhaps && !ambiguous(err) {
			return failure
		}
		if o, err := c.Outcome(offering, e.id); err == nil && o.State != Unknown {
			return nil
		}
		if pause.wait(offering) != nil {
			return nil
		}
	}
}

// ambiguous reports whether a failed submission may have reached the ordering service. One that was answered with a no did not: an orderer that says
// no to its form or its signature says so for every one of them.
func ambiguous(err error) bool {
	st, ok := status.FromError(err)
	if !ok {
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	switch st.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.FailedPrecondition, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented,
		codes.ResourceExhausted:
		return false
	case codes.Aborted:
		return !strings.HasPrefix(st.Message(), textOrderer)
	}
	return true
}

func (c *Client) submitError(txID string, err error) *Error {
	e := &Error{Stage: StageSubmit, TxID: txID, Err: err}
	st, ok := status.FromError(err)
	if !ok {
		return e
	}
	e.Err, e.Messages = plain(st), c.messagesOf(st)
	if st.Code() == codes.Aborted && strings.Contains(st.Message(), "FORBIDDEN") {
		e.Err = ledger.Refuse(ledger.Forbidden, "the ordering service does not accept the caller: %s", st.Message())
	}
	return e
}

// awaitCommit returns what validation said about a transaction, and the height of its block, once the own peer knows. It asks again when the peer
// goes away, until it is back or the time is over.
func (c *Client) awaitCommit(ctx context.Context, txID string) (peer.TxValidationCode, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Commit)
	defer cancel()
	commit, err := c.commitOf(txID)
	if err != nil {
		return 0, 0, err
	}
	var pause pause
	for {
		s, err := commit.StatusWithContext(ctx)
		if err == nil {
			return s.Code, s.BlockNumber, nil
		}
		if code := status.Code(err); code == codes.PermissionDenied || code == codes.InvalidArgument || pause.wait(ctx) != nil {
			return 0, 0, err
		}
	}
}

// commitOf makes the question about a transaction's outcome, which may be one of another process.
func (c *Client) commitOf(txID string) (*client.Commit, error) {
	id := c.gateway.Identity()
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: id.MspID(), IdBytes: id.Credentials()})
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(&fabric.CommitStatusRequest{ChannelId: c.channel, TransactionId: txID, Identity: creator})
	if err != nil {
		return nil, err
	}
	b, err := proto.Marshal(&fabric.SignedCommitStatusRequest{Request: request})
	if err != nil {
		return nil, err
	}
	return c.gateway.NewCommit(b)
}
