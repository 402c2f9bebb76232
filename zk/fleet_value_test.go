package zk

import (
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

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
