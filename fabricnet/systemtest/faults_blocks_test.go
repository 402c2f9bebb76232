package systemtest

import (
	"regexp"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/gateway"
)

// hexadecimal matches transaction ids.
var hexadecimal = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// recordedCall is a chaincode's transaction in a block, valid or not.
type recordedCall struct {
	txID      string
	height    uint64
	code      peer.TxValidationCode
	chaincode string
	args      [][]byte
	envelope  *common.Envelope
}

func (r recordedCall) valid() bool { return r.code == peer.TxValidationCode_VALID }

func (r recordedCall) function() string {
	if r.chaincode != "assay" || len(r.args) != 3 {
		return ""
	}
	return string(r.args[0])
}

// calls reads all blocks of a client's peer, with nothing but Fabric's own definitions.
func (n *faultNetwork) calls(t *testing.T, c *gateway.Client) []recordedCall {
	t.Helper()
	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []recordedCall
	next := uint64(0)
	for b, err := range c.Blocks(t.Context(), 0, head.Height) {
		if err != nil {
			t.Fatal(err)
		}
		block := decoded(t, b, &common.Block{})
		if block.GetHeader().GetNumber() != next {
			t.Fatalf("block %d came instead of %d", block.GetHeader().GetNumber(), next)
		}
		next++
		codes := block.GetMetadata().GetMetadata()[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
		for i, d := range block.GetData().GetData() {
			if r, ok := readCall(t, decoded(t, d, &common.Envelope{})); ok {
				r.height, r.code = block.GetHeader().GetNumber(), peer.TxValidationCode(codes[i])
				all = append(all, r)
			}
		}
	}
	return all
}

func readCall(t *testing.T, e *common.Envelope) (recordedCall, bool) {
	t.Helper()
	payload := decoded(t, e.GetPayload(), &common.Payload{})
	channel := decoded(t, payload.GetHeader().GetChannelHeader(), &common.ChannelHeader{})
	r := recordedCall{txID: channel.GetTxId(), envelope: e}
	if channel.GetType() != int32(common.HeaderType_ENDORSER_TRANSACTION) {
		return r, false
	}
	tx := decoded(t, payload.GetData(), &peer.Transaction{})
	action := decoded(t, tx.GetActions()[0].GetPayload(), &peer.ChaincodeActionPayload{})
	input := decoded(t, action.GetChaincodeProposalPayload(), &peer.ChaincodeProposalPayload{})
	spec := decoded(t, input.GetInput(), &peer.ChaincodeInvocationSpec{}).GetChaincodeSpec()
	r.chaincode, r.args = spec.GetChaincodeId().GetName(), spec.GetInput().GetArgs()
	return r, true
}

func decoded[M proto.Message](t *testing.T, b []byte, m M) M {
	t.Helper()
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
