package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// The transcript of a key ceremony is package transcript's. A third party's verifier may be given one, so its vectors are beside the others.

// ceremonyVector is a transcript file, and what it says.
type ceremonyVector struct {
	Name       string          `json:"name"`
	Transcript []byte          `json:"transcript"`
	Failure    verify.Failure  `json:"failure"`
	Record     json.RawMessage `json:"record,omitempty"`
}

// check is the failure, with the error behind it, or the record.
func (v *ceremonyVector) check(t *testing.T) (json.RawMessage, verify.Failure, error) {
	t.Helper()
	file, err := transcript.ParseFile(v.Transcript)
	if err == nil {
		var record *transcript.Record
		if record, err = file.Check(); err == nil {
			return recordJSON(t, record), "", nil
		}
	}
	var refusal *transcript.Refusal
	if !errors.As(err, &refusal) {
		t.Errorf("%s: an error without a name: %v", v.Name, err)
		return nil, "", err
	}
	return nil, verify.Failure(refusal.Fault), err
}

// recordJSON is the record as section 13.5 of zk/SPEC.md has it: what a cache folder holds is nothing that a file says.
func recordJSON(t *testing.T, r *transcript.Record) json.RawMessage {
	t.Helper()
	type key struct {
		CircuitID string        `json:"circuit_id"`
		Setup     string        `json:"setup"`
		Digest    commit.Digest `json:"digest"`
		Source    commit.Digest `json:"source"`
	}
	out := struct {
		*transcript.Record
		Keys []key `json:"keys"`
	}{r, []key{}}
	for _, k := range r.Keys {
		out.Keys = append(out.Keys, key{k.CircuitID, k.Setup, k.Digest, k.Source})
	}
	return marshalJSON(t, out)
}

// ceremonyFailures are those that a transcript file can have.
var ceremonyFailures = []transcript.Fault{
	transcript.Length, transcript.Encoding, transcript.Truncated, transcript.OtherCeremony, transcript.OtherPart, transcript.Order, transcript.Late,
	transcript.WrongContributor, transcript.Signature, transcript.TooFew, transcript.BeaconUnfit, transcript.Key,
}

func TestCeremonyVectors(t *testing.T) {
	seen := map[verify.Failure]bool{}
	for _, c := range readVectors(t, "ceremonies.json", makeCeremonyVectors) {
		seen[c.Failure] = true
		t.Run(c.Name, func(t *testing.T) {
			record, failure, err := c.check(t)
			if failure != c.Failure {
				t.Fatalf("failure is %q (%v), want %q", failure, err, c.Failure)
			}
			if failure != "" {
				return
			}
			if diff := cmp.Diff(normal(t, c.Record), normal(t, record)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, f := range ceremonyFailures {
		if !seen[verify.Failure(f)] {
			t.Errorf("no vector fails with %q", f)
		}
		delete(seen, verify.Failure(f))
	}
	if delete(seen, ""); len(seen) > 0 {
		t.Errorf("vectors fail with %v, which are not listed", seen)
	}
}

type ceremonyQuestion struct {
	Op   string `json:"op"`
	File []byte `json:"file"`
}

type ceremonyAnswer struct {
	Failure verify.Failure  `json:"failure"`
	Why     string          `json:"why"`
	Record  json.RawMessage `json:"record"`
}

func TestSecondVerifierOnCeremonyVectors(t *testing.T) {
	v := startSecond(t)
	vectors := readVectors(t, "ceremonies.json", makeCeremonyVectors)
	long := ceremonyVector{Name: "longer than a file may be", Transcript: bytes.Repeat([]byte{' '}, transcript.MaxFile+1), Failure: verify.Failure(transcript.Length)}
	for _, c := range append(vectors, long) {
		t.Run(c.Name, func(t *testing.T) {
			if _, failure, err := c.check(t); failure != c.Failure {
				t.Errorf("failure is %q here (%v), want %q", failure, err, c.Failure)
			}
			var got ceremonyAnswer
			if err := v.Ask(ceremonyQuestion{"ceremony", c.Transcript}, &got); err != nil {
				t.Fatal(err)
			}
			if got.Failure != c.Failure {
				t.Fatalf("failure is %q (%s), want %q", got.Failure, got.Why, c.Failure)
			}
			if c.Failure != "" {
				return
			}
			if diff := cmp.Diff(normal(t, c.Record), normal(t, got.Record)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
