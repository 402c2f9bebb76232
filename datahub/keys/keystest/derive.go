package keystest

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

func testDerive(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	contexts := [][]byte{[]byte("a"), []byte("b"), nil, []byte("ab"), []byte("a"), []byte("derive-other"), make([]byte, 32), Random(keys.MaxContext)}
	first := must[[][32]byte](t)(s.Derive(ctx, "derive", contexts))
	if len(first) != len(contexts) || first[0] != first[4] {
		t.Fatal("outputs do not belong to their contexts")
	}
	other := must[[][32]byte](t)(s.Derive(ctx, "derive-other", contexts))
	seen := map[[32]byte]bool{first[0]: true}
	for i, out := range slices.Concat(first[:4], first[5:], other[:4], other[5:]) {
		if i > 0 && seen[out] {
			t.Errorf("output %d was there before", i)
		}
		seen[out] = true
	}
	again := must[[][32]byte](t)(open(t).Derive(ctx, "derive", contexts))
	if !slices.Equal(first, again) {
		t.Error("outputs differ when the store is opened again")
	}
	slices.Reverse(contexts)
	slices.Reverse(again)
	if !slices.Equal(again, must[[][32]byte](t)(s.Derive(ctx, "derive", contexts))) {
		t.Error("outputs depend on the order")
	}
}

func testDeriveBounds(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	for _, none := range [][][]byte{nil, {}} {
		if out := must[[][32]byte](t)(s.Derive(ctx, "derive-bounds", none)); len(out) != 0 {
			t.Errorf("%d outputs of no context", len(out))
		}
	}
	_, err := s.Derive(ctx, "derive-bounds", [][]byte{nil, Random(keys.MaxContext + 1)})
	wantError(t, "context too long", err, nil)
	many := make([][]byte, 5_000)
	for i := range many {
		many[i] = binary.BigEndian.AppendUint64(nil, uint64(i))
	}
	all := must[[][32]byte](t)(s.Derive(ctx, "derive-bounds", many))
	seen := make(map[[32]byte]bool, len(all))
	for _, out := range all {
		seen[out] = true
	}
	if len(seen) != len(many) {
		t.Errorf("%d contexts give %d outputs", len(many), len(seen))
	}
	for _, i := range []int{0, 999, 1000, 4999} {
		if one := must[[][32]byte](t)(s.Derive(ctx, "derive-bounds", many[i:i+1])); one[0] != all[i] {
			t.Errorf("output %d depends on the others", i)
		}
	}
}
