package audit_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

var update = flag.Bool("update", false, "record testdata again, from real networks")

// The first blocks of two networks of Fabric 3.1.1: the channel's genesis, the contract's definition, its founding, and a few calls, some of which conflict. A contract that gives
// other bytes than it did breaks this test, and every audit of a channel with older blocks.
func TestRealBlocks(t *testing.T) {
	for _, name := range []string{"raft", "bft"} {
		if *update {
			record(t, name)
		}
		g, blocks := recordedBlocks(t, name)
		pin, err := audit.ChannelGenesis(blocks[0])
		if err != nil {
			t.Fatal(err)
		}
		config := audit.Config{Genesis: g, ChannelGenesis: pin, Chaincode: "assay"}
		report, err := audit.Run(t.Context(), config, sequence(blocks))
		if err != nil {
			t.Fatal(err)
		}
		if !report.Sound || len(report.Findings) != 0 || report.Counts.Calls["register_fleet"] != 2 || report.Counts.Codes["MVCC_READ_CONFLICT"] == 0 || report.Counts.Blocks != uint64(len(blocks)) {
			t.Errorf("%s: %+v", name, report)
		}
		tampered(t, config, blocks)
	}
}

// tampered changes single bytes all over a block. Hardly any is free: each is found, or the block says the same as before.
func tampered(t *testing.T, config audit.Config, blocks [][]byte) {
	sound, err := audit.Run(t.Context(), config, sequence(blocks))
	if err != nil {
		t.Fatal(err)
	}
	last := len(blocks) - 1
	unseen := 0
	step := len(blocks[last])/300 + 1
	if testing.Short() {
		step *= 10
	}
	for i := 0; i < len(blocks[last]); i += step {
		changed := append([][]byte{}, blocks...)
		changed[last] = bytes.Clone(blocks[last])
		changed[last][i] ^= 4
		r, err := audit.Run(t.Context(), config, sequence(changed))
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Failure(); f != nil && f.Block != uint64(last) {
			t.Errorf("byte %d: block %d is blamed, not %d", i, f.Block, last)
		}
		if r.Sound {
			if unseen++; r.Hash != sound.Hash {
				t.Errorf("byte %d: another block is sound", i)
			}
		}
	}
	// What peers and orderers add beside the sealed data is free: a copy of the last configuration's number, a hash of the peer's own state, BFT's
	// signatures beyond the quorum.
	if limit := len(blocks[last]) / step / 4; unseen > limit {
		t.Errorf("%d changed bytes are not found, at most %d should be", unseen, limit)
	}
}

// record writes testdata.
func record(t *testing.T, name string) {
	n := up(t, "--consensus", name)
	n.register(contracttest.NewMaker("maker-1"))
	client := n.books[regulator].Client.(*gateway.Client)
	head, err := client.Head(t.Context())
	n.must(nil, err)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := blockfile.NewWriter(z)
	for b, err := range client.Blocks(t.Context(), 0, head.Height) {
		n.must(nil, err)
		n.must(nil, w.Write(b))
	}
	n.must(nil, z.Close())
	n.must(nil, os.WriteFile(filepath.Join("testdata", name+".blocks.gz"), out.Bytes(), 0o644))
	g, err := os.ReadFile(n.profiles[regulator].Genesis)
	n.must(nil, err)
	n.must(nil, os.WriteFile(filepath.Join("testdata", name+".genesis.json"), g, 0o644))
	n.Down(t)
}

func sequence(blocks [][]byte) func(func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		for _, b := range blocks {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func recordedBlocks(t *testing.T, name string) (*ledger.Genesis, [][]byte) {
	b, err := os.ReadFile(filepath.Join("testdata", name+".genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := ledger.ParseGenesis(b)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join("testdata", name+".blocks.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]byte
	for r := blockfile.NewReader(z); ; {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			return g, blocks
		}
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, block)
	}
}
