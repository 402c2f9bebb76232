package zk_test

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// madeUpJob is a job that nobody can prove: its encoding does not care.
func madeUpJob() *zk.ChunkJob {
	s := chargers()
	c := &zk.Chunk{Index: 9, Records: make([]record.Record, 64), R: make([]fr.Element, 64)}
	for i := range 40 {
		c.Records[i] = record.Record{1, uint32(i), 2, 3, 4, 5, 6, 7}
		c.R[i].SetUint64(uint64(i) + 1)
	}
	_, _, g1, _ := bn254.Generators()
	ledger := commit.Digest{5}
	return &zk.ChunkJob{Statement: s, Commitment: g1, Chunk: c, Place: verify.ChunkPlace{
		Ledger: ledger, SRS: commit.Digest{6}, Statement: s.Digest(ledger), Fleet: s.Fleet, Chunk: 9, Size: 64, Epoch: s.Epoch,
	}}
}

func TestParseChunkJobRefuses(t *testing.T) {
	good, err := madeUpJob().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	const head, lane = 1 + 32 + 32 + 32 + 12, 4
	slots := len(good) - 64*64
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"nothing":                 {func([]byte) []byte { return nil }, "0 bytes"},
		"cut short":               {func(b []byte) []byte { return b[:len(b)-1] }, "do not hold"},
		"a byte more":             {func(b []byte) []byte { return append(b, 0) }, "do not hold"},
		"too long":                {func([]byte) []byte { return make([]byte, zk.MaxChunkJobBytes+1) }, "want"},
		"another version":         {func(b []byte) []byte { b[0] = 2; return b }, "version is 2"},
		"size of no chunk":        {func(b []byte) []byte { binary.BigEndian.PutUint32(b[head-8:], 65); return b }, "size is 65"},
		"larger chunk":            {func(b []byte) []byte { binary.BigEndian.PutUint32(b[head-8:], 4096); return b }, "do not hold"},
		"longest statement":       {func(b []byte) []byte { binary.BigEndian.PutUint32(b[head-4:], 1<<32-1); return b }, "do not hold"},
		"no point":                {func(b []byte) []byte { copy(b[65:97], make([]byte, 32)); return b }, "commitment"},
		"statement in other form": {func(b []byte) []byte { b[head] = ' '; return b }, "statement"},
		"lane too large":          {func(b []byte) []byte { b[slots+lane] = 0x80; return b }, "slot 0"},
		"presence of two":         {func(b []byte) []byte { b[slots+3] = 2; return b }, "slot 0"},
		"half a record":           {func(b []byte) []byte { b[slots+3] = 0; return b }, "slot 0"},
		"scalar not reduced":      {func(b []byte) []byte { b[slots+64*32] = 0xff; return b }, "slot 0"},
	} {
		if _, err := zk.ParseChunkJob(c.change(bytes.Clone(good))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
}

func TestMarshalChunkJobShowsNoRecord(t *testing.T) {
	j := madeUpJob()
	j.Chunk.Records[3][1] = 3_111_222_333
	_, err := j.Marshal()
	if err == nil || !strings.Contains(err.Error(), "slot 3") || strings.Contains(err.Error(), "3111222333") {
		t.Errorf("got %v, want an error that names slot 3 and no value", err)
	}
}

func FuzzParseChunkJob(f *testing.F) {
	good, err := madeUpJob().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:200])
	f.Add(append(bytes.Clone(good), 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := zk.ParseChunkJob(b)
		if err != nil {
			return
		}
		if again, err := j.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("read %d bytes, written as %d others (%v)", len(b), len(again), err)
		}
	})
}

// madeUpResult is one whose points are on the curve and prove nothing.
func madeUpResult() *zk.ChunkResult {
	_, _, g1, g2 := bn254.Generators()
	totals := statement.Totals{Population: 40, Count: 30, Sums: [record.Lanes]uint64{0, 1, 2, 3, 4, 5, 6, 7}, Exact: big.NewInt(8)}
	output := verify.NewOutput(totals, fr.NewElement(9))
	p := &verify.ChunkProof{
		M: g1, Mask: commit.Representation{R: g1, Zx: fr.NewElement(4), Zr: fr.NewElement(5)},
		Groth16: verify.Groth16Proof{Ar: g1, Bs: g2, Krs: g1, Commitments: []bn254.G1Affine{g1, g1}, CommitmentPok: g1},
		Y:       fr.NewElement(11), Opening: g1, T: output.Commit(verify.ChunkOutput),
	}
	return &zk.ChunkResult{Proof: p, Opened: &zk.Opened{Totals: totals, Output: output, T: p.T}}
}

func TestParseChunkResultRefuses(t *testing.T) {
	good, err := madeUpResult().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := zk.ParseChunkResult(good); err != nil || !reflect.DeepEqual(r.Opened, madeUpResult().Opened) {
		t.Errorf("read as %+v, %v", r, err)
	}
	const at = 1 + verify.ChunkProofBytes
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"nothing":            {func([]byte) []byte { return nil }, "0 bytes"},
		"a byte more":        {func(b []byte) []byte { return append(b, 0) }, "bytes, want"},
		"another version":    {func(b []byte) []byte { b[0] = 9; return b }, "version is 9"},
		"no point":           {func(b []byte) []byte { clear(b[1:33]); return b }, "chunk proof: A"},
		"too many devices":   {func(b []byte) []byte { b[at] = 1; return b }, "more devices"},
		"more than reported": {func(b []byte) []byte { b[at+15] = 41; return b }, "more devices"},
		"sum too large":      {func(b []byte) []byte { b[at+16] = 0x40; return b }, "sum of lane 1"},
		"value too large":    {func(b []byte) []byte { b[at+16+56] = 0x04; return b }, "exact value"},
		"salt not reduced":   {func(b []byte) []byte { b[len(b)-32] = 0xff; return b }, "salt"},
	} {
		if _, err := zk.ParseChunkResult(c.change(bytes.Clone(good))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
}

func FuzzParseChunkResult(f *testing.F) {
	good, err := madeUpResult().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := zk.ParseChunkResult(b)
		if err != nil {
			return
		}
		if again, err := r.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("written as %x (%v), read as %x", again, err, b)
		}
	})
}
