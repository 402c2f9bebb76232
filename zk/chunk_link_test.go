package zk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// TestChunkRefusesOtherRecords keeps the anchored polynomial and changes what
// the circuit is told: whatever differs, the evaluation does too.
func TestChunkRefusesOtherRecords(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, f *forgery){
		"x, a better battery": func(t *testing.T, f *forgery) {
			rec := forgedRecords()[slotPoor]
			rec[1] = 9900
			f.put(slotPoor, rec, honest(t, rec, f.p))
		},
		"x, a battery that did not report": func(t *testing.T, f *forgery) {
			rec := forgedRecords()[slotInside]
			f.put(slotAbsent, rec, honest(t, rec, f.p))
		},
		"x, two slots swapped": func(t *testing.T, f *forgery) {
			f.x[0], f.x[1], f.slots[0], f.slots[1] = f.x[1], f.x[0], f.slots[1], f.slots[0]
			f.settle()
		},
		"r":           func(_ *testing.T, f *forgery) { increase(&f.r[slotInside], 1) },
		"first mask":  func(_ *testing.T, f *forgery) { increase(&f.mask[0], 1) },
		"second mask": func(_ *testing.T, f *forgery) { increase(&f.mask[1], 1) },
	} {
		t.Run(name, func(t *testing.T) {
			f := forged(t)
			f.anchored = f.polynomial()
			change(t, f)
			refused(t, f, "link 1")
		})
	}
}

// TestChunkRefusesOtherParameters proves honestly under another statement.
func TestChunkRefusesOtherParameters(t *testing.T) {
	for name, change := range map[string]func(s *statement.Statement){
		"price":                   func(s *statement.Statement) { s.Valuation.Price = "1234.57" },
		"factor of a knot":        func(s *statement.Statement) { s.Valuation.Curves[0].Knots[1].Factor = "0.550001" },
		"place of a knot":         func(s *statement.Statement) { s.Valuation.Curves[0].Knots[1].At = "79.99" },
		"another knot":            func(s *statement.Statement) { s.Valuation.Curves[1].Knots[1].Factor = "0.9" },
		"lower bound":             func(s *statement.Statement) { s.Cohort[1].Min = "10.1" },
		"upper bound":             func(s *statement.Statement) { s.Cohort[2].Max = "4" },
		"lower bound of a curve":  func(s *statement.Statement) { s.Cohort[0].Min = "60" },
		"upper bound of a curve":  func(s *statement.Statement) { s.Cohort[0].Max = "120" },
		"lane of a curve":         func(s *statement.Statement) { s.Valuation.Curves[1].Lane = "remaining_capacity_mAh" },
		"curves in another order": func(s *statement.Statement) { slices.Reverse(s.Valuation.Curves) },
		"one curve less":          func(s *statement.Statement) { s.Valuation.Curves = s.Valuation.Curves[:1] },
		"no cohort":               func(s *statement.Statement) { s.Cohort = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := forgedStatement()
			change(s)
			f := newForgery(t, forgedRecords(), parameters(t, s))
			f.p = parameters(t, forgedStatement())
			refused(t, f, "link 2")
		})
	}
	t.Run("every number", func(t *testing.T) {
		for i := range statement.VectorSize {
			f := forged(t)
			increase(&f.parameters[i], 1)
			f.bind()
			if err := f.solve(without(t, "chunk")); err == nil {
				t.Errorf("the circuit accepts parameter %d changed", i)
			}
		}
	})
}

func TestChunkRefusesForgedPublicInputs(t *testing.T) {
	for _, c := range []struct {
		name, assertion string
		at              int
	}{
		{"challenge", "link 0", 1}, {"evaluation", "link 1", 2}, {"fingerprint", "link 2", 3}, {"output", "bindTotals 0", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := forged(t)
			f.public = func(v []fr.Element) { increase(&v[c.at], 1) }
			refused(t, f, c.assertion)
		})
	}
}

// TestChunkAssertions lists the circuit's assertions. Each of them has a forgery
// above that nothing else refuses; one that is added needs one of its own.
func TestChunkAssertions(t *testing.T) {
	want := []string{
		"link 0", "link 1", "link 2", "checkLimbs 0",
		"checkRows 0", "checkRows 1", "checkRows 2", "checkRows 3", "checkRows 4", "checkRows 5",
		"checkPicksAreWhole 0", "bindTotals 0",
	}
	if diff := cmp.Diff(want, without(t, "chunk").assertions); diff != "" {
		t.Error(diff)
	}
}

// TestProverRefusesRecord shows that the prover's own code finds no row for a
// record that has none, and names the slot.
func TestProverRefusesRecord(t *testing.T) {
	p := parameters(t, forgedStatement())
	for name, rec := range map[string]record.Record{
		"presence of 2":           {2, 8512, 5300, 900, 41_000, 12, 655, 1},
		"presence 0 with lanes":   {0, 8512, 5300, 900, 41_000, 12, 655, 1},
		"beyond lane 2's limbs":   {1, 8512, 1 << 20, 900, 41_000, 12, 655, 1},
		"beyond lane 1's limbs":   {1, 1 << 30, 5300, 900, 41_000, 12, 655, 1},
		"beyond the last's limbs": {1, 8512, 5300, 900, 41_000, 12, 655, 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			records := forgedRecords()
			records[slotSecond] = rec
			_, _, err := newChunkWitness(records, make([]fr.Element, len(records)), p)
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("slot %d: ", slotSecond)) {
				t.Errorf("got %v, want an error that names slot %d", err, slotSecond)
			}
		})
	}
}
