package embedded

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

// sampleBlock is a block in form, with signatures by nobody.
func sampleBlock() []byte {
	out := outcome{
		Reads: []read{{Key: "a", Version: version{Height: 1}}}, Ranges: []rangeRead{{Prefix: "b/"}},
		Writes: []write{{Key: "a", Value: []byte("1")}}, Result: []byte("{}"), Event: event{Name: "e", Payload: []byte("{}")},
	}
	p := proposal{Function: "anchor", Args: []byte("{}"), Caller: "operator", Time: 5, Nonce: make([]byte, nonceBytes)}
	t := transaction{Proposal: encode(p), Signature: make([]byte, 64), Outcome: encode(out), Endorsements: []endorsement{{Org: "lender", Signature: make([]byte, 64)}}}
	blk := block{Version: blockVersion, Height: 2, Time: 9, Transactions: [][]byte{encode(t)}}
	return encode(sealedBlock{Block: encode(blk), Sealer: "regulator", Signature: make([]byte, 64)})
}

func TestBlockRoundTrip(t *testing.T) {
	sealed, blk, err := decodeBlock(sampleBlock())
	if err != nil {
		t.Fatal(err)
	}
	d, err := decodeTransaction(commit.Digest{1}, blk.Transactions[0])
	if err != nil || sealed.Sealer != "regulator" || blk.Height != 2 || d.proposal.Caller != "operator" || d.outcome.Writes[0].Key != "a" {
		t.Errorf("read as %+v %+v %+v, %v", sealed, blk, d, err)
	}
}

func TestBlockRefusals(t *testing.T) {
	good := sampleBlock()
	wrapped := func(blk block) []byte { return encode(sealedBlock{Block: encode(blk)}) }
	one := [][]byte{{1}}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut short": good[:len(good)-1], "trailing": append(bytes.Clone(good), 0), "too long": make([]byte, maxBlockBytes+1),
		"version":              wrapped(block{Version: 2, Transactions: one}),
		"no transaction":       wrapped(block{Version: 1}),
		"too many":             wrapped(block{Version: 1, Transactions: make([][]byte, maxTransactions+1)}),
		"not a block":          encode(sealedBlock{Block: []byte("x")}),
		"null for a list":      encode(sealedBlock{Block: []byte{0x85, 1, 2, 0x58, 32, 0xf6}}),
		"indefinite length":    append([]byte{0x9f}, append(good[1:len(good):len(good)], 0xff)...),
		"a longer length head": append([]byte{0x98, 3}, good[1:]...),
	} {
		if _, _, err := decodeBlock(b); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add(sampleBlock())
	f.Add(encode(sealedBlock{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		sealed, blk, err := decodeBlock(b)
		if err != nil {
			return
		}
		if !bytes.Equal(encode(sealed), b) || !bytes.Equal(encode(blk), sealed.Block) {
			t.Error("two encodings of one block")
		}
		for _, encoded := range blk.Transactions {
			if d, err := decodeTransaction(commit.Digest{}, encoded); err == nil && !bytes.Equal(encode(d.outcome), d.Outcome) {
				t.Error("two encodings of one outcome")
			}
		}
	})
}
