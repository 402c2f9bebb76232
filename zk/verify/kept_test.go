package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// The proofs in testdata/kept are of every circuit, one file for each constraint system that ever was. What was proven once is verified for ever: a file
// that is there is never written again, and both verifiers take each. -update makes those that the constraint systems of today lack, with this machine's
// keys; the largest takes minutes.
const keptDir = "testdata/kept"

// kept is a valid bundle with all that is needed to verify it.
type kept struct {
	Circuit string                `json:"circuit"` // that it is about
	Keys    []verify.PublishedKey `json:"keys"`
	Facts   *verify.Facts         `json:"facts"`
	Bundle  []byte                `json:"bundle"`
	Verdict json.RawMessage       `json:"verdict"`
}

// keptPath names a file after a circuit and the digest of its constraint system.
func keptPath(circuit string, constraints commit.Digest) string {
	return filepath.Join(keptDir, fmt.Sprintf("%s-%s.json", strings.ReplaceAll(circuit, "/", "-"), constraints.String()[:16]))
}

// keptProofs are all files by name.
func keptProofs(t *testing.T) map[string]kept {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(keptDir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]kept{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var k kept
		if err := json.Unmarshal(b, &k); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out[filepath.Base(path)] = k
	}
	return out
}

// keyOf is the key of the circuit that the file is about.
func (k *kept) keyOf(t *testing.T) *verify.PublishedKey {
	t.Helper()
	i := slices.IndexFunc(k.Keys, func(key verify.PublishedKey) bool { return key.CircuitID == k.Circuit })
	if i < 0 {
		t.Fatalf("no key of %s", k.Circuit)
	}
	return &k.Keys[i]
}

func TestKeptProofs(t *testing.T) {
	seen := map[string]bool{verify.SRSKey: true} // that every proof of a chunk needs
	for name, k := range keptProofs(t) {
		seen[k.Circuit] = true
		t.Run(name, func(t *testing.T) {
			if want := keptPath(k.Circuit, k.keyOf(t).Circuit); filepath.Base(want) != name {
				t.Errorf("named %s, want %s", name, want)
			}
			ring, err := verify.NewKeyring(k.Keys)
			if err != nil {
				t.Fatal(err)
			}
			verdict, err := verify.VerifyBundle(k.Bundle, k.Facts, ring)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(normal(t, k.Verdict), normal(t, marshalJSON(t, verdict))); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, id := range verify.CircuitIDs() {
		if !seen[id] && !*update {
			t.Errorf("no proof of %s is kept", id)
		}
	}
}

// TestKeptProofsAreBound changes a byte of each proof, fact and result of the kept proofs' bundles.
func TestKeptProofsAreBound(t *testing.T) {
	if testing.Short() {
		t.Skip("verifies many proofs")
	}
	for name, k := range keptProofs(t) {
		t.Run(name, func(t *testing.T) {
			ring, err := verify.NewKeyring(k.Keys)
			if err != nil {
				t.Fatal(err)
			}
			refused := func(change string, raw []byte, facts *verify.Facts) {
				t.Helper()
				if _, err := verify.VerifyBundle(raw, facts, ring); err == nil {
					t.Errorf("%s: accepted", change)
				}
			}
			for i := range 24 {
				raw := bytes.Clone(k.Bundle)
				raw[i*len(raw)/24] ^= 1
				refused(fmt.Sprintf("byte %d", i*len(raw)/24), raw, k.Facts)
			}
			for change, do := range map[string]func(f *verify.Facts){
				"ledger": func(f *verify.Facts) { f.Ledger[31] ^= 1 },
				"chunk":  func(f *verify.Facts) { f.Chunks[len(f.Chunks)-1].Index++ },
				"anchor": func(f *verify.Facts) { p := generatorTimes(5); b := p.Bytes(); f.Chunks[0].Commitment = b[:] },
			} {
				facts := cloned(t, k.Facts)
				do(facts)
				refused(change, k.Bundle, facts)
			}
		})
	}
}

func TestSecondVerifierOnKeptProofs(t *testing.T) {
	v := startSecond(t)
	for name, k := range keptProofs(t) {
		t.Run(name, func(t *testing.T) {
			got := ask(t, v, asking{"bundle", k.Bundle, k.Facts, k.Keys})
			if got.Failure != "" {
				t.Fatalf("failure is %q (%s)", got.Failure, got.Why)
			}
			if diff := cmp.Diff(normal(t, k.Verdict), normal(t, got.Verdict)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestKeepProofs makes what is missing with -update. Without, it sees that proofs of today's constraint systems are kept: those of the smallest chunks and
// the fleet stand for the others, which are made by the same code.
func TestKeepProofs(t *testing.T) {
	l := proven(t)
	for _, size := range commit.Sizes {
		if size > 64 && !*update {
			continue
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			keep(t, l, verify.ChunkCircuit(uint32(size)), size, func() []*zk.Chunk { return []*zk.Chunk{bigChunk(3, size)} })
		})
	}
	t.Run("fleet", func(t *testing.T) {
		keep(t, l, verify.FleetCircuit, 64, func() (many []*zk.Chunk) {
			for i := range verify.FleetInputs + 1 { // two proofs, of which one folds the other
				many = append(many, newChunk(uint32(2*i)))
			}
			return many
		})
	})
}

func keep(t *testing.T, l *lending, circuit string, size int, chunks func() []*zk.Chunk) {
	t.Helper()
	published, err := l.keys.Published(size)
	if err != nil {
		t.Fatal(err)
	}
	k := kept{Circuit: circuit, Keys: published}
	path := keptPath(circuit, k.keyOf(t).Circuit)
	if _, err := os.Stat(path); err == nil {
		return
	} else if !*update || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v; make it with -update", err)
	}
	fleet := l.other(t, "battery/v1", chunks()...)
	b, _, err := fleet.prove(&cheat{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		t.Fatal(err)
	}
	k.Facts, k.Bundle = fleet.facts, marshalled(t, b)
	verdict, err := verify.VerifyBundle(k.Bundle, k.Facts, ring)
	if err != nil {
		t.Fatal(err)
	}
	k.Verdict = marshalJSON(t, verdict)
	if err := os.MkdirAll(keptDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(marshalJSON(t, k), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
