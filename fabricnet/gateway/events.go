package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Events gives the contract's events of the blocks from the one height to the other, and follows the channel if to is 0. It waits while the own peer is
// away, misses none and repeats none.
func (c *Client) Events(ctx context.Context, from, to uint64) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for block, err := range c.blocks(ctx, from, to) {
			var events []ledger.Event
			if err == nil {
				events, err = eventsOf(block, c.chaincode)
			}
			if err != nil {
				yield(ledger.Event{}, err)
				return
			}
			for _, e := range events {
				c.places.put(e.TxID, e.Height)
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// eventsOf are the events of the valid transactions of a chaincode. Events by names that the ledger does not have are the service's own, and left out.
func eventsOf(block *common.Block, chaincode string) ([]ledger.Event, error) {
	var events []ledger.Event
	height := block.GetHeader().GetNumber()
	err := envelopes(block, func(envelope *common.Envelope, code peer.TxValidationCode) error {
		if code != peer.TxValidationCode_VALID {
			return nil
		}
		t, err := parseTransaction(envelope)
		if errors.Is(err, errNoCall) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.event == nil || t.chaincode != chaincode || t.event.GetChaincodeId() != chaincode || !ledger.IsEvent(t.event.GetEventName()) {
			return nil
		}
		if !isTxID(t.id) {
			return fmt.Errorf("transaction id is %.80q", t.id)
		}
		payload, err := ledger.Decode[ledger.EventPayload]("event "+t.event.GetEventName(), t.event.GetPayload(), ledger.MaxEventPayload)
		if err != nil {
			return err
		}
		events = append(events, ledger.Event{Height: height, TxID: t.id, Name: t.event.GetEventName(), Payload: *payload})
		return nil
	})
	if err != nil {
		return nil, &Error{Stage: StageEvents, Err: err}
	}
	return events, nil
}
