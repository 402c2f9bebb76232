package sealed

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

// sampleBlock is a block in form, with signatures by nobody.
func sampleBlock() []byte {
	out := Outcome{
		Reads: []Read{{Key: "a", Version: Position{Height: 1}}}, Ranges: []RangeRead{{Prefix: "b/"}},
		Writes: []Write{{Key: "a", Value: []byte("1")}}, Result: []byte("{}"), Event: Event{Name: "e", Payload: []byte("{}")},
	}
	p := Proposal{Function: "anchor", Args: []byte("{}"), Caller: "operator", Time: 5, Nonce: make([]byte, NonceBytes)}
	t := Transaction{Proposal: Encode(p), Signature: make([]byte, 64), Outcome: Encode(out), Endorsements: []Endorsement{{Org: "lender", Signature: make([]byte, 64)}}}
	blk := Block{Version: Version, Height: 2, Time: 9, Transactions: [][]byte{Encode(t)}}
	return Encode(Sealed{Block: Encode(blk), Sealer: "regulator", Signature: make([]byte, 64)})
}

func TestBlockRoundTrip(t *testing.T) {
	sealed, blk, err := DecodeBlock(sampleBlock())
	if err != nil {
		t.Fatal(err)
	}
	d, err := DecodeTransaction(commit.Digest{1}, blk.Transactions[0])
	if err != nil || sealed.Sealer != "regulator" || blk.Height != 2 || d.Proposed.Caller != "operator" || d.Done.Writes[0].Key != "a" {
		t.Errorf("read as %+v %+v %+v, %v", sealed, blk, d, err)
	}
}

func TestBlockRefusals(t *testing.T) {
	good := sampleBlock()
	wrapped := func(blk Block) []byte { return Encode(Sealed{Block: Encode(blk)}) }
	one := [][]byte{{1}}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut short": good[:len(good)-1], "trailing": append(bytes.Clone(good), 0), "too long": make([]byte, MaxBytes+1),
		"version":              wrapped(Block{Version: 2, Transactions: one}),
		"no transaction":       wrapped(Block{Version: 1}),
		"too many":             wrapped(Block{Version: 1, Transactions: make([][]byte, MaxTransactions+1)}),
		"not a block":          Encode(Sealed{Block: []byte("x")}),
		"null for a list":      Encode(Sealed{Block: []byte{0x85, 1, 2, 0x58, 32, 0xf6}}),
		"indefinite length":    append([]byte{0x9f}, append(good[1:len(good):len(good)], 0xff)...),
		"a longer length head": append([]byte{0x98, 3}, good[1:]...),
	} {
		if _, _, err := DecodeBlock(b); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add(sampleBlock())
	f.Add(Encode(Sealed{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		sealed, blk, err := DecodeBlock(b)
		if err != nil {
			return
		}
		if !bytes.Equal(Encode(sealed), b) || !bytes.Equal(Encode(blk), sealed.Block) {
			t.Error("two encodings of one block")
		}
		for _, encoded := range blk.Transactions {
			if d, err := DecodeTransaction(commit.Digest{}, encoded); err == nil && !bytes.Equal(Encode(d.Done), d.Outcome) {
				t.Error("two encodings of one outcome")
			}
		}
	})
}
