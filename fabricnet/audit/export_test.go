package audit

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

// TransactionIDs are those in a block, of whatever kind.
func TransactionIDs(t *testing.T, encoded []byte) (ids []string) {
	t.Helper()
	b, err := decodeBlock(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range b.data {
		envelope, payload, header := new(common.Envelope), new(common.Payload), new(common.ChannelHeader)
		for _, step := range []error{proto.Unmarshal(d, envelope), proto.Unmarshal(envelope.Payload, payload), proto.Unmarshal(payload.Header.GetChannelHeader(), header)} {
			if step != nil {
				t.Fatal(step)
			}
		}
		ids = append(ids, header.TxId)
	}
	return ids
}
