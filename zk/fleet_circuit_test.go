package zk

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func TestFleetForgeryStartsHonest(t *testing.T) {
	f := fleetForged()
	if err := f.solve(without(t, "fleet")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{1, 1, 0, 1}, []any{f.Holds[0], f.Holds[1], f.Holds[2], f.Holds[3]}); diff != "" {
		t.Error(diff)
	}
	for _, tag := range []verify.OutputTag{verify.ChunkOutput, verify.FleetOutput} {
		if o := f.openings[0]; permuted(tag.Element(), o) != o.Commit(tag) {
			t.Errorf("%s: native output differs", tag)
		}
	}
	f.tags[0], f.Folded = verify.FleetOutput.Element(), 1
	f.settle()
	if err := f.solve(without(t, "fleet")); err != nil {
		t.Fatalf("folding: %v", err)
	}
	if err := newFleetForgery().solve(without(t, "fleet")); err != nil {
		t.Fatalf("no inputs: %v", err)
	}
}

// reopen changes what an input is said to open to, and everything that follows
// but the input.
func (f *fleetForgery) reopen(k int, change func(o *verify.Output)) {
	input := f.Inputs[k]
	change(&f.openings[k])
	f.settle()
	f.Inputs[k] = input
}

func TestFleetRefusesForgedOpenings(t *testing.T) {
	more := map[string]func(f *fleetForgery, o *verify.Output){
		"count": func(f *fleetForgery, o *verify.Output) {
			f.totals[0].Count++
			increase(&o.First, 1<<statement.CountBits)
		},
		"value": func(f *fleetForgery, o *verify.Output) {
			f.totals[0].Exact.Add(f.totals[0].Exact, big.NewInt(1))
			increase(&o.Exact, 1)
		},
		"lane sum": func(f *fleetForgery, o *verify.Output) { f.totals[0].Sums[4]++; increase(&o.Second, 1) },
		"salt":     func(_ *fleetForgery, o *verify.Output) { increase(&o.Salt, 1) },
	}
	for name, change := range more {
		t.Run(name, func(t *testing.T) {
			f := fleetForged()
			f.reopen(0, func(o *verify.Output) { change(f, o) })
			fleetRefuses(t, f, "open")
		})
	}
	t.Run("every input", func(t *testing.T) {
		if testing.Short() {
			t.Skip("solves the fleet circuit 64 times")
		}
		for k := range verify.FleetInputs {
			f := fleetForged()
			f.totals[0].Count++
			f.reopen(k, func(o *verify.Output) { increase(&o.First, 1<<statement.CountBits) })
			if err := f.solve(without(t, "fleet")); err == nil {
				t.Errorf("the circuit accepts a forged opening of input %d", k)
			}
		}
	})
	t.Run("unused input that is not zero", func(t *testing.T) {
		f := fleetForged()
		f.totals[0].Population++
		f.reopen(40, func(o *verify.Output) { increase(&o.First, 1) })
		if f.Inputs[40] != verify.UnusedInput() {
			t.Error("the input is not the pinned constant")
		}
		fleetRefuses(t, f, "open")
	})
}

// TestFleetRefusesWrongTag gives outputs of one kind for those of the other.
func TestFleetRefusesWrongTag(t *testing.T) {
	chunk, fleet := verify.ChunkOutput.Element(), verify.FleetOutput.Element()
	for _, c := range []struct {
		name   string
		at     int
		tag    fr.Element
		folded int
	}{
		{"chunk output as the step before", 0, chunk, 1},
		{"fleet output as a chunk", 0, fleet, 0},
		{"fleet output as a chunk, in another place", 40, fleet, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fleetForged()
			f.tags[c.at], f.Folded = c.tag, c.folded
			f.settle()
			fleetRefuses(t, f, "open")
		})
	}
	t.Run("folded twice", func(t *testing.T) {
		f := fleetForged()
		f.tags[0].Double(&fleet).Sub(&f.tags[0], &chunk)
		f.Folded = 2
		f.settle()
		fleetRefuses(t, f, "open boolean")
	})
}

func TestFleetRefusesForgedOutput(t *testing.T) {
	f := fleetForged()
	f.Output = uniform()
	fleetRefuses(t, f, "Define")
	f = fleetForged()
	f.Salt = uniform()
	fleetRefuses(t, f, "Define")
}

func TestFleetRefusesForgedClaims(t *testing.T) {
	for i := range statement.MaxClaims {
		t.Run(fmt.Sprintf("claim %d turned round", i), func(t *testing.T) {
			f := fleetForged()
			f.Holds[i] = 1 - f.Holds[i].(int)
			fleetRefuses(t, f, "claim")
		})
		t.Run(fmt.Sprintf("result %d of 2", i), func(t *testing.T) {
			f := fleetForged()
			f.claims[i] = claim(100, map[int]int64{statement.Count: 1})
			f.settle()
			f.Holds[i] = 2
			fleetRefuses(t, f, "claim boolean")
		})
	}
	t.Run("off by one", func(t *testing.T) {
		for _, c := range []struct {
			bound int64
			holds int
		}{{122, 1}, {123, 1}, {124, 0}} {
			f := fleetForged()
			f.claims[0].B = big.NewInt(c.bound)
			f.settle()
			if err := f.solve(without(t, "fleet")); err != nil || f.Holds[0] != c.holds {
				t.Errorf("123 ≥ %d: got %v, %v, want %d", c.bound, f.Holds[0], err, c.holds)
			}
			f.Holds[0] = 1 - c.holds
			fleetRefuses(t, f, "claim")
		}
	})
	t.Run("wrapped around", func(t *testing.T) {
		limit := new(big.Int).Lsh(big.NewInt(1), statement.ClaimBits)
		for name, bound := range map[string]*big.Int{
			"far below every total": new(big.Int).Neg(limit),
			"far above every total": new(big.Int).Add(limit, big.NewInt(200)),
			"half the field away":   new(big.Int).Rsh(fr.Modulus(), 1),
		} {
			for holds := range 2 {
				f := fleetForged()
				f.Bounds[0], f.Holds[0] = bound, holds
				if err := f.solve(without(t, "fleet")); err == nil {
					t.Errorf("%s: the circuit accepts the result %d", name, holds)
				}
			}
		}
	})
}

func TestFleetRefusesForgedDisclosures(t *testing.T) {
	for i := range statement.TotalCount {
		t.Run(fmt.Sprintf("total %d off by one", i), func(t *testing.T) {
			f := fleetForged()
			f.Disclosed[i] = new(big.Int).Add(f.Disclosed[i].(*big.Int), big.NewInt(1))
			fleetRefuses(t, f, "Define")
		})
		t.Run(fmt.Sprintf("total %d shown but not disclosed", i), func(t *testing.T) {
			f := fleetForged()
			f.Disclose[i] = 0
			fleetRefuses(t, f, "Define")
			f.Disclosed[i] = 0
			if err := f.solve(without(t, "fleet")); err != nil {
				t.Errorf("hiding it: %v", err)
			}
		})
	}
}

// TestFleetAssertions counts the circuit's assertions by method and kind.
func TestFleetAssertions(t *testing.T) {
	got := map[string]int{}
	for _, name := range without(t, "fleet").assertions {
		got[name[:strings.LastIndex(name, " ")]]++
	}
	want := map[string]int{
		"open": verify.FleetInputs, "open boolean": 1, "Define": 1 + statement.TotalCount,
		"totals": 2, "totals boolean": 250 + 248,
		"roundDown": 4, "roundDown boolean": 80 + 104 + 104,
		"claim": 4, "claim boolean": 4 * (1 + statement.ClaimBits),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
