package prove

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// madeUpOrder is one that nobody can prove: its encoding does not care.
func madeUpOrder(without ...string) *order {
	s := &statement.Statement{
		Version: statement.Version, Fleet: "f", Schema: "charger/v1", MinimumCoverage: "1", Requester: "r", Purpose: "p",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	_, _, g1, _ := bn254.Generators()
	return &order{Key: commit.Digest{3}, Without: without, Job: &zk.ChunkJob{
		Statement: s, Commitment: g1, Chunk: &zk.Chunk{Records: make([]record.Record, 64), R: make([]fr.Element, 64)},
		Place: verify.ChunkPlace{Statement: s.Digest(commit.Digest{}), Fleet: "f", Size: 64},
	}}
}

func TestOrder(t *testing.T) {
	for _, without := range [][]string{nil, {"anna", "ben"}, slices.Repeat([]string{strings.Repeat("w", maxName)}, maxWithout)} {
		b, err := madeUpOrder(without...).marshal()
		if err != nil {
			t.Fatal(err)
		}
		o, err := parseOrder(b)
		if err != nil || o.Key != (commit.Digest{3}) || !slices.Equal(o.Without, without) || !reflect.DeepEqual(o.Job.Place, madeUpOrder().Job.Place) {
			t.Errorf("read as %+v, %v", o, err)
		}
	}
	for name, o := range map[string]*order{"a name that is none": madeUpOrder("a.b"), "too many": madeUpOrder(slices.Repeat([]string{"w"}, maxWithout+1)...)} {
		if _, err := o.marshal(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestParseOrderRefuses(t *testing.T) {
	good, err := madeUpOrder("anna").marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"nothing":           {func([]byte) []byte { return nil }, "cut short"},
		"head alone":        {func(b []byte) []byte { return b[:34] }, "cut short"},
		"name cut short":    {func(b []byte) []byte { return b[:37] }, "cut short"},
		"too long":          {func([]byte) []byte { return make([]byte, maxOrderBytes+1) }, "at most"},
		"another version":   {func(b []byte) []byte { b[0] = 7; return b }, "version is 7"},
		"too many names":    {func(b []byte) []byte { b[33] = 33; return b }, "33 workers"},
		"name that is none": {func(b []byte) []byte { b[35] = '.'; return b }, "worker"},
		"empty name":        {func(b []byte) []byte { b[34] = 0; return b }, "worker"},
		"no job":            {func(b []byte) []byte { return b[:39] }, "chunk job"},
	} {
		if _, err := parseOrder(c.change(bytes.Clone(good))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
}

func FuzzParseOrder(f *testing.F) {
	good, err := madeUpOrder("anna").marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseOrder(b)
		if err != nil {
			return
		}
		if again, err := o.marshal(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("read %d bytes, written as %d others (%v)", len(b), len(again), err)
		}
	})
}
