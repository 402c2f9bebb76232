package gateway

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
)

func encode(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// call is a transaction of a chaincode, endorsed by some MSPs.
type call struct {
	id, chaincode, event string
	payload              []byte
	msps                 []string
	kind                 common.HeaderType
}

func (c call) envelope() *common.Envelope {
	action := &peer.ChaincodeAction{
		ChaincodeId: &peer.ChaincodeID{Name: c.chaincode}, Response: &peer.Response{Status: 200, Payload: []byte("result")},
	}
	if c.event != "" {
		action.Events = encode(&peer.ChaincodeEvent{ChaincodeId: c.chaincode, TxId: c.id, EventName: c.event, Payload: c.payload})
	}
	endorsed := &peer.ChaincodeEndorsedAction{ProposalResponsePayload: encode(&peer.ProposalResponsePayload{Extension: encode(action)})}
	for _, id := range c.msps {
		endorsed.Endorsements = append(endorsed.Endorsements, &peer.Endorsement{Endorser: encode(&msp.SerializedIdentity{Mspid: id})})
	}
	tx := &peer.Transaction{Actions: []*peer.TransactionAction{{Payload: encode(&peer.ChaincodeActionPayload{Action: endorsed})}}}
	return &common.Envelope{Payload: encode(&common.Payload{
		Header: &common.Header{ChannelHeader: encode(&common.ChannelHeader{Type: int32(c.kind), TxId: c.id})}, Data: encode(tx),
	})}
}

func blockAt(height uint64, codes []peer.TxValidationCode, calls ...call) *common.Block {
	b := &common.Block{Header: &common.BlockHeader{Number: height}, Data: &common.BlockData{}, Metadata: &common.BlockMetadata{Metadata: make([][]byte, 5)}}
	for i, c := range calls {
		b.Data.Data = append(b.Data.Data, encode(c.envelope()))
		code := peer.TxValidationCode_VALID
		if i < len(codes) {
			code = codes[i]
		}
		b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = append(b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER], byte(code))
	}
	return b
}

func id(letter string) string { return strings.Repeat(letter, 64) }

func anchored(letter string) call {
	payload := ledger.Encode(ledger.EventPayload{Organisation: "operator", Fleet: "fleet-a"})
	return call{id: id(letter), chaincode: "assay", event: ledger.EventAnchored, payload: payload, kind: common.HeaderType_ENDORSER_TRANSACTION}
}

func TestOnlyTheContractsValidEventsCount(t *testing.T) {
	founded, foreign, silent, config := anchored("b"), anchored("c"), anchored("d"), anchored("e")
	founded.event, foreign.chaincode, silent.event, config.kind = "founded", "other", "", common.HeaderType_CONFIG
	valid, stale := peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT
	block := blockAt(7, []peer.TxValidationCode{valid, valid, valid, valid, valid, stale}, anchored("a"), founded, foreign, silent, config, anchored("f"), anchored("0"))
	got, err := eventsOf(block, "assay")
	if err != nil {
		t.Fatal(err)
	}
	want := []ledger.Event{
		{Height: 7, TxID: id("a"), Name: ledger.EventAnchored, Payload: ledger.EventPayload{Organisation: "operator", Fleet: "fleet-a"}},
		{Height: 7, TxID: id("0"), Name: ledger.EventAnchored, Payload: ledger.EventPayload{Organisation: "operator", Fleet: "fleet-a"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedBlocks(t *testing.T) {
	loose, long, unnamed := anchored("a"), anchored("b"), anchored("c")
	loose.payload = []byte(`{"organisation": "operator"}`)
	long.payload = make([]byte, ledger.MaxEventPayload+1)
	unnamed.id = "x"
	short := blockAt(3, nil, anchored("a"))
	short.Metadata.Metadata = short.Metadata.Metadata[:2]
	few := blockAt(3, nil, anchored("a"))
	few.Data.Data = append(few.Data.Data, nil)
	torn := blockAt(3, nil, anchored("a"))
	torn.Data.Data[0] = torn.Data.Data[0][:30]
	for name, block := range map[string]*common.Block{
		"payload in another form": blockAt(3, nil, loose),
		"payload too long":        blockAt(3, nil, long),
		"transaction id":          blockAt(3, nil, unnamed),
		"no validation codes":     short,
		"too few codes":           few,
		"torn":                    torn,
	} {
		var e *Error
		if _, err := eventsOf(block, "assay"); !errors.As(err, &e) || e.Stage != StageEvents || !strings.Contains(err.Error(), "block 3") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceipts(t *testing.T) {
	c := anchored("a")
	c.msps = []string{"RegulatorMSP", "StrangerMSP", "LenderMSP", "RegulatorMSP"}
	parsed, err := parseTransaction(c.envelope())
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.Receipt{TxID: id("a"), Height: 9, Result: []byte("result"), Endorsers: []string{"lender", "regulator"}}
	if diff := cmp.Diff(want, parsed.receipt(consortium(), 9)); diff != "" {
		t.Error(diff)
	}
}

// The first copy of a transaction counts, and the second never does.
func TestFindTheFirstCopy(t *testing.T) {
	block := blockAt(4, []peer.TxValidationCode{peer.TxValidationCode_VALID, peer.TxValidationCode_VALID, peer.TxValidationCode_DUPLICATE_TXID},
		anchored("b"), anchored("a"), anchored("a"))
	found, code, err := find(block, id("a"))
	if err != nil || code != peer.TxValidationCode_VALID || found.id != id("a") {
		t.Errorf("got %v, %s, %v", found, code, err)
	}
	if _, _, err := find(block, id("c")); err == nil {
		t.Error("a transaction that is not there is found")
	}
}

// Anybody who may write to the channel can have anything ordered, which is then invalid.
func TestInvalidTransactionsHoldAnything(t *testing.T) {
	valid, bad := peer.TxValidationCode_VALID, peer.TxValidationCode_BAD_PAYLOAD
	copied := anchored("a")
	block := blockAt(4, []peer.TxValidationCode{bad, bad, bad, valid, bad}, anchored("b"), anchored("c"), copied, anchored("a"), copied)
	block.Data.Data[0] = []byte{0xff}
	block.Data.Data[1] = encode(&common.Envelope{Payload: []byte{0xff}})
	if found, code, err := find(block, id("a")); err != nil || code != valid || string(found.result) != "result" {
		t.Errorf("got %v, %s, %v", found, code, err)
	}
	header := &common.Header{ChannelHeader: encode(&common.ChannelHeader{TxId: id("d"), Type: int32(common.HeaderType_ENDORSER_TRANSACTION)})}
	block.Data.Data[4] = encode(&common.Envelope{Payload: encode(&common.Payload{Header: header, Data: []byte{0xff}})})
	if _, code, err := find(block, id("d")); err != nil || code != bad {
		t.Errorf("got %s, %v", code, err)
	}
	if got, err := eventsOf(block, "assay"); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER][1] = byte(valid)
	if _, _, err := find(block, id("a")); err == nil {
		t.Error("a valid transaction without form is passed over")
	}
}

func FuzzEventsOf(f *testing.F) {
	f.Add(encode(blockAt(7, nil, anchored("a"), anchored("b"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		block := &common.Block{}
		if proto.Unmarshal(b, block) != nil {
			return
		}
		events, err := eventsOf(block, "assay")
		if err != nil {
			return
		}
		for _, e := range events {
			if !isTxID(e.TxID) || !ledger.IsEvent(e.Name) || e.Height != block.GetHeader().GetNumber() {
				t.Errorf("%+v", e)
			}
		}
		find(block, id("a")) //nolint:errcheck // must not panic
	})
}
