package keystest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

// Keys that are made by many at once are made once, whichever store they use.
func testAtOnce(t *testing.T, open Opener) {
	ctx := deadline(t)
	const n = 12
	stores := []keys.Store{open(t), open(t), open(t)}
	var derived [n][32]byte
	var public [n]ed25519.PublicKey
	var wrapped [n][]byte
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			s := stores[i%len(stores)]
			out, err := s.Derive(ctx, "at-once", [][]byte{[]byte("context")})
			if err != nil {
				t.Error(err)
				return
			}
			derived[i] = out[0]
			signer, err := s.Signer(ctx, "at-once")
			if err != nil {
				t.Error(err)
				return
			}
			public[i], _ = signer.Public().(ed25519.PublicKey)
			if wrapped[i], err = s.Wrap(ctx, "at-once", bytes.Repeat([]byte{byte(i)}, 32), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for i := range n {
		if derived[i] != derived[0] || !public[i].Equal(public[0]) {
			t.Error("two keys of one name")
		}
		wantBytes(t, "unwrapped", must[[]byte](t)(stores[0].Unwrap(ctx, "at-once", wrapped[i], nil)), bytes.Repeat([]byte{byte(i)}, 32))
	}
}

// A reader sees one whole share or another, whoever writes.
func testSharesAtOnce(t *testing.T, open Opener) {
	ctx := deadline(t)
	stores := []keys.Store{open(t), open(t)}
	if err := stores[0].PutShare(ctx, "shares-at-once", bytes.Repeat([]byte{1}, 1_001)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for k := range 5 {
				if err := stores[i%2].PutShare(ctx, "shares-at-once", bytes.Repeat([]byte{byte(1 + i + 4*k)}, 1_000+1+i+4*k)); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 20 {
				share, err := stores[(i+1)%2].Share(ctx, "shares-at-once")
				if err != nil {
					t.Error(err)
					return
				}
				if len(share) != 1_000+int(share[0]) || bytes.Count(share, share[:1]) != len(share) {
					t.Error("a share is none of those that were kept")
				}
			}
		})
	}
	all.Wait()
}

func testCancelled(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	if err := s.PutShare(ctx, "cancelled", []byte{1}); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.PutShare(cancelled, "cancelled", []byte{2}); err == nil {
		t.Error("a share is kept though the caller has gone")
	}
	wantBytes(t, "share", must[[]byte](t)(s.Share(ctx, "cancelled")), []byte{1})
}

func testClosed(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	wrapped := must[[]byte](t)(s.Wrap(ctx, "closed", Random(32), nil))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Unwrap(ctx, "closed", wrapped, nil)
	wantError(t, "Unwrap", err, keys.ErrUnavailable)
	_, err = s.Derive(ctx, "closed", [][]byte{nil})
	wantError(t, "Derive", err, keys.ErrUnavailable)
	wantError(t, "Check", s.Check(ctx), keys.ErrUnavailable)
	must[[]byte](t)(open(t).Unwrap(ctx, "closed", wrapped, nil))
}
