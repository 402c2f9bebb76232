package zk

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
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

// TestFleetRefusesOverfullTotals packs more into an input than its places hold.
func TestFleetRefusesOverfullTotals(t *testing.T) {
	t.Run("first", func(t *testing.T) {
		f := fleetForged()
		over := scaled(1, 2*statement.CountBits+verify.FirstSums*statement.SumBits)
		f.openings[1].First.Add(&f.openings[1].First, &over)
		f.settle()
		fleetRefuses(t, f, "totals 0")
	})
	t.Run("second", func(t *testing.T) {
		f := fleetForged()
		over := scaled(1, 4*statement.SumBits)
		f.openings[1].Second.Add(&f.openings[1].Second, &over)
		f.settle()
		fleetRefuses(t, f, "totals 1")
	})
	t.Run("bits that are no bits", func(t *testing.T) {
		f := fleetForged()
		// One device counted in becomes 2^32 devices that reported.
		f.options = []solver.Option{forgedBits(t, 2*statement.CountBits+verify.FirstSums*statement.SumBits, func(bits []*big.Int) {
			bits[statement.CountBits-1].SetInt64(2)
			bits[statement.CountBits].SetInt64(0)
		})}
		f.Disclosed[statement.Population], f.Disclosed[statement.Count] = uint64(180+1<<32), 122
		f.claims = nil
		for i := range f.Holds {
			f.Bounds[i] = -(int64(1) << 40)
		}
		f.Holds[2] = 1
		fleetRefuses(t, f, "totals boolean")
	})
}

// forgedBits changes what the library's hint says about the bits of a number
// that is taken apart into so many of them.
func forgedBits(t *testing.T, count int, change func(bits []*big.Int)) solver.Option {
	t.Helper()
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "std/math/bits.nBits") {
			return solver.OverrideHint(solver.GetHintID(h), func(_ *big.Int, in, out []*big.Int) error {
				for i := range out {
					out[i].SetUint64(uint64(in[0].Bit(i)))
				}
				if len(out) == count {
					change(out)
				}
				return nil
			})
		}
	}
	t.Fatal("the library has no hint for bits")
	return nil
}

// TestFleetRefusesRounding gives the value other than rounded down.
func TestFleetRefusesRounding(t *testing.T) {
	scale := statement.ValueScale()
	for _, c := range []struct {
		name, assertion string
		exact           *big.Int // of all inputs
		up              int64    // by which the value is raised
		leave           bool     // the remainder as it was
	}{
		{"up, the remainder as it was", "roundDown 0", fleetTotals(1).Exact, 1, true},
		{"up, to a negative remainder", "roundDown 2", new(big.Int).Sub(new(big.Int).Lsh(scale, 20), big.NewInt(1)), 1, false},
		{"down, to a remainder of the scale", "roundDown 3", new(big.Int).Lsh(scale, 20), -1, false},
		{"down, to a remainder above the scale", "roundDown 3", fleetTotals(1).Exact, -1, false},
		{"beyond 80 bits", "roundDown 1", new(big.Int).Lsh(scale, statement.ValueBits), 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			total := fleetTotals(1)
			total.Exact = c.exact
			f := newFleetForgery(total)
			value, remainder := new(big.Int).QuoRem(c.exact, scale, new(big.Int))
			value.Add(value, big.NewInt(c.up))
			if !c.leave {
				remainder.Sub(remainder, new(big.Int).Mul(scale, big.NewInt(c.up)))
			}
			f.Value, f.Remainder, f.Disclosed[statement.Value] = value, remainder, value
			fleetRefuses(t, f, c.assertion)
		})
	}
	t.Run("by dividing in the field", func(t *testing.T) {
		f := newFleetForgery(fleetTotals(1))
		var value, divisor fr.Element
		value.SetBigInt(new(big.Int).Sub(fleetTotals(1).Exact, big.NewInt(5)))
		divisor.SetBigInt(scale)
		value.Div(&value, &divisor)
		f.Value, f.Remainder, f.Disclosed[statement.Value] = value, 5, value
		fleetRefuses(t, f, "roundDown 1")
	})
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
