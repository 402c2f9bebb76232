package gateway

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// transaction is what an envelope says about a call of a chaincode.
type transaction struct {
	id        string
	chaincode string
	result    []byte
	event     *peer.ChaincodeEvent // nil if it put none
	endorsers []string             // MSP ids
}

// errNoCall says that an envelope is not a chaincode's, but the channel's configuration for example.
var errNoCall = errors.New("not a transaction of a chaincode")

// header reads an envelope's payload and channel header.
func header(envelope *common.Envelope) (*common.Payload, *common.ChannelHeader, error) {
	payload, channel := &common.Payload{}, &common.ChannelHeader{}
	if err := proto.Unmarshal(envelope.GetPayload(), payload); err != nil {
		return nil, nil, fmt.Errorf("payload: %w", err)
	}
	if err := proto.Unmarshal(payload.GetHeader().GetChannelHeader(), channel); err != nil {
		return nil, nil, fmt.Errorf("channel header: %w", err)
	}
	return payload, channel, nil
}

// parseTransaction reads an envelope, each layer of which is bounded by the one around it. It returns errNoCall with the id for one that calls no
// chaincode.
func parseTransaction(envelope *common.Envelope) (*transaction, error) {
	payload, channel, err := header(envelope)
	if err != nil {
		return nil, err
	}
	t := &transaction{id: channel.GetTxId()}
	action, err := actionOf(payload, channel)
	if err != nil {
		return t, err
	}
	return t, t.parseAction(action.GetAction())
}

// actionOf reads the one action of a transaction that calls a chaincode; any other is errNoCall.
func actionOf(payload *common.Payload, channel *common.ChannelHeader) (*peer.ChaincodeActionPayload, error) {
	if channel.GetType() != int32(common.HeaderType_ENDORSER_TRANSACTION) {
		return nil, errNoCall
	}
	tx, action := &peer.Transaction{}, &peer.ChaincodeActionPayload{}
	if err := proto.Unmarshal(payload.GetData(), tx); err != nil {
		return nil, fmt.Errorf("transaction: %w", err)
	}
	if n := len(tx.GetActions()); n != 1 {
		return nil, fmt.Errorf("transaction has %d actions, must have 1", n)
	}
	if err := proto.Unmarshal(tx.GetActions()[0].GetPayload(), action); err != nil {
		return nil, fmt.Errorf("action: %w", err)
	}
	return action, nil
}

func (t *transaction) parseAction(action *peer.ChaincodeEndorsedAction) error {
	response, outcome := &peer.ProposalResponsePayload{}, &peer.ChaincodeAction{}
	if err := proto.Unmarshal(action.GetProposalResponsePayload(), response); err != nil {
		return fmt.Errorf("proposal response: %w", err)
	}
	if err := proto.Unmarshal(response.GetExtension(), outcome); err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	t.chaincode, t.result = outcome.GetChaincodeId().GetName(), outcome.GetResponse().GetPayload()
	if len(outcome.GetEvents()) > 0 {
		t.event = &peer.ChaincodeEvent{}
		if err := proto.Unmarshal(outcome.GetEvents(), t.event); err != nil {
			return fmt.Errorf("event: %w", err)
		}
	}
	for i, e := range action.GetEndorsements() {
		member := &msp.SerializedIdentity{}
		if err := proto.Unmarshal(e.GetEndorser(), member); err != nil {
			return fmt.Errorf("endorsement %d: %w", i, err)
		}
		t.endorsers = append(t.endorsers, member.GetMspid())
	}
	return nil
}

// organisations are the ids of the organisations that endorsed, in ascending order. An MSP that is not in the genesis counts for nothing.
func (t *transaction) organisations(g *ledger.Genesis) []string {
	ids := []string{}
	for _, mspID := range t.endorsers {
		if o, ok := g.ByMSP(mspID); ok {
			ids = append(ids, o.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// receipt is what a recorded transaction acknowledges.
func (t *transaction) receipt(g *ledger.Genesis, height uint64) ledger.Receipt {
	return ledger.Receipt{TxID: t.id, Height: height, Result: t.result, Endorsers: t.organisations(g)}
}

// isTxID accepts 64 lower-case hexadecimal digits.
func isTxID(id string) bool { return new(commit.Digest).UnmarshalText([]byte(id)) == nil }

// envelopes gives a block's envelopes with the code that validation gave each. Those that are neither valid nor envelopes are left out.
func envelopes(block *common.Block, each func(envelope *common.Envelope, code peer.TxValidationCode) error) error {
	data, metadata := block.GetData().GetData(), block.GetMetadata().GetMetadata()
	const filter = int(common.BlockMetadataIndex_TRANSACTIONS_FILTER)
	if len(metadata) <= filter || len(metadata[filter]) != len(data) {
		return fmt.Errorf("block %d: has no validation code for each of its %d transactions", block.GetHeader().GetNumber(), len(data))
	}
	for i, b := range data {
		envelope := &common.Envelope{}
		code := peer.TxValidationCode(metadata[filter][i])
		if err := proto.Unmarshal(b, envelope); err != nil {
			if code != peer.TxValidationCode_VALID {
				continue
			}
			return fmt.Errorf("block %d, transaction %d: %w", block.GetHeader().GetNumber(), i, err)
		}
		if err := each(envelope, code); err != nil {
			return fmt.Errorf("block %d, transaction %d: %w", block.GetHeader().GetNumber(), i, err)
		}
	}
	return nil
}
