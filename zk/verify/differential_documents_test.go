package verify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// TestVerifiersAgreeOnStatements changes statements' texts. It takes no proof, so it can try many more than TestVerifiersAgree.
func TestVerifiersAgreeOnStatements(t *testing.T) {
	v := startSecond(t)
	corpus := readVectors(t, "statements.json", makeStatementVectors)
	accepted := 0
	for i := range uint64(20 * *mutants) {
		number := *mutantsFrom + i
		rng := rand.New(rand.NewPCG(number, 0x57a7e))
		document := respell(rng, pick(rng, corpus).Statement, pick(rng, corpus).Statement)
		want, err := numbersOf(document, commit.Digest{1})
		var got struct {
			Failure verify.Failure `json:"failure"`
			statementNumbers
		}
		if err := v.Ask(map[string]any{"op": "statement", "statement": document, "ledger": commit.Digest{1}}, &got); err != nil {
			t.Fatal(err)
		}
		if failure := map[bool]verify.Failure{true: verify.StatementInvalid}[err != nil]; got.Failure != failure {
			t.Errorf("statement %d: failure is %q here (%v) and %q there:\n%s", number, failure, err, got.Failure, document)
		}
		if err != nil {
			continue
		}
		accepted++
		if diff := cmp.Diff(*want, got.statementNumbers); diff != "" {
			t.Errorf("statement %d: %s\n%s", number, diff, document)
		}
	}
	t.Logf("%d statements, %d accepted", 20**mutants, accepted)
	if *mutants >= 100 && accepted < *mutants {
		t.Errorf("only %d of %d were statements still: the changes are too wild", accepted, 20**mutants)
	}
}

// respell changes a document here and there, seldom beyond recognition.
func respell(rng *rand.Rand, document, other []byte) []byte {
	out := slices.Clone(document)
	for range 1 + rng.IntN(2) {
		if len(out) == 0 {
			return out
		}
		at := rng.IntN(len(out))
		switch rng.IntN(8) {
		case 0:
			out[at] = byte(rng.Uint32())
		case 1:
			out = slices.Concat(out[:at], out[min(at+1, len(out)):])
		case 2:
			out = slices.Insert(out, at, pick(rng, []byte(`0123456789"{}[],:.- aeZ\u<&`)))
		case 3:
			from := rng.IntN(len(other) + 1)
			out = slices.Concat(out[:at], other[from:min(from+rng.IntN(40), len(other))], out[at:])
		default: // another digit or letter in place of one
			for try := 0; try < len(out); try++ {
				c := &out[(at+try)%len(out)]
				if *c >= '0' && *c <= '9' {
					*c = '0' + byte(rng.IntN(10))
					break
				}
			}
		}
	}
	return out
}

// TestVerifiersAgreeOnAttestations changes bytes of attestations.
func TestVerifiersAgreeOnAttestations(t *testing.T) {
	v := startSecond(t)
	vectors := readVectors(t, "attestations.json", makeAttestationVectors)
	srs := srsOf(t, vectors)
	seen := map[verify.Failure]int{}
	for i := range uint64(*mutants) {
		number := *mutantsFrom + i
		rng := rand.New(rand.NewPCG(number, 0xa77e))
		c := pick(rng, vectors.Cases)
		c.Attestation, c.Key = slices.Clone(c.Attestation), slices.Clone(c.Key)
		at := rng.IntN(len(c.Attestation))
		if rng.IntN(2) == 0 {
			at = rng.IntN(12) // the heads and numbers
		}
		c.Attestation[at] ^= 1 << rng.IntN(8)
		if rng.IntN(8) == 0 {
			c.Key[rng.IntN(len(c.Key))] ^= 1 << rng.IntN(8)
		}
		want, err := c.check(srs)
		if got := ask(t, v, attestationQuestion{"attestation", vectors.SRS, c}); got.Failure != want {
			t.Errorf("attestation %d, %s, byte %d: failure is %q here (%v) and %q there (%s)", number, c.Name, at, want, err, got.Failure, got.Why)
		}
		seen[want]++
	}
	t.Log(fmt.Sprint(*mutants, " attestations: ", seen))
}
