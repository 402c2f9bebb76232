package zk

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func mul(a, b fr.Element) fr.Element { return *a.Mul(&a, &b) }

func (f *forgery) row(r, sum int) fr.Element { return f.rows[r*rowSums+sum] }

func (f *forgery) segment(curve, column, j int) fr.Element {
	return f.parameters[statement.AtSegments+(curve*4+column)*statement.MaxSegments+j]
}

// totals is what the circuit makes of rows and parameters, whatever they are.
func (f *forgery) totals() verify.Output {
	var box [rowSums]fr.Element
	for r := range boxRows {
		for k := range box {
			v := f.row(r, k)
			box[k].Add(&box[k], &v)
		}
	}
	var o verify.Output
	o.Salt = f.salt
	o.First.SetInt64(int64(len(f.x)))
	absent, counted := f.row(absentRow, rowCount), mul(box[rowCount], scaled(1, statement.CountBits))
	o.First.Sub(&o.First, &absent).Add(&o.First, &counted)
	sums := mul(f.laneSums(box, 1, 1+verify.FirstSums, rowFirst), scaled(1, 2*statement.CountBits))
	o.First.Add(&o.First, &sums)
	o.Second = f.laneSums(box, 1+verify.FirstSums, record.Lanes, rowSecond)
	o.Exact = f.value()
	return o
}

func (f *forgery) laneSums(box [rowSums]fr.Element, from, to, rest int) fr.Element {
	packed := func(at int) fr.Element {
		var sum fr.Element
		for i := from; i < to; i++ {
			v := mul(f.parameters[at+i-1], scaled(1, statement.SumBits*(i-from)))
			sum.Add(&sum, &v)
		}
		return sum
	}
	out := box[rest]
	base := mul(box[rowCount], packed(statement.AtBase))
	out.Add(&out, &base)
	for c := range statement.MaxCurves {
		picked := box[rowPick0+c]
		for r := range boxRows {
			j := []int{r / statement.MaxSegments, r % statement.MaxSegments}[c]
			v := mul(f.row(r, rowCount), f.segment(c, segStart, j))
			picked.Add(&picked, &v)
		}
		v := mul(picked, packed(statement.AtSelect+c*(record.Lanes-1)))
		out.Add(&out, &v)
	}
	return out
}

func (f *forgery) value() fr.Element {
	var sum fr.Element
	for r := range boxRows {
		i, j := r/statement.MaxSegments, r%statement.MaxSegments
		b0, s0 := f.segment(0, segBase, i), f.segment(0, segSlope, i)
		b1, s1 := f.segment(1, segBase, j), f.segment(1, segSlope, j)
		for k, coefficient := range map[int]fr.Element{
			rowCount: mul(b0, b1), rowPick0: mul(s0, b1), rowPick1: mul(b0, s1), rowProduct: mul(s0, s1),
		} {
			v := mul(coefficient, f.row(r, k))
			sum.Add(&sum, &v)
		}
	}
	return mul(sum, f.parameters[statement.AtPrice])
}

// forgedStatement has a cohort that is narrow in some lanes, two curves, and
// lanes for every kind of row.
func forgedStatement() *statement.Statement {
	return &statement.Statement{
		Schema: "battery/v1",
		Cohort: []statement.Range{
			{Lane: "state_of_health", Min: "70", Max: "110"}, {Lane: "equivalent_full_cycles", Min: "10"},
			{Lane: "fault_count", Max: "3"}, {Lane: "peak_temperature", Min: "-10", Max: "60"},
		},
		Valuation: &statement.Valuation{Price: "1234.56", Currency: "EUR", Curves: []statement.Curve{
			{Lane: "state_of_health", Knots: []statement.Knot{{At: "60", Factor: "0.1"}, {At: "80", Factor: "0.55"}, {At: "90", Factor: "0.7"}, {At: "100", Factor: "1"}}},
			{Lane: "age_days", Knots: []statement.Knot{{At: "365", Factor: "1"}, {At: "3650", Factor: "0.4"}}},
		}},
	}
}

// wideStatement bounds no lane more than the schema does.
func wideStatement() *statement.Statement {
	return &statement.Statement{Schema: "battery/v1", Valuation: &statement.Valuation{Price: "1234.56", Currency: "EUR"}}
}

func parameters(t *testing.T, s *statement.Statement) *statement.Parameters {
	t.Helper()
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Slots of forgedRecords with a part to play.
const (
	slotInside   = iota // inside the cohort, away from every corner
	slotCorner          // at the lower corner of a box row in every lane
	slotPoor            // state of health below the cohort
	slotFaulty          // fault count above the cohort
	slotAbsent          // nobody reported
	slotSecond          // inside, in other segments than slotInside
	slotBeyond          // beyond the schema's bounds, within the lane's capacity
	slotOrdinary        // the first of the rest
)

func forgedRecords() []record.Record {
	records := make([]record.Record, forgedSlots)
	records[slotInside] = record.Record{1, 8512, 5300, 900, 41_000, 12, 655, 1}
	records[slotCorner] = record.Record{1, 8000, 100, 365, 0, 0, 300, 0}
	records[slotPoor] = record.Record{1, 6100, 5300, 900, 41_000, 12, 655, 1}
	records[slotFaulty] = record.Record{1, 9100, 5300, 900, 41_000, 12, 655, 40}
	records[slotSecond] = record.Record{1, 9650, 5300, 100, 41_000, 12, 655, 1}
	records[slotBeyond] = record.Record{1, 1 << 29, 5300, 900, 41_000, 12, 655, 1}
	for s := slotOrdinary; s < forgedSlots; s++ {
		u := uint32(s)
		records[s] = record.Record{1, 6000 + 97*u, 3000 + 11*u, 50 * u, 40_000 - 13*u, 5 + u%30, 500 + u, u % 5}
	}
	return records
}

func forged(t *testing.T) *forgery {
	return newForgery(t, forgedRecords(), parameters(t, forgedStatement()))
}

// TestChunkForgeryStartsHonest shows that the harness the forgeries below start
// from is accepted, and that it computes what the prover's own code does.
func TestChunkForgeryStartsHonest(t *testing.T) {
	for name, s := range map[string]*statement.Statement{"narrow": forgedStatement(), "wide": wideStatement()} {
		t.Run(name, func(t *testing.T) {
			p := parameters(t, s)
			f := newForgery(t, forgedRecords(), p)
			if err := f.solve(without(t, "chunk")); err != nil {
				t.Fatal(err)
			}
			w, totals, err := newChunkWitness(forgedRecords(), f.r, p)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range small(w.limbs) {
				if !v.Equal(&f.limbs[i]) {
					t.Fatalf("limb %d differs from the prover's", i)
				}
			}
			for i, v := range small(w.limbUses) {
				if !v.Equal(&f.uses[i]) {
					t.Fatalf("use %d differs from the prover's", i)
				}
			}
			for i := range w.rows {
				var v fr.Element
				if v.SetBigInt(&w.rows[i]); !v.Equal(&f.rows[i]) {
					t.Fatalf("row sum %d differs from the prover's", i)
				}
			}
			if f.totals() != verify.NewOutput(totals, f.salt) {
				t.Fatal("totals differ from the native sum")
			}
		})
	}
}
