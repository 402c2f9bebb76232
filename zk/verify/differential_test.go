package verify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/verify"
)

var (
	mutants     = flag.Int("mutants", 100, "how many changed bundles the two verifiers are held against each other with")
	mutantsFrom = flag.Uint64("mutants-from", 0, "the first of them; a mutant is always the same under its number, for the same vectors")
)

// mutant is something to verify that was valid once.
type mutant struct {
	rng    *rand.Rand
	bundle []byte
	facts  *verify.Facts
	keys   []verify.PublishedKey
	done   []string // what was changed
}

// mutations change one thing each, not all of them to something invalid.
var mutations = []struct {
	weight int
	change func(t *testing.T, m *mutant)
}{
	{4, mutateBytes}, {6, mutateProof}, {4, mutateEncoding}, {4, mutateStatement}, {3, mutateResults}, {4, mutateFacts}, {3, mutateKeys}, {2, mutateOrder},
}

// TestVerifiersAgree changes valid bundles, statements, facts and keys and asks both verifiers. They give the same failure or the same verdict for each.
func TestVerifiersAgree(t *testing.T) {
	v := startSecond(t)
	corpus := readVectors(t, "bundles.json", makeBundleVectors)
	var seeds []bundleVector
	for _, c := range corpus.Cases {
		if c.Failure == "" && len(c.Bundle) < 5000 { // not the long chain, which takes the second verifier long
			seeds = append(seeds, c)
		}
	}
	seen := map[verify.Failure]int{}
	for i := range uint64(*mutants) {
		number := *mutantsFrom + i
		m := newMutant(t, number, corpus, seeds)
		failure, verdict := m.verify(t)
		got := ask(t, v, asking{"bundle", m.bundle, m.facts, m.keys})
		if got.Failure != failure {
			t.Errorf("mutant %d (%s): the failure is %q here and %q there (%s)", number, strings.Join(m.done, ", "), failure, got.Failure, got.Why)
		} else if failure == "" {
			if diff := cmp.Diff(normal(t, verdict), normal(t, got.Verdict)); diff != "" {
				t.Errorf("mutant %d (%s): %s", number, strings.Join(m.done, ", "), diff)
			}
		}
		seen[failure]++
	}
	t.Logf("%d mutants: %v", *mutants, seen)
	if *mutants >= 100 && len(seen) < 10 {
		t.Errorf("only %d outcomes among %d mutants: they are too much alike", len(seen), *mutants)
	}
}

func newMutant(t *testing.T, number uint64, corpus bundleVectors, seeds []bundleVector) *mutant {
	rng := rand.New(rand.NewPCG(number, 0xa55a))
	c := seeds[rng.IntN(len(seeds))]
	m := &mutant{rng: rng, bundle: bytes.Clone(c.Bundle), facts: cloned(t, corpus.Facts[c.Facts]), keys: append([]verify.PublishedKey{}, corpus.Keys[c.Keys]...), done: []string{c.Name}}
	total := 0
	for _, mutation := range mutations {
		total += mutation.weight
	}
	for range 1 + rng.IntN(2) {
		at := rng.IntN(total)
		for _, mutation := range mutations {
			if at -= mutation.weight; at < 0 {
				mutation.change(t, m)
				break
			}
		}
	}
	return m
}

// verify is this package's outcome.
func (m *mutant) verify(t *testing.T) (verify.Failure, json.RawMessage) {
	t.Helper()
	ring, err := verify.NewKeyring(m.keys)
	if err == nil {
		var verdict *verify.Verdict
		if verdict, err = verify.VerifyBundle(m.bundle, m.facts, ring); err == nil {
			return "", marshalJSON(t, verdict)
		}
	}
	failure := verify.FailureOf(err)
	if failure == "" {
		t.Errorf("%s: an error without a name: %v", strings.Join(m.done, ", "), err)
	}
	return failure, nil
}

func (m *mutant) did(what string) { m.done = append(m.done, what) }

// parsed is the bundle, if earlier changes left one.
func (m *mutant) parsed() *verify.Bundle {
	b, err := verify.ParseBundle(m.bundle)
	if err != nil {
		return nil
	}
	return b
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
