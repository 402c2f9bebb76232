package keystest

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

func testShare(t *testing.T, open Opener) {
	ctx, s, other := deadline(t), open(t), open(t)
	_, err := s.Share(ctx, "share-none")
	wantError(t, "no such share", err, keys.ErrNotFound)
	for _, n := range []int{1, 32, 5_000, keys.MaxShare, 2} {
		share := Random(n)
		if err := s.PutShare(ctx, "share", share); err != nil {
			t.Fatal(err)
		}
		for _, s := range []keys.Store{s, other, open(t)} {
			wantBytes(t, "share", must[[]byte](t)(s.Share(ctx, "share")), share)
		}
	}
	for _, n := range []int{0, keys.MaxShare + 1} {
		wantError(t, "share of another length", s.PutShare(ctx, "share", make([]byte, n)), nil)
	}
	if len(must[[]byte](t)(s.Share(ctx, "share"))) != 2 {
		t.Error("a share that was refused has replaced another")
	}
}

// Each kind of key has names of its own.
func testKinds(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	const name = "one-name-for-all"
	derived := must[[][32]byte](t)(s.Derive(ctx, name, [][]byte{nil}))
	_, err := s.Share(ctx, name)
	wantError(t, "share", err, keys.ErrNotFound)
	if err := s.PutShare(ctx, name, []byte("share")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signer(ctx, name); err != nil {
		t.Fatal(err)
	}
	_, err = s.Unwrap(ctx, name, Random(73), nil)
	wantError(t, "wrapping key", err, keys.ErrNotFound)
	must[[]byte](t)(s.Wrap(ctx, name, Random(32), nil))
	if err := s.Destroy(ctx, name); err != nil {
		t.Fatal(err)
	}
	wantBytes(t, "share", must[[]byte](t)(s.Share(ctx, name)), []byte("share"))
	if again := must[[][32]byte](t)(s.Derive(ctx, name, [][]byte{nil})); again[0] != derived[0] {
		t.Error("destroying a wrapping key has changed what is derived")
	}
}

func testNames(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	for _, name := range []string{"a", "0", "-", "fleet-7-period-12", strings.Repeat("x", keys.MaxName)} {
		wrapped, err := s.Wrap(ctx, name, Random(32), nil)
		if err != nil {
			t.Errorf("name %q: %v", name, err)
			continue
		}
		must[[]byte](t)(s.Unwrap(ctx, name, wrapped, nil))
	}
	for _, name := range []string{"", strings.Repeat("x", keys.MaxName+1), "A", "ä", "a b", "a/b", "../a", "..", ".", "a.b", "a_b", "a\x00", "a\n", "a*", "a%2f"} {
		_, err := s.Wrap(ctx, name, Random(32), nil)
		wantError(t, "Wrap "+name, err, nil)
		_, err = s.Unwrap(ctx, name, Random(73), nil)
		wantError(t, "Unwrap "+name, err, nil)
		wantError(t, "Destroy "+name, s.Destroy(ctx, name), nil)
		_, err = s.Derive(ctx, name, [][]byte{nil})
		wantError(t, "Derive "+name, err, nil)
		_, err = s.Signer(ctx, name)
		wantError(t, "Signer "+name, err, nil)
		wantError(t, "PutShare "+name, s.PutShare(ctx, name, []byte{1}), nil)
		_, err = s.Share(ctx, name)
		wantError(t, "Share "+name, err, nil)
	}
}
