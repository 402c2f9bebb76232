package keystest

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

func testWrap(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	for _, c := range []struct {
		name    string
		context []byte
	}{
		{"no context", nil},
		{"a context", []byte("fleet 7, period 3")},
		{"zeros", make([]byte, 16)},
		{"longest context", Random(keys.MaxContext)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dataKey := Random(keys.DataKeySize)
			wrapped := must[[]byte](t)(s.Wrap(ctx, "wrap", dataKey, c.context))
			if len(wrapped) > keys.MaxWrapped {
				t.Errorf("wrapped key has %d bytes", len(wrapped))
			}
			if bytes.Contains(wrapped, dataKey) {
				t.Error("the wrapped key holds the data key")
			}
			again := must[[]byte](t)(s.Wrap(ctx, "wrap", dataKey, c.context))
			if bytes.Equal(wrapped, again) {
				t.Error("wrapping twice gives the same")
			}
			other := open(t)
			wantBytes(t, "unwrapped", must[[]byte](t)(other.Unwrap(ctx, "wrap", wrapped, c.context)), dataKey)
			wantBytes(t, "unwrapped", must[[]byte](t)(s.Unwrap(ctx, "wrap", again, c.context)), dataKey)
		})
	}
	wrapped := must[[]byte](t)(s.Wrap(ctx, "wrap", Random(32), nil))
	must[[]byte](t)(s.Unwrap(ctx, "wrap", wrapped, []byte{}))
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
}

func testWrapRefuses(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	for _, n := range []int{0, 1, 31, 33, 64} {
		_, err := s.Wrap(ctx, "wrap-refuses", Random(n), nil)
		wantError(t, "data key of another length", err, nil)
	}
	_, err := s.Wrap(ctx, "wrap-refuses", Random(32), Random(keys.MaxContext+1))
	wantError(t, "context too long", err, nil)
	wrapped := must[[]byte](t)(s.Wrap(ctx, "wrap-refuses", Random(32), nil))
	_, err = s.Unwrap(ctx, "wrap-refuses", wrapped, Random(keys.MaxContext+1))
	wantError(t, "context too long", err, nil)
	_, err = s.Unwrap(ctx, "wrap-no-such-key", wrapped, nil)
	wantError(t, "no such key", err, keys.ErrNotFound)
}

func testTampered(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	dataKey, context := Random(32), []byte("context")
	wrapped := must[[]byte](t)(s.Wrap(ctx, "tampered", dataKey, context))
	must[[]byte](t)(s.Wrap(ctx, "tampered-other", dataKey, context))
	refused := func(what, name string, b, context []byte) {
		t.Helper()
		got, err := s.Unwrap(ctx, name, b, context)
		wantError(t, what, err, keys.ErrCorrupt)
		if got != nil {
			t.Errorf("%s: returns %d bytes", what, len(got))
		}
	}
	refused("wrong context", "tampered", wrapped, []byte("contexu"))
	refused("shorter context", "tampered", wrapped, []byte("contex"))
	refused("no context", "tampered", wrapped, nil)
	refused("wrong name", "tampered-other", wrapped, context)
	refused("nothing", "tampered", nil, context)
	refused("noise", "tampered", Random(len(wrapped)), context)
	refused("too long", "tampered", append(bytes.Clone(wrapped), 0), context)
	refused("far too long", "tampered", make([]byte, 1<<20), context)
	for i := range wrapped {
		flipped := bytes.Clone(wrapped)
		flipped[i] ^= 1 << (i % 8)
		refused("flipped bit", "tampered", flipped, context)
	}
	for n := 0; n < len(wrapped); n += 3 {
		refused("cut off", "tampered", wrapped[:n], context)
	}
	wantBytes(t, "unwrapped", must[[]byte](t)(s.Unwrap(ctx, "tampered", wrapped, context)), dataKey)
}

func testDestroy(t *testing.T, open Opener) {
	ctx, s, other := deadline(t), open(t), open(t)
	if err := s.Destroy(ctx, "destroy-no-such-key"); err != nil {
		t.Errorf("destroying what is not there: %v", err)
	}
	wrapped := must[[]byte](t)(s.Wrap(ctx, "destroy", Random(32), nil))
	kept := must[[]byte](t)(s.Wrap(ctx, "destroy-not", Random(32), nil))
	must[[]byte](t)(other.Unwrap(ctx, "destroy", wrapped, nil))
	for range 2 {
		if err := s.Destroy(ctx, "destroy"); err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]keys.Store{"the same": s, "another": other, "a new one": open(t)} {
			_, err := s.Unwrap(ctx, "destroy", wrapped, nil)
			wantError(t, name, err, keys.ErrNotFound)
		}
	}
	// A key of the same name is another key.
	must[[]byte](t)(s.Wrap(ctx, "destroy", Random(32), nil))
	_, err := other.Unwrap(ctx, "destroy", wrapped, nil)
	wantError(t, "wrapped under the key that was destroyed", err, keys.ErrCorrupt)
	must[[]byte](t)(s.Unwrap(ctx, "destroy-not", kept, nil))
}
