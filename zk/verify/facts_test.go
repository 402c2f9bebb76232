package verify_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/verify"
)

func consistent() *verify.Facts {
	return &verify.Facts{
		Fleet: "fleet-a", Schema: "battery/v1", Epoch: 7, Enrolled: 100,
		Chunks: []verify.ChunkFacts{
			{Index: 0, Size: 64, Enrolled: 60, Attested: 59, Classes: map[string]uint32{"module": 40, "software": 20}, Anchored: true, Commitment: []byte{1}},
			{Index: 3, Size: 256, Enrolled: 40, Classes: map[string]uint32{"gateway": 40}},
			{Index: 4, Size: 64, Anchored: true, Commitment: []byte{1}},
		},
	}
}

func TestFactsCheck(t *testing.T) {
	f := consistent()
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	if got := f.Attested(); got != 59 {
		t.Errorf("attested: %d, want 59", got)
	}
	if diff := cmp.Diff([]*verify.ChunkFacts{&f.Chunks[0]}, f.Proven()); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		change func(f *verify.Facts)
		want   string
	}{
		"unknown schema":       {func(f *verify.Facts) { f.Schema = "" }, "schema"},
		"index twice":          {func(f *verify.Facts) { f.Chunks[1].Index = 0 }, "chunk 0 is listed after chunk 0"},
		"descending":           {func(f *verify.Facts) { f.Chunks[2].Index = 2 }, "chunk 2 is listed after chunk 3"},
		"size 0":               {func(f *verify.Facts) { f.Chunks[0].Size = 0 }, "chunk 0: size is 0, want one of [64 256 1024 4096]"},
		"size 65":              {func(f *verify.Facts) { f.Chunks[0].Size = 65 }, "size is 65"},
		"more enrolled":        {func(f *verify.Facts) { f.Chunks[0].Enrolled = 65 }, "59 attested of 65 enrolled in 64 slots"},
		"more attested":        {func(f *verify.Facts) { f.Chunks[0].Attested = 61 }, "61 attested of 60 enrolled in 64 slots"},
		"no commitment":        {func(f *verify.Facts) { f.Chunks[0].Commitment = nil }, "anchor is incomplete"},
		"commitment alone":     {func(f *verify.Facts) { f.Chunks[1].Commitment = []byte{1} }, "chunk 3: anchor is incomplete"},
		"attested, unanchored": {func(f *verify.Facts) { f.Chunks[1].Attested = 1 }, "chunk 3: anchor is incomplete"},
		"classes less":         {func(f *verify.Facts) { f.Chunks[0].Classes["module"] = 39 }, "key classes add up to 59 of 60 enrolled"},
		"classes more":         {func(f *verify.Facts) { f.Chunks[0].Classes["gateway"] = 1 }, "key classes add up to 61"},
		"classes wrap around": {func(f *verify.Facts) {
			f.Chunks[0].Classes["gateway"], f.Chunks[0].Classes["secure_element"] = math.MaxUint32, 1
		}, "key classes add up to"},
		"no classes":    {func(f *verify.Facts) { f.Chunks[0].Classes = nil }, "key classes add up to 0"},
		"enrolled less": {func(f *verify.Facts) { f.Enrolled = 99 }, "99 devices enrolled, but the chunks add up to 100"},
		"enrolled more": {func(f *verify.Facts) { f.Enrolled = 101 }, "101 devices enrolled"},
		"2^32 slots":    {tooManySlots, "4294967296 slots, at most 2^32 − 1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := consistent()
			c.change(f)
			if err := f.Check(); err == nil || !strings.Contains(err.Error(), "ledger facts: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error about %q", err, c.want)
			}
		})
	}
}

func tooManySlots(f *verify.Facts) {
	f.Chunks, f.Enrolled = make([]verify.ChunkFacts, 1<<20), 0
	for i := range f.Chunks {
		f.Chunks[i] = verify.ChunkFacts{Index: uint32(i), Size: 4096}
	}
}
