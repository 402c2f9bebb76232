package verify_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/second"
)

// Blocks are the ledger's drivers'. A third party compares their hashes, with a closing value of a ceremony for one.

// blockVector is a block with what follows from it. Where it is none, its failure is "block".
type blockVector struct {
	Name     string         `json:"name"`
	Format   string         `json:"format"`
	Ledger   commit.Digest  `json:"ledger"`
	Block    []byte         `json:"block"`
	Failure  verify.Failure `json:"failure"`
	Height   uint64         `json:"height"`
	Previous hexBytes       `json:"previous"`
	Hash     commit.Digest  `json:"hash"`
}

const blockInvalid verify.Failure = "block"

// read fills in what follows from the block.
func (v *blockVector) read() error {
	v.Failure, v.Height, v.Previous, v.Hash = blockInvalid, 0, nil, commit.Digest{}
	if v.Format == (sealed.Blocks{}).Format() {
		outer, block, err := sealed.DecodeBlock(v.Block)
		if err != nil {
			return err
		}
		v.Failure, v.Height, v.Previous, v.Hash = "", block.Height, block.Previous[:], sealed.BlockHash(v.Ledger, outer.Block)
		return nil
	}
	if _, err := (audit.Blocks{}).Foundations(map[uint64][]byte{0: v.Block}); err != nil { // decodes it, and of block 0 no more
		return err
	}
	block := new(common.Block)
	if err := proto.Unmarshal(v.Block, block); err != nil {
		return err
	}
	h, data := block.GetHeader(), block.GetData().GetData()
	if sum := sha256.Sum256(bytes.Join(data, nil)); len(data) == 0 || !bytes.Equal(sum[:], h.DataHash) {
		return fmt.Errorf("data have hash %x, the header says %x", sum, h.GetDataHash())
	}
	header, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(h.Number), h.PreviousHash, h.DataHash})
	if err != nil {
		return err
	}
	v.Failure, v.Height, v.Previous, v.Hash = "", h.Number, h.PreviousHash, sha256.Sum256(header)
	return nil
}

func makeBlockVectors(t *testing.T) (out []blockVector) {
	add := func(name, format string, block []byte, failure verify.Failure) {
		v := blockVector{Name: name, Format: format, Ledger: commit.Digest{3}, Block: block}
		if err := v.read(); v.Failure != failure {
			t.Errorf("%s: failure is %q (%v), want %q", name, v.Failure, err, failure)
		}
		out = append(out, v)
	}
	const fabric = "fabric-block/v3"
	recorded := recordedBlocks(t)
	for i, block := range recorded[2:4] {
		add(fmt.Sprintf("of a Fabric channel, %d", i+2), fabric, block, "")
	}
	changed := bytes.Clone(recorded[2])
	changed[len(changed)/2] ^= 1
	add("of a Fabric channel, other data", fabric, changed, blockInvalid)
	add("of a Fabric channel, cut short", fabric, recorded[2][:1000], blockInvalid)
	for _, number := range []uint64{0, 127, 128, 1 << 32, 1<<64 - 1} {
		add(fmt.Sprintf("with number %d", number), fabric, smallBlock(t, number), "")
	}
	for _, odd := range oddBlocks {
		add("with "+odd.name, fabric, odd.block(), odd.failure)
	}
	own := sealed.Encode(sealed.Block{Version: 1, Height: 9, Previous: [32]byte{8}, Time: 1_790_000_000, Transactions: [][]byte{{1}, {2, 3}}})
	block := sealed.Encode(sealed.Sealed{Block: own, Sealer: regulator, Signature: bytes.Repeat([]byte{7}, 64)})
	add("of an embedded ledger", "assay-block/v1", block, "")
	add("of an embedded ledger, under another seal", "assay-block/v1", sealed.Encode(sealed.Sealed{Block: own, Sealer: "x"}), "")
	add("of an embedded ledger, a byte more", "assay-block/v1", append(slices.Clone(block), 0), blockInvalid)
	early := sealed.Encode(sealed.Block{Version: 1, Height: 1<<64 - 1, Time: -1 << 63, Transactions: [][]byte{{}}})
	add("of an embedded ledger, long ago", "assay-block/v1", sealed.Encode(sealed.Sealed{Block: early, Sealer: regulator}), "")
	empty := sealed.Encode(sealed.Block{Version: 1, Height: 9})
	add("of an embedded ledger, without transactions", "assay-block/v1", sealed.Encode(sealed.Sealed{Block: empty, Sealer: regulator}), blockInvalid)
	other := sealed.Encode(sealed.Block{Version: 2, Height: 9, Transactions: [][]byte{{1}}})
	add("of an embedded ledger, another version", "assay-block/v1", sealed.Encode(sealed.Sealed{Block: other, Sealer: regulator}), blockInvalid)
	return out
}

func smallBlock(t *testing.T, number uint64) []byte {
	t.Helper()
	data := []byte("data")
	hash := sha256.Sum256(data)
	b, err := proto.Marshal(&common.Block{Header: &common.BlockHeader{Number: number, PreviousHash: hash[:], DataHash: hash[:]}, Data: &common.BlockData{Data: [][]byte{data[:1], data[1:]}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recordedBlocks are of a channel that ran.
func recordedBlocks(t *testing.T) (out [][]byte) {
	t.Helper()
	f, err := os.Open("../../fabricnet/audit/testdata/raft.blocks.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := blockfile.NewReader(z)
	for range 5 {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestBlockVectors(t *testing.T) {
	for _, want := range readVectors(t, "blocks.json", makeBlockVectors) {
		got := want
		if err := got.read(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v (%v), want %v", want.Name, got, err, want)
		}
	}
	// The channel's own word for its hashes.
	var before commit.Digest
	for i, b := range recordedBlocks(t) {
		v := blockVector{Format: "fabric-block/v3", Block: b}
		if err := v.read(); err != nil || i > 0 && !bytes.Equal(v.Previous, before[:]) || v.Height != uint64(i) {
			t.Errorf("block %d: %v", i, err)
		}
		before = v.Hash
	}
}

// blockOutcome is what both verifiers say of a block.
type blockOutcome struct {
	Failure  verify.Failure `json:"failure"`
	Height   uint64         `json:"height"`
	Previous hexBytes       `json:"previous"`
	Hash     commit.Digest  `json:"hash"`
}

func (v *blockVector) blockOutcome() blockOutcome {
	return blockOutcome{v.Failure, v.Height, v.Previous, v.Hash}
}

func askBlock(t *testing.T, v *second.Verifier, b *blockVector) (out blockOutcome) {
	t.Helper()
	if err := v.Ask(map[string]any{"op": "block", "format": b.Format, "ledger": b.Ledger, "block": b.Block}, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSecondVerifierOnBlockVectors(t *testing.T) {
	v := startSecond(t)
	for _, want := range readVectors(t, "blocks.json", makeBlockVectors) {
		if got := askBlock(t, v, &want); fmt.Sprint(got) != fmt.Sprint(want.blockOutcome()) {
			t.Errorf("%s: %+v, want %+v", want.Name, got, want.blockOutcome())
		}
	}
}
