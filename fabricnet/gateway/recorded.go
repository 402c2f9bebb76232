package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Recorded is the call of the contract that a valid transaction made, as the own peer's block has it. That peer's word is taken for the block; what depends on more than that
// verifies the block.
func (c *Client) Recorded(ctx context.Context, txID string) (ledger.Recorded, error) {
	if !isTxID(txID) {
		return ledger.Recorded{}, ledger.Refuse(ledger.NotFound, "transaction %.80q is not known", txID)
	}
	block, err := c.blockOf(ctx, txID)
	if err != nil {
		return ledger.Recorded{}, fmt.Errorf("reading the call of transaction %s: %w", txID, err)
	}
	recorded, err := c.recordedIn(block, txID)
	if err != nil {
		return ledger.Recorded{}, fmt.Errorf("reading the call of transaction %s: %w", txID, err)
	}
	recorded.Height = block.GetHeader().GetNumber()
	return recorded, nil
}

// recordedIn finds a valid transaction in a block and reads its call.
func (c *Client) recordedIn(block *common.Block, txID string) (recorded ledger.Recorded, err error) {
	found := false
	err = envelopes(block, func(envelope *common.Envelope, code peer.TxValidationCode) error {
		if found || code != peer.TxValidationCode_VALID {
			return nil
		}
		payload, channel, err := header(envelope)
		if err != nil || channel.GetTxId() != txID {
			return err
		}
		found = true
		recorded, err = c.callOf(payload, channel)
		return err
	})
	if err == nil && !found {
		err = ledger.Refuse(ledger.NotFound, "transaction %s is in block %d and not valid", txID, block.GetHeader().GetNumber())
	}
	return recorded, err
}

// callOf reads a call as it was proposed.
func (c *Client) callOf(payload *common.Payload, channel *common.ChannelHeader) (ledger.Recorded, error) {
	org, err := c.creatorOf(payload)
	if err != nil {
		return ledger.Recorded{}, err
	}
	call, err := c.invocationOf(payload, channel)
	if err != nil {
		return ledger.Recorded{}, err
	}
	if err := channel.GetTimestamp().CheckValid(); err != nil {
		return ledger.Recorded{}, fmt.Errorf("the proposal's time: %w", err)
	}
	return ledger.Recorded{Organisation: org, Call: call, Time: time.Unix(channel.GetTimestamp().GetSeconds(), 0).UTC()}, nil
}

func (c *Client) creatorOf(payload *common.Payload) (string, error) {
	signature, member := &common.SignatureHeader{}, &msp.SerializedIdentity{}
	if err := proto.Unmarshal(payload.GetHeader().GetSignatureHeader(), signature); err != nil {
		return "", fmt.Errorf("signature header: %w", err)
	}
	if err := proto.Unmarshal(signature.GetCreator(), member); err != nil {
		return "", fmt.Errorf("creator: %w", err)
	}
	o, ok := c.genesis.ByMSP(member.GetMspid())
	if !ok {
		return "", fmt.Errorf("the caller's MSP %.80q is of no organisation of the ledger", member.GetMspid())
	}
	return o.ID, nil
}

// errNotOurs says that a transaction is valid and no call of the contract.
var errNotOurs = ledger.Refuse(ledger.NotFound, "the transaction is no call of the ledger's contract")

func (c *Client) invocationOf(payload *common.Payload, channel *common.ChannelHeader) (ledger.Call, error) {
	action, err := actionOf(payload, channel)
	if errors.Is(err, errNoCall) {
		return ledger.Call{}, errNotOurs
	}
	if err != nil {
		return ledger.Call{}, err
	}
	proposal, invocation := &peer.ChaincodeProposalPayload{}, &peer.ChaincodeInvocationSpec{}
	if err := proto.Unmarshal(action.GetChaincodeProposalPayload(), proposal); err != nil {
		return ledger.Call{}, fmt.Errorf("proposal: %w", err)
	}
	if err := proto.Unmarshal(proposal.GetInput(), invocation); err != nil {
		return ledger.Call{}, fmt.Errorf("invocation: %w", err)
	}
	return c.checkInvocation(invocation.GetChaincodeSpec())
}

// checkInvocation wants a call of the contract on this ledger, within its bounds.
func (c *Client) checkInvocation(spec *peer.ChaincodeSpec) (ledger.Call, error) {
	args := spec.GetInput().GetArgs()
	if spec.GetChaincodeId().GetName() != c.chaincode || len(args) != 3 {
		return ledger.Call{}, errNotOurs
	}
	var named commit.Digest
	if err := named.UnmarshalText(args[1]); err != nil || named != c.id {
		return ledger.Call{}, errNotOurs
	}
	call := ledger.Call{Function: string(args[0]), Args: args[2]}
	return call, checkArgs(call.Function, call.Args)
}
