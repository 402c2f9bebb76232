package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

// transaction is one transaction of a block, as far as it could be read.
type transaction struct {
	index int
	// code is Fabric's validation code as it is computed here, reason says why it is not VALID.
	code   wire.TxValidationCode
	reason string

	// id is what peers index the transaction by, whether it is valid or not.
	id      string
	kind    common.HeaderType
	channel *common.ChannelHeader
	header  *common.Header
	signer  *common.SignatureHeader
	creator *identity

	chaincode string
	proposal  []byte // the proposal's payload without transient input
	action    *wire.ChaincodeAction
	actionBy  *common.SignatureHeader // what the endorsers saw the proposal under
	written   []written
	// sets is there while the transaction's turn is. A block's transactions all at once would be too much.
	sets []namespaceSet

	// onward says that all checks before the one for transaction ids that were used are passed.
	onward bool
	// endorsers are those whose signatures verify, each once; badEndorsements counts the others.
	endorsers       []*identity
	badEndorsements int
}

// invalid settles the code.
func (t *transaction) invalid(code wire.TxValidationCode, err error) *transaction {
	t.code, t.reason = code, err.Error()
	return t
}

func (t *transaction) valid() bool { return t.code == wire.TxValidationCode_VALID }

// time is when the creator says that it made the transaction.
func (t *transaction) time() time.Time { return t.channel.GetTimestamp().AsTime() }

// readTransaction decodes a transaction and checks what Fabric's peers check of it without its chaincode: form, creator, transaction id, and that the endorsers signed what the creator proposed. The
// order of the checks is Fabric's, so that the codes are.
func (c *configuration) readTransaction(index int, encoded []byte) *transaction {
	t := &transaction{index: index, code: wire.TxValidationCode_VALID}
	envelope, payload := new(common.Envelope), new(common.Payload)
	if err := decode("envelope", encoded, envelope, nil); err != nil {
		return t.invalid(wire.TxValidationCode_INVALID_OTHER_REASON, err)
	}
	if err := decode("payload", envelope.Payload, payload, nil); err != nil {
		return t.invalid(wire.TxValidationCode_BAD_PAYLOAD, err)
	}
	if err := t.readHeader(payload.Header); err != nil {
		return t.invalid(wire.TxValidationCode_BAD_COMMON_HEADER, err)
	}
	if err := t.checkCreator(c, envelope); err != nil {
		return t.invalid(wire.TxValidationCode_BAD_CREATOR_SIGNATURE, err)
	}
	switch t.kind {
	case common.HeaderType_CONFIG:
		return t
	case common.HeaderType_ENDORSER_TRANSACTION:
		return t.readEndorsed(c, payload.Data)
	}
	return t.invalid(wire.TxValidationCode_UNSUPPORTED_TX_PAYLOAD, fmt.Errorf("is of type %v", t.kind))
}

func (t *transaction) readHeader(h *common.Header) error {
	if h == nil {
		return errors.New("has no header")
	}
	t.header, t.channel, t.signer = h, new(common.ChannelHeader), new(common.SignatureHeader)
	if err := decode("channel header", h.ChannelHeader, t.channel, nil); err != nil {
		return err
	}
	t.id = t.channel.TxId
	if err := decode("signature header", h.SignatureHeader, t.signer, nil); err != nil {
		return err
	}
	if t.id == "" {
		t.id = transactionID(t.signer)
	}
	t.kind = common.HeaderType(t.channel.Type)
	switch t.kind {
	case common.HeaderType_ENDORSER_TRANSACTION, common.HeaderType_CONFIG_UPDATE, common.HeaderType_CONFIG:
	default:
		return fmt.Errorf("channel header: is of type %d", t.channel.Type)
	}
	if t.channel.Epoch != 0 {
		return fmt.Errorf("channel header: has epoch %d, must have 0", t.channel.Epoch)
	}
	if len(t.signer.Nonce) == 0 || len(t.signer.Creator) == 0 {
		return errors.New("signature header: has no nonce or no creator")
	}
	return nil
}

func transactionID(h *common.SignatureHeader) string {
	sum := sha256.Sum256(slices.Concat(h.Nonce, h.Creator))
	return hex.EncodeToString(sum[:])
}

func (t *transaction) checkCreator(c *configuration, envelope *common.Envelope) error {
	id, err := c.identify(t.signer.Creator)
	if err != nil {
		return fmt.Errorf("creator: %w", err)
	}
	if t.creator = id; id.invalid != nil {
		return fmt.Errorf("creator: %w", id.invalid)
	}
	if err := id.verify(envelope.Payload, envelope.Signature); err != nil {
		return fmt.Errorf("creator: %w", err)
	}
	return nil
}

// readEndorsed reads an endorser transaction.
func (t *transaction) readEndorsed(c *configuration, data []byte) *transaction {
	if want := transactionID(t.signer); t.channel.TxId != want {
		return t.invalid(wire.TxValidationCode_BAD_PROPOSAL_TXID, fmt.Errorf("transaction id is %.80q, nonce and creator give %s", t.channel.TxId, want))
	}
	action, response, err := t.readAction(data)
	if err != nil {
		return t.invalid(wire.TxValidationCode_INVALID_ENDORSER_TRANSACTION, err)
	}
	if t.channel.ChannelId != c.channel {
		return t.invalid(wire.TxValidationCode_TARGET_CHAIN_NOT_FOUND, fmt.Errorf("is for channel %.64q", t.channel.ChannelId))
	}
	t.onward = true
	return t.readResults(c, action, response)
}

// readAction reads a transaction's one action, and checks that the endorsers' response is about the proposal that it holds.
func (t *transaction) readAction(data []byte) (*action, *wire.ProposalResponsePayload, error) {
	tx, response := new(wire.Transaction), new(wire.ProposalResponsePayload)
	if err := decode("transaction", data, tx, limits{1: 1}); err != nil {
		return nil, nil, err
	}
	if len(tx.Actions) != 1 {
		return nil, nil, fmt.Errorf("has %d actions, must have one", len(tx.Actions))
	}
	t.actionBy = new(common.SignatureHeader)
	if err := decode("action's header", tx.Actions[0].Header, t.actionBy, nil); err != nil {
		return nil, nil, err
	}
	if len(t.actionBy.Nonce) == 0 || len(t.actionBy.Creator) == 0 {
		return nil, nil, errors.New("action's header: has no nonce or no creator")
	}
	a, err := splitAction(tx.Actions[0].Payload)
	if err != nil {
		return nil, nil, err
	}
	if err := decode("endorsers' response", a.response, response, nil); err != nil {
		return nil, nil, err
	}
	t.proposal = a.proposal
	sum := sha256.Sum256(slices.Concat(t.header.ChannelHeader, tx.Actions[0].Header, t.proposal))
	if len(t.proposal) == 0 || !bytes.Equal(sum[:], response.ProposalHash) {
		return nil, nil, errors.New("the endorsers signed a response to another proposal")
	}
	return a, response, nil
}

// readResults reads what the endorsers signed: chaincode, results, event and response; and finds out who signed it.
func (t *transaction) readResults(c *configuration, action *action, response *wire.ProposalResponsePayload) *transaction {
	extension := new(wire.ChaincodeHeaderExtension)
	if err := decode("header extension", t.channel.Extension, extension, nil); err != nil {
		return t.invalid(wire.TxValidationCode_BAD_HEADER_EXTENSION, err)
	}
	if len(response.Extension) == 0 {
		return t.invalid(wire.TxValidationCode_BAD_RESPONSE_PAYLOAD, errors.New("response has no extension"))
	}
	t.action = new(wire.ChaincodeAction)
	if err := decode("chaincode action", response.Extension, t.action, nil); err != nil {
		return t.invalid(wire.TxValidationCode_BAD_RESPONSE_PAYLOAD, err)
	}
	if err := t.load(); err != nil {
		return t.invalid(wire.TxValidationCode_BAD_RWSET, err)
	}
	defer t.unload()
	if code, err := t.checkChaincode(extension.ChaincodeId); err != nil {
		return t.invalid(code, err)
	}
	for i := range t.sets {
		if w, ok := t.sets[i].written(); ok {
			t.written = append(t.written, w)
		}
	}
	t.endorsers, t.badEndorsements = c.signers(action.endorsements())
	return t
}

// load decodes the read-write set, unload drops it.
func (t *transaction) load() (err error) {
	t.sets, err = decodeRWSet(t.action.Results)
	return err
}

func (t *transaction) unload() { t.sets = nil }

// writesTo reports whether the transaction writes to a namespace.
func (t *transaction) writesTo(name string) bool {
	return slices.ContainsFunc(t.written, func(w written) bool { return w.name == name })
}

// checkChaincode wants one name for the chaincode throughout, a version, and each namespace once.
func (t *transaction) checkChaincode(called *wire.ChaincodeID) (wire.TxValidationCode, error) {
	if called == nil || t.action.ChaincodeId == nil {
		return wire.TxValidationCode_INVALID_OTHER_REASON, errors.New("names no chaincode")
	}
	t.chaincode = called.Name
	if called.Name == "" || called.Name != t.action.ChaincodeId.Name || t.action.ChaincodeId.Version == "" {
		return wire.TxValidationCode_INVALID_CHAINCODE, fmt.Errorf("calls chaincode %.64q, was run by %.64q of version %.64q", called.Name, t.action.ChaincodeId.Name, t.action.ChaincodeId.Version)
	}
	if len(t.action.Events) > 0 {
		event := new(wire.ChaincodeEvent)
		if err := decode("event", t.action.Events, event, nil); err != nil {
			return wire.TxValidationCode_INVALID_OTHER_REASON, err
		}
		if event.ChaincodeId != called.Name {
			return wire.TxValidationCode_INVALID_OTHER_REASON, fmt.Errorf("has an event of chaincode %.64q", event.ChaincodeId)
		}
	}
	seen := map[string]bool{}
	for _, n := range t.sets {
		if seen[n.name] {
			return wire.TxValidationCode_ILLEGAL_WRITESET, fmt.Errorf("has namespace %.64q twice", n.name)
		}
		seen[n.name] = true
	}
	return wire.TxValidationCode_VALID, nil
}
