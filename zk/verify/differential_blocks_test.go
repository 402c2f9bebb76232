package verify_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assay-net/assay/zk/verify"
)

// TestVerifiersAgreeOnBlocks changes blocks and asks both for what is left: a hash, or none.
func TestVerifiersAgreeOnBlocks(t *testing.T) {
	v := startSecond(t)
	corpus := slices.DeleteFunc(readVectors(t, "blocks.json", makeBlockVectors), func(b blockVector) bool { return len(b.Block) > 2000 })
	seen := map[verify.Failure]int{}
	for i := range uint64(5 * *mutants) {
		number := *mutantsFrom + i
		rng := rand.New(rand.NewPCG(number, 0xb10c))
		want := pick(rng, corpus)
		want.Name = fmt.Sprintf("block %d (%s)", number, want.Name)
		want.Block = changedBlock(rng, bytes.Clone(want.Block))
		err := want.read()
		got := askBlock(t, v, &want)
		if fmt.Sprint(got) != fmt.Sprint(want.blockOutcome()) {
			t.Errorf("%s: %+v here (%v), %+v there: %x", want.Name, want.blockOutcome(), err, got, want.Block)
		}
		seen[want.Failure]++
	}
	t.Logf("%d blocks: %v", 5**mutants, seen)
	if *mutants >= 100 && (seen[""] < 50 || seen[blockInvalid] < 50) {
		t.Errorf("outcomes %v: they are too much alike", seen)
	}
}

// changedBlock changes a byte, or puts fields where they may or may not be.
func changedBlock(rng *rand.Rand, b []byte) []byte {
	at := rng.IntN(len(b))
	switch rng.IntN(6) {
	case 0:
		b[at] ^= 1 << rng.IntN(8)
	case 1:
		b[at] = pick(rng, []byte{0, 1, 8, 0x0a, 0x12, 0x1a, 0x1b, 0x1c, 0x20, 0x40, 0x80, 0xff})
	case 2:
		b = slices.Insert(b, at, byte(rng.Uint32()))
	case 3:
		b = slices.Delete(b, at, at+1)
	case 4:
		b = append(b, pick(rng, oddFields)...)
	default:
		header := slices.Concat(pick(rng, oddFields), oddHeader(pick(rng, oddFields)), pick(rng, oddFields))
		b = oddBlock(header, slices.Concat(oneEntry, pick(rng, oddFields)), pick(rng, oddFields))
	}
	return b
}

var oddFields = [][]byte{
	nil, nil, unknownFields, numbered(1, 1<<63), numbered(1, 127), numbered(2, 3), numbered(3, 0), numbered(0, 0), delimited(1, nil), delimited(2, []byte{7}), delimited(3, nil),
	delimited(3, delimited(1, []byte{1})), delimited(4, make([]byte, 130)), {8, 0xff}, {9<<3 | 3}, {9<<3 | 4}, {9<<3 | 6},
}
