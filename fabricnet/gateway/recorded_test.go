package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// proposal is a transaction as it was proposed.
type proposal struct {
	mspID, chaincode string
	args             [][]byte
	at               *timestamppb.Timestamp
	kind             common.HeaderType
	actions          int
}

func (p proposal) envelope(id string) *common.Envelope {
	payload := encode(&peer.ChaincodeProposalPayload{Input: encode(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		ChaincodeId: &peer.ChaincodeID{Name: p.chaincode}, Input: &peer.ChaincodeInput{Args: p.args},
	}})})
	tx := &peer.Transaction{}
	for range p.actions {
		tx.Actions = append(tx.Actions, &peer.TransactionAction{Payload: encode(&peer.ChaincodeActionPayload{ChaincodeProposalPayload: payload})})
	}
	return &common.Envelope{Payload: encode(&common.Payload{Data: encode(tx), Header: &common.Header{
		ChannelHeader:   encode(&common.ChannelHeader{Type: int32(p.kind), TxId: id, Timestamp: p.at}),
		SignatureHeader: encode(&common.SignatureHeader{Creator: encode(&msp.SerializedIdentity{Mspid: p.mspID})}),
	}})}
}

var recordedTx = strings.Repeat("ab", 32)

// reading is a client that reads blocks, with what a good one holds.
func reading() (*Client, proposal) {
	g := contracttest.WithKeys(contracttest.Genesis())
	c := &Client{genesis: g, id: g.ID(), chaincode: "assay"}
	return c, proposal{
		mspID: contracttest.Operator, chaincode: "assay", args: [][]byte{[]byte(ledger.FnRegisterFleet), []byte(c.id.String()), []byte(`{"id":"a"}`)},
		at: &timestamppb.Timestamp{Seconds: 1_800_000_000, Nanos: 9}, kind: common.HeaderType_ENDORSER_TRANSACTION, actions: 1,
	}
}

func blockWith(code peer.TxValidationCode, envelopes ...*common.Envelope) *common.Block {
	b := &common.Block{Header: &common.BlockHeader{Number: 7}, Data: &common.BlockData{}, Metadata: &common.BlockMetadata{Metadata: make([][]byte, 5)}}
	for _, e := range envelopes {
		b.Data.Data = append(b.Data.Data, encode(e))
		b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = append(b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER], byte(code))
	}
	return b
}

func TestRecordedIn(t *testing.T) {
	c, good := reading()
	got, err := c.recordedIn(blockWith(peer.TxValidationCode_VALID, good.envelope(strings.Repeat("cd", 32)), good.envelope(recordedTx)), recordedTx)
	want := ledger.Recorded{
		Organisation: contracttest.Operator, Call: ledger.Call{Function: ledger.FnRegisterFleet, Args: []byte(`{"id":"a"}`)}, Time: time.Unix(1_800_000_000, 0).UTC(),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for name, test := range map[string]struct {
		change func(*proposal)
		text   string
		code   ledger.Code
	}{
		"a stranger's":      {func(p *proposal) { p.mspID = "stranger" }, "no organisation", ""},
		"another chaincode": {func(p *proposal) { p.chaincode = "payments" }, "no call of the ledger", ledger.NotFound},
		"another ledger":    {func(p *proposal) { p.args[1] = []byte(strings.Repeat("0", 64)) }, "no call of the ledger", ledger.NotFound},
		"two arguments":     {func(p *proposal) { p.args = p.args[:2] }, "no call of the ledger", ledger.NotFound},
		"too long":          {func(p *proposal) { p.args[2] = make([]byte, ledger.MaxArgsOf(ledger.FnRegisterFleet)+1) }, "at most", ledger.Invalid},
		"two actions":       {func(p *proposal) { p.actions = 2 }, "2 actions", ""},
		"a configuration":   {func(p *proposal) { p.kind = common.HeaderType_CONFIG }, "no call of the ledger", ledger.NotFound},
		"no time":           {func(p *proposal) { p.at = nil }, "time", ""},
	} {
		_, bad := reading()
		test.change(&bad)
		bad.args = append([][]byte{}, bad.args...)
		if len(bad.args) > 1 && string(bad.args[1]) != strings.Repeat("0", 64) {
			bad.args[1] = []byte(c.id.String())
		}
		got, err := c.recordedIn(blockWith(peer.TxValidationCode_VALID, bad.envelope(recordedTx)), recordedTx)
		if err == nil || !strings.Contains(err.Error(), test.text) || ledger.CodeOf(err) != test.code {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// What is in a block and not valid was not recorded.
func TestWhatIsNotValidIsNotRecorded(t *testing.T) {
	c, good := reading()
	for _, block := range []*common.Block{
		blockWith(peer.TxValidationCode_MVCC_READ_CONFLICT, good.envelope(recordedTx)), blockWith(peer.TxValidationCode_VALID, good.envelope(strings.Repeat("cd", 32))),
	} {
		if got, err := c.recordedIn(block, recordedTx); ledger.CodeOf(err) != ledger.NotFound {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func FuzzRecordedIn(f *testing.F) {
	c, good := reading()
	f.Add(encode(blockWith(peer.TxValidationCode_VALID, good.envelope(recordedTx))))
	f.Add([]byte{0x12, 2, 0x0a, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var block common.Block
		if proto.Unmarshal(b, &block) != nil {
			return
		}
		got, err := c.recordedIn(&block, recordedTx)
		if err != nil {
			return
		}
		if _, ok := c.genesis.Organisation(got.Organisation); !ok || len(got.Call.Args) > ledger.MaxArgsOf(got.Call.Function) {
			t.Errorf("recorded is %+v", got)
		}
	})
}
