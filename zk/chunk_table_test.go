package zk

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// TestRowsAreDistinct checks what the lookup needs, on the statements whose
// rows come closest to one another: lanes bounded at their capacity's ends.
func TestRowsAreDistinct(t *testing.T) {
	for _, s := range append(distinctStatements(), forgedStatement(), wideStatement()) {
		p := parameters(t, s)
		seen := map[[2]fr.Element]int{}
		for r, corners := range rowCorners(p.Vector()) {
			if other, ok := seen[corners]; ok {
				t.Errorf("rows %d and %d have the same corners", other, r)
			}
			seen[corners] = r
		}
	}
}

// TestRecordsLieInTheirRows ties the corners above to those that the circuit
// looks up: every record lies at its advice's offsets from its row's corners.
func TestRecordsLieInTheirRows(t *testing.T) {
	f := forged(t)
	corners := rowCorners(f.parameters)
	for s, rec := range forgedRecords() {
		a := f.slots[s]
		for c, lane := range f.p.Lanes {
			a.lower[lane] = a.pick[c]
		}
		var got [2]fr.Element
		got[0], got[1] = f.x[s], f.x[s]
		for i := 1; i < record.Lanes; i++ {
			lower, upper := scaled(a.lower[i], record.LaneBits*i), scaled(a.upper[i], record.LaneBits*i)
			got[0].Sub(&got[0], &lower)
			got[1].Add(&got[1], &upper)
		}
		if got != corners[a.row] {
			t.Errorf("slot %d with %v is not in row %d", s, rec, a.row)
		}
	}
}

func distinctStatements() []*statement.Statement {
	edge := func(curves ...statement.Curve) *statement.Statement {
		s := wideStatement()
		s.Valuation.Curves = curves
		return s
	}
	return []*statement.Statement{
		edge(statement.Curve{Lane: "fault_count", Knots: []statement.Knot{{At: "0", Factor: "1"}, {At: "1", Factor: "0"}}},
			statement.Curve{Lane: "remaining_capacity_mAh", Knots: []statement.Knot{{At: "1048575", Factor: "1"}}}),
		edge(statement.Curve{Lane: "equivalent_full_cycles", Knots: []statement.Knot{{At: "0.1", Factor: "1"}, {At: "0.2", Factor: "1"}, {At: "0.3", Factor: "1"}, {At: "0.4", Factor: "1"}, {At: "0.5", Factor: "1"}}}),
		{Schema: "charger/v1", Cohort: []statement.Range{{Lane: "sessions", Min: "3", Max: "3"}, {Lane: "faults", Min: "0", Max: "0"}}},
	}
}

// rowCorners lists A and B of every row from the parameters alone.
func rowCorners(v []fr.Element) [][2]fr.Element {
	f := forgery{parameters: v}
	lane := func(at, i int) fr.Element { return mul(v[at+i-1], scaled(1, record.LaneBits*i)) }
	packed := func(at int) (sum fr.Element) {
		for i := 1; i < record.Lanes; i++ {
			part := lane(at, i)
			sum.Add(&sum, &part)
		}
		return sum
	}
	const n = record.Lanes - 1
	one, top := fr.One(), record.Record(everything()).Pack()
	top.Add(&top, &one)
	var out [][2]fr.Element
	for r := range boxRows {
		var c [2]fr.Element
		for side := range 2 {
			c[side] = packed(statement.AtBase + side*n)
			c[side].Add(&c[side], &one)
			for curve, j := range []int{r / statement.MaxSegments, r % statement.MaxSegments} {
				part := mul(f.segment(curve, segStart+side, j), packed(statement.AtSelect+curve*n))
				c[side].Add(&c[side], &part)
			}
		}
		out = append(out, c)
	}
	for i := 1; i <= n; i++ {
		step := scaled(1, record.LaneBits*i)
		a := lane(statement.AtBounds+n, i)
		a.Add(&a, &step).Add(&a, &one)
		out = append(out, [2]fr.Element{a, top})
	}
	for i := 1; i <= n; i++ {
		whole := scaled(int64(maxLane(i))+1, record.LaneBits*i)
		b := lane(statement.AtBounds, i)
		b.Add(&b, &top).Sub(&b, &whole)
		out = append(out, [2]fr.Element{one, b})
	}
	return append(out, [2]fr.Element{})
}
