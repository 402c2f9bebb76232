package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	doubt, err := c.offer(ctx, e)
	if err != nil {
		return ledger.Receipt{}, err
	}
	code, height, err := c.awaitCommit(ctx, e)
	if err != nil {
		return ledger.Receipt{}, c.unknown(e.id, err, doubt)
	}
	if code == peer.TxValidationCode_DUPLICATE_TXID {
		// It was sent twice, and what came to be known is the second copy's fate, which changes nothing.
		if code, height, err = c.first(ctx, e.id); err != nil {
			return ledger.Receipt{}, c.unknown(e.id, err, nil)
		}
	}
	if code != peer.TxValidationCode_VALID {
		return ledger.Receipt{}, invalid(e.id, code)
	}
	return e.parsed.receipt(c.genesis, height), nil
}

// unknown says why the outcome could not be learned, and what was said when the transaction was offered last, if it may not have been taken.
func (c *Client) unknown(txID string, err error, doubt *Error) *Error {
	e := &Error{Stage: StageCommit, TxID: txID}
	if st, ok := status.FromError(err); ok {
		e.Messages, err = c.messagesOf(st), plain(st)
	}
	if doubt != nil {
		e.Messages = append(e.Messages, doubt.Messages...)
		err = fmt.Errorf("%w; the ordering service perhaps did not take it: %v", err, doubt.Err) //nolint:errorlint // the doubt's cause is not this error's
	}
	e.Err = &OutcomeUnknown{TxID: txID, Err: err}
	return e
}

// offer sends the same transaction, again if need be, until the ordering service takes it. It returns no error if it did, or if it may have: the outcome
// will tell, and doubt is why it may not have. It returns an error only if the transaction cannot have been ordered.
func (c *Client) offer(ctx context.Context, e *endorsed) (doubt *Error, err error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Stage: StageSubmit, TxID: e.id, Err: err}
	}
	offering, cancel := context.WithTimeout(ctx, c.timeouts.Submit)
	defer cancel()
	var pause pause
	for {
		_, err := e.signed.SubmitWithContext(offering)
		if err == nil {
			return nil, nil
		}
		failure := c.submitError(e.id, err)
		if doubt == nil && !ambiguous(err) {
			return nil, failure
		}
		if doubt == nil || !errors.Is(failure, context.DeadlineExceeded) && !errors.Is(failure, context.Canceled) {
			doubt = failure // that the time is over says less
		}
		if o, err := c.Outcome(offering, e.id); err == nil && o.State != Unknown {
			return nil, nil
		}
		if pause.wait(offering) != nil {
			return doubt, nil
		}
	}
}

// ambiguous reports whether a failed submission may have reached the ordering service. It did not if it failed on this side, or if the own peer found it
// wrong before it passed it on. An orderer's no, which the peer reports as aborted, is that one orderer's word, who may order it all the same; and a
// peer that has too much to do may have found out half way.
func ambiguous(err error) bool {
	st, ok := status.FromError(err)
	if !ok {
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	switch st.Code() {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.PermissionDenied:
		return false
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
	if st.Code() == codes.PermissionDenied {
		e.Err = ledger.Refuse(ledger.Forbidden, "the own peer does not accept the caller's certificate: %s", st.Message())
	}
	return e
}

// resendAfter is how long a transaction may be in no block before it is sent again: an orderer that crashes loses what it took and had not yet shared.
const resendAfter = 5 * time.Second

// awaitCommit returns what validation said about a transaction, and the height of its block, once the own peer knows. It asks again when the peer
// goes away, until it is back or the time is over.
func (c *Client) awaitCommit(ctx context.Context, e *endorsed) (peer.TxValidationCode, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Commit)
	defer cancel()
	commit, err := c.commitOf(e.id)
	if err != nil {
		return 0, 0, err
	}
	var pause pause
	for {
		asking, stop := context.WithTimeout(ctx, resendAfter)
		s, err := commit.StatusWithContext(asking)
		late := asking.Err() != nil && ctx.Err() == nil
		stop()
		if err == nil {
			return s.Code, s.BlockNumber, nil
		}
		if late {
			c.sendAgain(ctx, e)
			continue
		}
		if code := status.Code(err); code == codes.PermissionDenied || code == codes.InvalidArgument || pause.wait(ctx) != nil {
			return 0, 0, err
		}
	}
}

// sendAgain may fail: the outcome is waited for all the same. If both copies come to be in blocks, the second one changes nothing.
func (c *Client) sendAgain(ctx context.Context, e *endorsed) {
	ctx, cancel := context.WithTimeout(ctx, resendAfter)
	defer cancel()
	e.signed.SubmitWithContext(ctx) //nolint:errcheck // see above
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
