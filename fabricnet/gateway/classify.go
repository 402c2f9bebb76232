package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Texts of Fabric 3.1 by which a failure is told from another. There is no code for them.
const (
	textMismatch  = "ProposalResponsePayloads do not match"
	textClock     = "unauthorized due to incorrect timestamp"
	textContract  = "chaincode response "
	textNoPeers   = "failed to find any endorsing peers for org(s): "
	textUnknownTx = "no such transaction ID"
	textOrderer   = "received unsuccessful response from orderer"
)

// textsDenied say that a peer does not take the caller for a member who may propose.
var textsDenied = []string{"access denied", "client identity expired", "Failed evaluating policy on signed data"}

func denied(text string) bool {
	return slices.ContainsFunc(textsDenied, func(d string) bool { return strings.Contains(text, d) })
}

// proposalError makes an Error of what an endorsement or a query failed with.
func (c *Client) proposalError(stage Stage, txID string, err error) *Error {
	e := &Error{Stage: stage, TxID: txID, Err: err}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return e
	}
	st, ok := status.FromError(err)
	if !ok {
		return e // it failed on this side, in signing for example
	}
	e.Err, e.Messages = plain(st), c.messagesOf(st)
	if len(e.Messages) == 0 {
		c.classifyStatus(e, st)
		return e
	}
	classifyMessages(e)
	return e
}

// plain is a status without its details, which the messages have. It shows that a context ended.
func plain(st *status.Status) error {
	cause := map[codes.Code]error{codes.DeadlineExceeded: context.DeadlineExceeded, codes.Canceled: context.Canceled}[st.Code()]
	switch {
	case cause == nil:
		return status.Error(st.Code(), st.Message())
	case strings.Contains(st.Message(), cause.Error()):
		return cause
	}
	return fmt.Errorf("%s: %w", st.Message(), cause)
}

// messagesOf are sorted by organisation, so that one failure reads the same each time.
func (c *Client) messagesOf(st *status.Status) []PeerMessage {
	var messages []PeerMessage
	for _, d := range st.Details() {
		if detail, ok := d.(*fabric.ErrorDetail); ok {
			messages = append(messages, c.message(detail.GetMspId(), detail.GetAddress(), detail.GetMessage()))
		}
	}
	slices.SortStableFunc(messages, func(a, b PeerMessage) int { return strings.Compare(a.Organisation+a.Address, b.Organisation+b.Address) })
	return messages
}

// classifyMessages goes by the gravest message: a refusal, then a denial, then a wrong clock, then outcomes that differ, then whatever else the contract's service said. What
// is left are peers and services that did not answer.
func classifyMessages(e *Error) {
	for _, m := range e.Messages {
		if r, ok := parseRefusal(m.Message); ok {
			e.Err, e.kind = r, refused
			return
		}
	}
	for _, m := range e.Messages {
		if denied(m.Message) {
			e.Err = ledger.Refuse(ledger.Forbidden, "a peer does not accept the caller's certificate")
			return
		}
	}
	for _, m := range e.Messages {
		if strings.Contains(m.Message, textClock) {
			e.Err = ledger.Refuse(ledger.Expired, "a peer's clock is far from the caller's")
			return
		}
	}
	for _, m := range e.Messages {
		if m.Message == textMismatch {
			e.Err, e.kind = ledger.Refuse(ledger.NotEndorsed, "the endorsers came to different outcomes"), differing
			return
		}
	}
	for _, m := range e.Messages {
		if strings.HasPrefix(m.Message, textContract) {
			return
		}
	}
	e.kind = unreachable
	for _, m := range e.Messages {
		e.unreachable = append(e.unreachable, m.Organisation)
	}
}

// classifyStatus is for a failure that no peer but the own one had a part in.
func (c *Client) classifyStatus(e *Error, st *status.Status) {
	switch {
	case st.Code() == codes.PermissionDenied || denied(st.Message()):
		e.Err = ledger.Refuse(ledger.Forbidden, "the own peer does not accept the caller's certificate: %s", st.Message())
	case st.Code() == codes.Unavailable, st.Code() == codes.FailedPrecondition:
		e.kind = unreachable
		if _, msps, found := strings.Cut(st.Message(), textNoPeers); found {
			for _, msp := range strings.Split(msps, ", ") {
				if o, ok := c.genesis.ByMSP(msp); ok {
					e.unreachable = append(e.unreachable, o.ID)
				}
			}
			if len(e.unreachable) > 0 {
				e.Err = fmt.Errorf("no peer of %s can be reached: %w", strings.Join(e.unreachable, ", "), e.Err)
			}
		}
	}
}

// invalid makes an Error of a transaction that is in a block, and not valid.
func invalid(txID string, code peer.TxValidationCode) *Error {
	e := &Error{Stage: StageCommit, TxID: txID}
	switch code {
	case peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT:
		e.Err, e.kind = ledger.Refuse(ledger.Conflict, "something that the call read has changed meanwhile; try again (%s)", code), overtaken
	case peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE:
		e.Err = ledger.Refuse(ledger.NotEndorsed, "the endorsements do not meet the ledger's policy (%s)", code)
	default:
		e.Err = ledger.Refuse(ledger.Invalid, "the peers found the transaction invalid (%s)", code)
	}
	return e
}
