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
	textRefusal   = "chaincode response 400, " // ledger.RefusedStatus
	textNoPeers   = "failed to find any endorsing peers for org(s): "
	textUnknownTx = "no such transaction ID"
)

// textsDenied say that a peer does not take the caller for a member who may propose.
var textsDenied = []string{"access denied", "client identity expired", "Failed evaluating policy on signed data"}

func denied(text string) bool {
	return slices.ContainsFunc(textsDenied, func(d string) bool { return strings.Contains(text, d) })
}

// proposalError makes an Error of what an endorsement or a query failed with, which the peers of some organisations were asked for.
func (c *Client) proposalError(stage Stage, txID string, asked []string, err error) *Error {
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
	classifyMessages(e, asked)
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

// classifyMessages takes a no for the ledger's if all who were asked and answered said it: one organisation alone could say anything. Who was asked and is not
// in the messages has endorsed. Without a no, it goes by outcomes that differ, then by whatever else the contract's service said. What is left are peers and
// services that did not answer.
func classifyMessages(e *Error, asked []string) {
	a := answersOf(e.Messages, asked)
	e.unreachable = a.away
	switch {
	case a.unanimous():
		e.Err, e.kind = a.no, a.kind
	case a.no != nil:
		e.Err, e.kind = ledger.Refuse(ledger.NotEndorsed, "those who were asked disagree: %s", strings.Join(a.said, ", ")), differing
	case a.mismatch:
		e.Err = ledger.Refuse(ledger.NotEndorsed, "the contracts of %s came to different outcomes, and which of them differs from the others is not known",
			strings.Join(asked, ", "))
		e.kind = differing
	case !a.failed:
		e.kind = unreachable
	}
}

// answers are what the organisations that were asked said.
type answers struct {
	said []string // by each organisation, in a few words
	away []string // those that did not answer

	no        *ledger.Refusal // the first
	kind      kind            // of the noes
	otherwise bool            // somebody answered, and not with the first no's code
	mismatch  bool            // somebody's outcome was not another's
	failed    bool            // somebody's contract failed
}

func (a *answers) unanimous() bool { return a.no != nil && !a.otherwise }

func answersOf(messages []PeerMessage, asked []string) *answers {
	a := &answers{}
	for _, org := range asked {
		var of []string
		for _, m := range messages {
			if m.Organisation == org {
				of = append(of, m.Message)
			}
		}
		a.add(org, of)
	}
	return a
}

// add takes in what the peers of an organisation said, of which the gravest counts.
func (a *answers) add(org string, messages []string) {
	var noes, mismatches, failures int
	for _, m := range messages {
		no, kind := parseNo(m)
		switch {
		case no != nil:
			noes++
			a.said = append(a.said, fmt.Sprintf("%s said no (%s)", org, no.Code))
			if a.no == nil {
				a.no, a.kind = no, kind
			}
			a.otherwise = a.otherwise || no.Code != a.no.Code
		case m == textMismatch:
			mismatches++
		case strings.HasPrefix(m, textContract):
			failures++
		}
	}
	switch {
	case noes > 0:
		return
	case len(messages) == 0:
		a.said, a.otherwise = append(a.said, org+" endorsed"), true
	case mismatches > 0:
		a.said, a.otherwise, a.mismatch = append(a.said, org+" came to another outcome"), true, true
	case failures > 0:
		a.said, a.otherwise, a.failed = append(a.said, org+" failed"), true, true
	default:
		a.said, a.away = append(a.said, org+" did not answer"), append(a.away, org)
	}
}

// parseNo reads a refusal of the contract's service, or of the peer before it asked the service.
func parseNo(text string) (*ledger.Refusal, kind) {
	if r, ok := parseRefusal(text); ok {
		return r, refused
	}
	switch {
	case strings.HasPrefix(text, textContract):
		return nil, final // it may quote anything
	case denied(text):
		return &ledger.Refusal{Code: ledger.Forbidden, Message: "a peer does not accept the caller's certificate"}, final
	case strings.Contains(text, textClock):
		return &ledger.Refusal{Code: ledger.Expired, Message: "a peer's clock is far from the caller's"}, final
	}
	return nil, final
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
