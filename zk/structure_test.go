package zk

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// maxPerBattery is what the chunk circuit may cost for each slot at 1,024 slots.
const maxPerBattery = 60

// TestConstraintCounts compares the circuits' sizes to testdata/counts.json;
// -update writes it.
func TestConstraintCounts(t *testing.T) {
	path := filepath.Join("testdata", "counts.json")
	want := map[string]int{}
	if b, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
	} else if !*update {
		t.Fatal(err)
	}
	got := map[string]int{"fleet": compiledFleet(t).GetNbConstraints()}
	for _, n := range commit.Sizes {
		name := fmt.Sprintf("chunk-%d", n)
		if testing.Short() && n > 256 {
			got[name] = want[name]
			continue
		}
		got[name] = compiledChunk(t, n).GetNbConstraints()
	}
	if perBattery := float64(got["chunk-1024"]) / 1024; perBattery > maxPerBattery {
		t.Errorf("%.1f constraints for each battery at 1,024 slots, at most %d", perBattery, maxPerBattery)
	}
	if diff := cmp.Diff(want, got); diff != "" && !*update {
		t.Errorf("counts changed; -update accepts them:\n%s", diff)
	}
	if *update && !testing.Short() {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var compiledChunks = map[int]*cs.R1CS{}

func compiledChunk(t *testing.T, n int) *cs.R1CS {
	t.Helper()
	if compiledChunks[n] == nil {
		system, err := CompileChunk(n)
		if err != nil {
			t.Fatal(err)
		}
		compiledChunks[n] = system
	}
	return compiledChunks[n]
}

func compiledFleet(t *testing.T) *cs.R1CS {
	t.Helper()
	system, err := CompileFleet()
	if err != nil {
		t.Fatal(err)
	}
	return system
}

// Wires 0 to 5 are the constant and the public inputs; the secret ones follow
// in the order of the circuit's fields.
const firstSecret = 6

// TestCommitmentsCover checks which wires the two in-circuit commitments cover:
// a challenge says nothing about a value that its commitment leaves out.
func TestCommitmentsCover(t *testing.T) {
	const n = 64
	system := compiledChunk(t, n)
	info := system.CommitmentInfo.(constraint.Groth16Commitments)
	if len(info) != 2 {
		t.Fatalf("%d commitments, want 2", len(info))
	}
	linked := 2*n + 2 + 1 + statement.VectorSize
	lookup := 1 + n*slotLimbs + tableSize + tableRows*rowSums
	from := firstSecret
	for i, c := range []struct {
		name   string
		values int
		public []int
	}{
		{"link: cd, x, r, masks, blind, parameters", linked, []int{1}},
		{"lookups: the link's challenge, blind, limbs, uses, rows", lookup, []int{info[0].CommitmentIndex}},
	} {
		want := make([]int, 0, c.values+1)
		for w := range c.values {
			want = append(want, from+w)
		}
		from += c.values
		got := info[i].PrivateCommitted
		if len(got) != c.values+1 {
			t.Errorf("%s: %d values committed to, want %d and the builder's mask", c.name, len(got), c.values)
			continue
		}
		if diff := cmp.Diff(want, got[:c.values]); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if mask := got[c.values]; mask < firstSecret+system.GetNbSecretVariables() {
			t.Errorf("%s: the last value, wire %d, is an input, not the builder's mask", c.name, mask)
		}
		if diff := cmp.Diff(c.public, info[i].PublicAndCommitmentCommitted); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if left := firstSecret + system.GetNbSecretVariables() - from; left != 1 {
		t.Errorf("%d secret inputs are in no commitment, want the salt only", left)
	}
}

// TestEveryInputIsConstrained looks for inputs and committed wires that occur
// in no constraint: a committed one masks and binds nothing, a public one is
// bound by nothing, and the key has the point at infinity in its place.
func TestEveryInputIsConstrained(t *testing.T) {
	systems := map[string]*cs.R1CS{"fleet": compiledFleet(t)}
	for _, n := range commit.Sizes {
		if testing.Short() && n > 256 {
			continue
		}
		systems[fmt.Sprintf("chunk-%d", n)] = compiledChunk(t, n)
	}
	for name, system := range systems {
		used := make([]bool, system.GetNbPublicVariables()+system.GetNbSecretVariables()+system.GetNbInternalVariables())
		for it, c := system.GetR1CIterator(), (*constraint.R1C)(nil); ; {
			if c = it.Next(); c == nil {
				break
			}
			for _, l := range []constraint.LinearExpression{c.L, c.R, c.O} {
				for _, term := range l {
					if term.CID != constraint.CoeffIdZero {
						used[term.VID] = true
					}
				}
			}
		}
		inputs := system.GetNbPublicVariables() + system.GetNbSecretVariables()
		for w := range inputs {
			if !used[w] {
				t.Errorf("%s: input wire %d is in no constraint", name, w)
			}
		}
		for i, c := range system.CommitmentInfo.(constraint.Groth16Commitments) {
			for _, w := range c.PrivateCommitted {
				if !used[w] {
					t.Errorf("%s: commitment %d covers wire %d, which is in no constraint", name, i, w)
				}
			}
		}
	}
}

// TestAdviceIsNoHint lists what the solver computes by hints. In the chunk
// circuit these are the commitments and the library's masks alone, so that a
// forged assignment can forge everything else.
func TestAdviceIsNoHint(t *testing.T) {
	for _, c := range []struct {
		system *cs.R1CS
		want   []string
	}{
		{compiledChunk(t, 64), []string{"Bsb22CommitmentComputePlaceholder", "Randomize"}},
		{compiledFleet(t), []string{"nBits"}},
	} {
		got := []string{}
		for _, name := range c.system.MHintsDependencies {
			got = append(got, name[strings.LastIndex(name, ".")+1:])
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestBlindingIsFresh draws two witnesses for one chunk: everything that is
// there to hide is drawn anew and apart from the rest.
func TestBlindingIsFresh(t *testing.T) {
	p := parameters(t, forgedStatement())
	f := forged(t)
	seen := map[[32]byte]bool{}
	for range 2 {
		w, _, err := newChunkWitness(forgedRecords(), f.r, p)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range [...]interface{ Bytes() [32]byte }{&w.mask[0], &w.mask[1], &w.linkBlind, &w.lookupBlind, &w.salt} {
			if seen[v.Bytes()] || v.Bytes() == [32]byte{} {
				t.Errorf("blinding value %d is not fresh", i)
			}
			seen[v.Bytes()] = true
		}
	}
}
