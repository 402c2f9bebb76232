package chaincode

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// found records the genesis, so that the channel says itself which ledger it holds.
func (c *Contract) found(tx *contract.Tx, s contract.State, args []byte) ([]byte, error) {
	if !bytes.Equal(args, c.canonical) {
		return nil, ledger.Refuse(ledger.Invalid, "%s: the argument is not the genesis of ledger %s", ledger.FnFound, c.id)
	}
	there, err := s.Get(ledger.GenesisKey)
	if err != nil {
		return nil, fmt.Errorf("reading state %s: %w", ledger.GenesisKey, err)
	}
	if there != nil {
		return nil, ledger.Refuse(ledger.Conflict, "%s: ledger %s is founded", ledger.FnFound, c.id)
	}
	if err := s.Put(ledger.GenesisKey, c.canonical); err != nil {
		return nil, fmt.Errorf("writing state %s: %w", ledger.GenesisKey, err)
	}
	s.Event(ledger.EventFounded, ledger.Encode(ledger.EventPayload{Organisation: tx.Caller.Org}))
	return c.canonical, nil
}

// attestations answers from this organisation's store, with a message that no other answer has: see the package's comment.
func (c *Contract) attestations(args []byte) (*peer.Response, error) {
	ref, err := ledger.Decode[ledger.AttestationsRef]("arguments", args, ledger.MaxArgsOf(ledger.QueryAttestations))
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%s: %v", ledger.QueryAttestations, err)
	}
	blob, err := c.store.Blob(ref.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ledger.Refuse(ledger.NotFound, "this organisation keeps no attestations under %s", ref.Root)
	}
	response, err := answer(blob, err)
	if err == nil {
		response.Message = rand.Text()
	}
	return response, err
}
