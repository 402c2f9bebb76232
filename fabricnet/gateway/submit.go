package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// submitAttempts is how many transactions one Submit may propose.
	submitAttempts = 8
	// differingAttempts is how often endorsers may come to different outcomes. Few: as a rule they never agree.
	differingAttempts = 4
)

// Submit runs a call and returns when the own peer has committed it.
func (c *Client) Submit(ctx context.Context, call ledger.Call) (ledger.Receipt, error) {
	if err := checkCall(call); err != nil {
		return ledger.Receipt{}, err
	}
	s := submission{client: c, call: call}
	for {
		receipt, err := s.attempt(ctx)
		if err == nil {
			c.places.put(receipt.TxID, receipt.Height)
			return receipt, nil
		}
		if err := s.again(ctx, err); err != nil {
			return ledger.Receipt{}, err
		}
	}
}

func checkCall(call ledger.Call) error {
	if contract.IsQuery(call.Function) || call.Function == ledger.QueryAttestations {
		return ledger.Refuse(ledger.Invalid, "function %q is not one that changes the ledger", call.Function)
	}
	if err := checkArgs(call.Function, call.Args); err != nil {
		return err
	}
	for _, value := range call.Transient {
		if len(value) > ledger.MaxTransient {
			return ledger.Refuse(ledger.Invalid, "transient input has %d bytes, at most %d", len(value), ledger.MaxTransient)
		}
	}
	return nil
}

func checkArgs(function string, args []byte) error {
	if n := ledger.MaxArgsOf(function); len(args) > n {
		return ledger.Refuse(ledger.Invalid, "%s: arguments have %d bytes, at most %d", function, len(args), n)
	}
	return nil
}

// submission is one call on its way through as many transactions as it takes.
type submission struct {
	client *Client
	call   ledger.Call
	pause  pause

	attempts, differed int
	confirmed          bool     // the last proposal was made after the endorsers had every block
	orgs               []string // that were asked last
}

func (s *submission) attempt(ctx context.Context) (ledger.Receipt, error) {
	s.attempts++
	s.orgs = s.client.sets.choose(time.Now())
	e, err := s.client.endorse(ctx, s.call, s.orgs)
	if err != nil {
		return ledger.Receipt{}, err
	}
	s.client.submitting(e.id)
	return s.client.order(ctx, e)
}

// again returns nil if the call may be proposed anew, and else the error to return. It relies on attempt: an Error that is not final means that nothing was
// sent to the ordering service, or that what was sent is invalid for good.
func (s *submission) again(ctx context.Context, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.kind == final || s.attempts >= submitAttempts || ctx.Err() != nil {
		return err
	}
	s.client.sets.unreachable(time.Now(), e.unreachable)
	switch e.kind {
	case refused:
		if s.confirmed || len(s.orgs) == 1 && s.orgs[0] == s.client.own.ID {
			return err
		}
		return s.confirm(ctx, err)
	case overtaken:
		s.confirmed = false
	case differing:
		if s.differed++; s.differed >= differingAttempts {
			return err
		}
		if s.confirm(ctx, err) != nil {
			return err
		}
	}
	if waited := s.pause.wait(ctx); waited != nil {
		return fmt.Errorf("%w (then %w)", err, waited)
	}
	return nil
}

// confirm waits until the endorsers have every block that the own peer has, and returns err if that cannot be.
func (s *submission) confirm(ctx context.Context, err error) error {
	s.confirmed = true
	if behind := s.client.catchUp(ctx, s.orgs); behind != nil {
		return fmt.Errorf("%w (and it is not certain that the endorsers know every block: %w)", err, behind)
	}
	return nil
}

// endorsed is a transaction that is ready to be ordered.
type endorsed struct {
	id     string
	signed *client.Transaction // once it was sent
	parsed *transaction
}

// endorse proposes a call to the organisations' peers, and to nobody else.
func (c *Client) endorse(ctx context.Context, call ledger.Call, orgs []string) (*endorsed, error) {
	options := append(c.arguments(call.Args), client.WithEndorsingOrganizations(c.mspsOf(orgs)...))
	if len(call.Transient) > 0 {
		options = append(options, client.WithTransient(call.Transient))
	}
	proposal, err := c.network.GetContract(c.chaincode).NewProposal(call.Function, options...)
	if err != nil {
		return nil, &Error{Stage: StageEndorse, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Endorse)
	defer cancel()
	prepared, err := proposal.EndorseWithContext(ctx)
	if err != nil {
		return nil, c.proposalError(StageEndorse, proposal.TransactionID(), orgs, err)
	}
	e, err := c.accept(proposal, prepared, orgs)
	if err != nil {
		err = fmt.Errorf("what the own peer made of it is not signed: %w", err)
		return nil, &Error{Stage: StageEndorse, TxID: proposal.TransactionID(), Err: err}
	}
	return e, nil
}

// accept makes the transaction that is sent of what the own peer prepared, if that is the proposal's and endorsed by those who were asked.
func (c *Client) accept(proposal *client.Proposal, prepared *client.Transaction, orgs []string) (*endorsed, error) {
	p, err := readProposal(proposal)
	if err != nil {
		return nil, err
	}
	given, err := envelopeOf(prepared)
	if err != nil {
		return nil, err
	}
	envelope, err := p.transaction(given, c.chaincode, c.mspsOf(orgs))
	if err != nil {
		return nil, err
	}
	parsed, err := parseTransaction(envelope)
	if err != nil {
		return nil, err
	}
	b, err := proto.Marshal(&fabric.PreparedTransaction{TransactionId: p.id, Envelope: envelope})
	if err != nil {
		return nil, err
	}
	own, err := c.gateway.NewTransaction(b)
	return &endorsed{id: p.id, signed: own, parsed: parsed}, err
}

// arguments are the ledger's id and the encoded arguments, behind the function's name.
func (c *Client) arguments(args []byte) []client.ProposalOption {
	return []client.ProposalOption{client.WithBytesArguments([]byte(hex.EncodeToString(c.id[:])), args)}
}

func envelopeOf(t *client.Transaction) (*common.Envelope, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	prepared := &fabric.PreparedTransaction{}
	err = proto.Unmarshal(b, prepared)
	return prepared.GetEnvelope(), err
}
