package verify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// The vectors in testdata/vectors are made with -update from proofs of this machine's setup, and are read by every
// verifier that follows zk/SPEC.md. They carry the keys that they need, so those that were made once verify anywhere and
// for ever: when a circuit changes, its old vectors stay beside the new ones, under another name.
const vectorsDir = "testdata/vectors"

// bundleVectors are bundles with facts and keys, each of which is named once.
type bundleVectors struct {
	Keys  map[string][]verify.PublishedKey `json:"keys"`
	Facts map[string]*verify.Facts         `json:"facts"`
	Cases []bundleVector                   `json:"cases"`
}

type bundleVector struct {
	Name   string `json:"name"`
	Bundle []byte `json:"bundle"`
	Facts  string `json:"facts"`
	Keys   string `json:"keys"`
	// Failure is empty for a valid bundle, which has a verdict.
	Failure verify.Failure  `json:"failure"`
	Verdict json.RawMessage `json:"verdict,omitempty"`
}

// keyVector is a list of keys that is accepted or not.
type keyVector struct {
	Name    string                `json:"name"`
	Keys    []verify.PublishedKey `json:"keys"`
	Failure verify.Failure        `json:"failure"`
}

// made are the files that this run has made already; several tests read each.
var made = map[string]bool{}

// readVectors reads a file of vectors, making it first if that is asked for.
func readVectors[T any](t *testing.T, name string, maker func(t *testing.T) T) T {
	t.Helper()
	path := filepath.Join(vectorsDir, name)
	if *update && maker != nil && !made[name] {
		made[name] = true
		b, err := json.MarshalIndent(maker(t), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// TestBundleVectors verifies every bundle of the vectors.
func TestBundleVectors(t *testing.T) {
	if testing.Short() {
		t.Skip("verifies many proofs")
	}
	v := readVectors(t, "bundles.json", makeBundleVectors)
	rings := map[string]*verify.Keyring{}
	for name, keys := range v.Keys {
		var err error
		if rings[name], err = verify.NewKeyring(keys); err != nil {
			t.Fatalf("keys %s: %v", name, err)
		}
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			verdict, err := verify.VerifyBundle(c.Bundle, v.Facts[c.Facts], rings[c.Keys])
			checkOutcome(t, c.Failure, err)
			if err != nil {
				return
			}
			if diff := cmp.Diff(normal(t, c.Verdict), normal(t, marshalJSON(t, verdict))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestKeyVectors parses every key of the vectors.
func TestKeyVectors(t *testing.T) {
	if testing.Short() && *update {
		t.Skip("needs keys")
	}
	for _, c := range readVectors(t, "keys.json", makeKeyVectors) {
		t.Run(c.Name, func(t *testing.T) {
			_, err := verify.NewKeyring(c.Keys)
			checkOutcome(t, c.Failure, err)
		})
	}
}

// TestEveryFailureHasAVector holds the list of names against the vectors, and every name against its error.
func TestEveryFailureHasAVector(t *testing.T) {
	seen := map[verify.Failure]bool{}
	for _, c := range readVectors[bundleVectors](t, "bundles.json", nil).Cases {
		seen[c.Failure] = true
	}
	for _, c := range readVectors[[]keyVector](t, "keys.json", nil) {
		seen[c.Failure] = true
	}
	for _, f := range verify.Failures() {
		if !seen[f] {
			t.Errorf("no vector fails with %q", f)
		}
		delete(seen, f)
	}
	delete(seen, "")
	for f := range seen {
		t.Errorf("a vector fails with %q, which is not listed", f)
	}
}

func TestFailureOfOtherErrors(t *testing.T) {
	if f := verify.FailureOf(nil); f != "" {
		t.Errorf("no error has the failure %q", f)
	}
	if f := verify.FailureOf(os.ErrNotExist); f != "" {
		t.Errorf("an error from elsewhere has the failure %q", f)
	}
	if all := verify.Failures(); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Error("a failure is listed twice")
	}
}

func TestCeremonySetup(t *testing.T) {
	transcript := commit.Digest{1, 2, 3}
	for setup, known := range map[string]bool{
		verify.CeremonySetup(transcript):             true,
		verify.CeremonySetup(commit.Digest{}):        false,
		"ceremony:":                                  false,
		"ceremony:" + transcript.String()[:62]:       false,
		"ceremony:" + transcript.String() + "00":     false,
		"Ceremony:" + transcript.String():            false,
		"ceremony:" + "FF" + transcript.String()[2:]: false,
	} {
		key := madeUpKeys(t)[1]
		err := verify.CheckKey(verify.NewPublishedKey(key.CircuitID, setup, key.Key))
		if (err == nil) != known || !known && verify.FailureOf(err) != verify.KeySetup {
			t.Errorf("setup %q: %v", setup, err)
		}
	}
}

func checkOutcome(t *testing.T, want verify.Failure, err error) {
	t.Helper()
	if got := verify.FailureOf(err); got != want || (err == nil) != (want == "") {
		t.Errorf("failure is %q (%v), want %q", got, err, want)
	}
}

func marshalJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// normal is JSON without its layout, numbers as they are written.
func normal(t *testing.T, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
