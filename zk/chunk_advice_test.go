package zk

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func TestChunkRefusesForgedLimbs(t *testing.T) {
	forgedLimbs(t, forged)
	t.Run("every limb of a slot", func(t *testing.T) {
		for i := range slotLimbs {
			f := forged(t)
			increase(&f.limbs[slotInside*slotLimbs+i], 1)
			f.countUses()
			if err := f.solve(without(t, "chunk")); err == nil {
				t.Errorf("the circuit accepts a change of limb %d", i)
			}
		}
	})
}

func TestLargeChunkRefusesForgedLimbs(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and solves circuits for 1,024 slots")
	}
	records := slices.Repeat(forgedRecords(), largeSlots/forgedSlots)
	honest := newForgery(t, records, parameters(t, forgedStatement()))
	if err := honest.solve(without(t, "large chunk")); err != nil {
		t.Fatal(err)
	}
	forgedLimbs(t, func(t *testing.T) *forgery { return newForgery(t, records, honest.p) })
}

func forgedLimbs(t *testing.T, forged func(t *testing.T) *forgery) {
	for name, c := range map[string]struct {
		slot  int
		first int64
	}{
		"limb of 1024":                          {slotInside, tableSize},
		"negative limb made up for by the next": {slotCorner, -tableSize},
	} {
		t.Run(name, func(t *testing.T) {
			f := forged(t)
			at := c.slot*slotLimbs + atLower + laneStart(4)
			increase(&f.limbs[at], c.first)
			increase(&f.limbs[at+1], -c.first/tableSize)
			f.countUses()
			refused(t, f, "checkLimbs 0")
		})
	}
	t.Run("uses", func(t *testing.T) {
		f := forged(t)
		increase(&f.uses[7], 1)
		refused(t, f, "checkLimbs 0")
		increase(&f.uses[8], -1)
		refused(t, f, "checkLimbs 0")
	})
	t.Run("use of the last value", func(t *testing.T) {
		f := forged(t)
		increase(&f.uses[tableSize-1], 1)
		refused(t, f, "checkLimbs 0")
	})
}

// TestChunkRefusesSplitPick moves part of a curve lane's offset from the pick,
// which is valued, to the lane's fixed limbs, which are only added up.
func TestChunkRefusesSplitPick(t *testing.T) {
	for c, lane := range []int{1, 3} {
		t.Run(fmt.Sprintf("curve %d", c), func(t *testing.T) {
			f := forged(t)
			f.slots[slotInside].pick[c] -= 5
			f.slots[slotInside].lower[lane] += 5
			f.settle()
			refused(t, f, "checkPicksAreWhole 0")
		})
	}
	t.Run("all of it", func(t *testing.T) {
		f := forged(t)
		a := &f.slots[slotInside]
		a.pick[0], a.lower[1] = 0, a.pick[0]
		f.settle()
		refused(t, f, "checkPicksAreWhole 0")
	})
	t.Run("made up for in another slot", func(t *testing.T) {
		f := forged(t)
		f.slots[slotInside].pick[0] -= 5
		f.slots[slotInside].lower[1] += 5
		f.slots[slotSecond].pick[0] += 5
		f.slots[slotSecond].lower[1] -= 5
		f.settle()
		refused(t, f, "checkLimbs 0")
	})
	t.Run("made up for in the other curve's lane", func(t *testing.T) {
		f := forged(t)
		f.slots[slotInside].pick[0] -= 5
		f.slots[slotInside].lower[1] += 5
		f.slots[slotInside].pick[1] += 5
		f.slots[slotInside].lower[3] -= 5
		f.settle()
		refused(t, f, "checkLimbs 0")
	})
}

// TestChunkRefusesForgedRowSums changes each of the six sums of rows of every
// kind; each has an assertion of its own.
func TestChunkRefusesForgedRowSums(t *testing.T) {
	names := [rowSums]string{"count", "first pick", "second pick", "product", "first sums", "second sums"}
	rows := map[string]func(f *forgery) int{
		"box row":            func(f *forgery) int { return f.slots[slotInside].row },
		"row above":          func(f *forgery) int { return f.slots[slotFaulty].row },
		"row below":          func(f *forgery) int { return f.slots[slotPoor].row },
		"absent row":         func(*forgery) int { return absentRow },
		"row that none uses": func(*forgery) int { return belowRow + 5 },
	}
	for kind, row := range rows {
		for k, name := range names {
			t.Run(kind+"/"+name, func(t *testing.T) {
				f := forged(t)
				increase(&f.rows[row(f)*rowSums+k], 1)
				f.bind()
				refused(t, f, fmt.Sprintf("checkRows %d", k))
			})
		}
	}
	for k, name := range names {
		t.Run("moved to a dearer row/"+name, func(t *testing.T) {
			f := forged(t)
			increase(&f.rows[f.slots[slotInside].row*rowSums+k], -1)
			increase(&f.rows[f.slots[slotSecond].row*rowSums+k], 1)
			f.bind()
			refused(t, f, fmt.Sprintf("checkRows %d", k))
		})
	}
}

// TestChunkRefusesCompensatingRows gives rows that no record can use sums that
// cancel. Rows with equal corners would let them: then the lookup sees only
// their total. The parameters of a statement never have such rows, and others
// are refused.
func TestChunkRefusesCompensatingRows(t *testing.T) {
	const first, second = 6, 7 // segments that the first curve does not have
	cancel := func(f *forgery) {
		increase(&f.rows[boxRow(0, first, 0)*rowSums+rowCount], 1000)
		increase(&f.rows[boxRow(0, second, 0)*rowSums+rowCount], -1000)
		f.bind()
	}
	t.Run("rows that do not exist", func(t *testing.T) {
		f := forged(t)
		cancel(f)
		refused(t, f, "checkRows 0")
	})
	t.Run("rows made equal", func(t *testing.T) {
		f := forged(t)
		for _, column := range []int{segStart, segEnd} {
			at := statement.AtSegments + column*statement.MaxSegments
			f.parameters[at+second] = f.parameters[at+first]
		}
		increase(&f.parameters[statement.AtSegments+segBase*statement.MaxSegments+first], 1<<40)
		cancel(f)
		refused(t, f, "link 2")
	})
}

// TestChunkRefusesForgedTotals changes what the output commits to.
func TestChunkRefusesForgedTotals(t *testing.T) {
	lanes := func(o *verify.Output, i int) *fr.Element {
		if i <= verify.FirstSums {
			return &o.First
		}
		return &o.Second
	}
	forgeries := map[string]func(o *verify.Output){
		"population":        func(o *verify.Output) { increase(&o.First, 1) },
		"count":             func(o *verify.Output) { increase(&o.First, 1<<statement.CountBits) },
		"value up one unit": func(o *verify.Output) { increase(&o.Exact, 1) },
		"value rounded up": func(o *verify.Output) {
			v, scale := o.Exact.BigInt(new(big.Int)), statement.ValueScale()
			v.Add(v.Quo(v, scale), big.NewInt(1)).Mul(v, scale)
			o.Exact.SetBigInt(v)
		},
		"salt": func(o *verify.Output) { increase(&o.Salt, 1) },
	}
	for i := 1; i < record.Lanes; i++ {
		forgeries[fmt.Sprintf("sum of lane %d", i)] = func(o *verify.Output) {
			at := 2*statement.CountBits + statement.SumBits*(i-1)
			if i > verify.FirstSums {
				at = statement.SumBits * (i - 1 - verify.FirstSums)
			}
			one := scaled(1, at)
			lanes(o, i).Add(lanes(o, i), &one)
		}
	}
	for name, change := range forgeries {
		t.Run(name, func(t *testing.T) {
			f := forged(t)
			o := f.totals()
			change(&o)
			f.output = o.Commit(verify.ChunkOutput)
			refused(t, f, "bindTotals 0")
		})
	}
	t.Run("as a fleet's output", func(t *testing.T) {
		f := forged(t)
		o := f.totals()
		f.output = o.Commit(verify.FleetOutput)
		refused(t, f, "bindTotals 0")
	})
}
