// Package keystest is what every key store must do, as tests. A driver runs all of it:
//
//	func TestConformance(t *testing.T) { keystest.Run(t, func(t testing.TB) keys.Store { … }) }
//
// The function opens one and the same store each time it is called, as a process does that starts again or a second one beside the first.
package keystest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
)

// Opener opens the store under test, once more each time, and has it closed when the test ends.
type Opener func(t testing.TB) keys.Store

// Run runs the whole suite.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Opener)
	}{
		{"Wrap", testWrap},
		{"WrapRefuses", testWrapRefuses},
		{"Tampered", testTampered},
		{"Destroy", testDestroy},
		{"Derive", testDerive},
		{"DeriveBounds", testDeriveBounds},
		{"Signer", testSigner},
		{"SignerRefuses", testSignerRefuses},
		{"Share", testShare},
		{"Kinds", testKinds},
		{"Names", testNames},
		{"AtOnce", testAtOnce},
		{"SharesAtOnce", testSharesAtOnce},
		{"Cancelled", testCancelled},
		{"Closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}

const patience = time.Minute

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Random returns so many random bytes.
func Random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // does not fail
	return b
}

func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantError checks that an error is of one class, or of none if it is nil.
func wantError(t testing.TB, what string, err, class error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, c := range []error{keys.ErrUnavailable, keys.ErrNotFound, keys.ErrDenied, keys.ErrCorrupt} {
		if got, want := errors.Is(err, c), errors.Is(c, class); got != want {
			t.Errorf("%s: %q: errors.Is(%q) is %t", what, err, c, got)
		}
	}
}

func wantBytes(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %d other bytes", what, len(got))
	}
}
