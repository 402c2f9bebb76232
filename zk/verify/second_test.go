package verify_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/second"
)

// theSecond is the program of the second verifier, installed once.
var theSecond = sync.OnceValues(func() (string, error) {
	dir, err := setup.DefaultDir()
	if err != nil {
		return "", err
	}
	return second.Install(context.Background(), dir)
})

func startSecond(t testing.TB) *second.Verifier {
	t.Helper()
	if testing.Short() {
		t.Skip("installs and starts another verifier")
	}
	if t, ok := t.(*testing.T); ok && !*update { // most of the time goes into waiting for it
		t.Parallel()
	}
	program, err := theSecond()
	if err != nil {
		t.Fatal(err)
	}
	v, err := second.Start(context.Background(), program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// asking is a request of the second verifier's about a bundle or keys.
type asking struct {
	Op     string                `json:"op"`
	Bundle []byte                `json:"bundle"`
	Facts  *verify.Facts         `json:"facts,omitempty"`
	Keys   []verify.PublishedKey `json:"keys"`
}

type outcome struct {
	Failure verify.Failure  `json:"failure"`
	Why     string          `json:"why"`
	Verdict json.RawMessage `json:"verdict"`
}

func ask(t *testing.T, v *second.Verifier, request any) outcome {
	t.Helper()
	var out outcome
	if err := v.Ask(request, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSecondVerifierOnBundleVectors(t *testing.T) {
	v := startSecond(t)
	vectors := readVectors(t, "bundles.json", makeBundleVectors)
	for _, c := range vectors.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got := ask(t, v, asking{"bundle", c.Bundle, vectors.Facts[c.Facts], vectors.Keys[c.Keys]})
			if got.Failure != c.Failure {
				t.Errorf("failure is %q (%s), want %q", got.Failure, got.Why, c.Failure)
			}
			if c.Failure == "" && got.Failure == "" {
				if diff := cmp.Diff(normal(t, c.Verdict), normal(t, got.Verdict)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestSecondVerifierOnKeyVectors(t *testing.T) {
	v := startSecond(t)
	for _, c := range readVectors(t, "keys.json", makeKeyVectors) {
		t.Run(c.Name, func(t *testing.T) {
			if got := ask(t, v, asking{Op: "keys", Keys: c.Keys}); got.Failure != c.Failure {
				t.Errorf("failure is %q (%s), want %q", got.Failure, got.Why, c.Failure)
			}
		})
	}
}

// hexBytes are bytes as the second verifier writes those of no fixed length.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}
