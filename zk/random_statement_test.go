package zk

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// stored draws a value between two bounds, the bounds and their neighbours more
// often than others.
func stored(t *rapid.T, label string, lo, hi uint32, near ...uint32) uint32 {
	for _, at := range append(near, lo, hi) {
		for _, v := range []uint32{at - 1, at, at + 1} {
			if v >= lo && v <= hi {
				near = append(near, v)
			}
		}
	}
	near = slices.DeleteFunc(near, func(v uint32) bool { return v < lo || v > hi })
	return rapid.OneOf(rapid.Uint32Range(lo, hi), rapid.SampledFrom(near)).Draw(t, label)
}

// statements draws statements that Check accepts.
func statements(t *rapid.T) *statement.Statement {
	schema := rapid.SampledFrom(record.Schemas()).Draw(t, "schema")
	s := &statement.Statement{
		Version: statement.Version, Fleet: "fleet", Epoch: 7, Schema: schema.Name,
		MinimumCoverage: "90", Requester: "lender", Purpose: "loan",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for i := 1; i < record.Lanes; i++ {
		if rapid.IntRange(0, 2).Draw(t, "narrow") == 0 {
			s.Cohort = append(s.Cohort, cohortRange(t, schema.Lanes[i]))
		}
	}
	s.Valuation = valuation(t, schema)
	for range rapid.IntRange(0, statement.MaxClaims).Draw(t, "claims") {
		s.Claims = append(s.Claims, randomClaim(t, schema))
	}
	return s
}

func cohortRange(t *rapid.T, l record.Lane) statement.Range {
	r := statement.Range{Lane: l.Name}
	lo := stored(t, "min", l.Min, l.Max)
	hi := stored(t, "max", lo, l.Max)
	sides := rapid.IntRange(1, 3).Draw(t, "sides")
	if sides&1 != 0 {
		r.Min = l.Format(lo)
	}
	if sides&2 != 0 {
		r.Max = l.Format(hi)
	}
	return r
}

func valuation(t *rapid.T, schema *record.Schema) *statement.Valuation {
	v := &statement.Valuation{Currency: "EUR"}
	cents := rapid.Uint64Range(0, 1<<40).Draw(t, "price")
	v.Price = fmt.Sprintf("%d.%02d", cents/100, cents%100)
	lanes := rapid.Permutation([]int{1, 2, 3, 4, 5, 6, 7}).Draw(t, "lanes")
	for _, lane := range lanes[:rapid.IntRange(0, statement.MaxCurves).Draw(t, "curves")] {
		v.Curves = append(v.Curves, curve(t, schema.Lanes[lane]))
	}
	return v
}

func curve(t *rapid.T, l record.Lane) statement.Curve {
	var at []uint32
	for range rapid.IntRange(1, statement.MaxKnots).Draw(t, "knots") {
		at = append(at, stored(t, "knot", l.Min, l.Max, at...))
	}
	slices.Sort(at)
	c := statement.Curve{Lane: l.Name}
	for _, v := range slices.Compact(at) {
		f := rapid.Uint32Range(0, 10_000_000).Draw(t, "factor")
		c.Knots = append(c.Knots, statement.Knot{At: l.Format(v), Factor: fmt.Sprintf("%d.%06d", f/1_000_000, f%1_000_000)})
	}
	return c
}

func randomClaim(t *rapid.T, schema *record.Schema) statement.Claim {
	names := []string{"population", "count", "value"}
	for i := 1; i < record.Lanes; i++ {
		names = append(names, schema.Lanes[i].Name)
	}
	decimal := func(label string) string {
		v := rapid.Int32Range(-2000, 2000).Draw(t, label)
		sign := ""
		if v < 0 {
			sign, v = "-", -v
		}
		if v == 0 {
			return "0"
		}
		return fmt.Sprintf("%s%d.%02d", sign, v/100, v%100)
	}
	c := statement.Claim{AtLeast: decimal("at least")}
	for _, name := range rapid.Permutation(names).Draw(t, "totals")[:rapid.IntRange(1, 4).Draw(t, "terms")] {
		c.Terms = append(c.Terms, statement.Term{Total: name, Coefficient: decimal("coefficient")})
	}
	c.Terms[0].Coefficient = "1"
	return c
}

// randomRecords draws a chunk: absent slots, records anywhere in the schema and
// at the statement's bounds and knots, and some beyond the schema.
func randomRecords(t *rapid.T, n int, schema *record.Schema, p *statement.Parameters) []record.Record {
	var edges [record.Lanes][]uint32
	for i := 1; i < record.Lanes; i++ {
		edges[i] = []uint32{p.Bounds.Lo[i], p.Bounds.Hi[i]}
	}
	for c, lane := range p.Lanes {
		for _, s := range p.Segments[c] {
			edges[lane] = append(edges[lane], s.Start, s.End)
		}
	}
	out := make([]record.Record, n)
	for s := range out {
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		if kind == 0 {
			continue
		}
		out[s][0] = 1
		for i := 1; i < record.Lanes; i++ {
			lo, hi := p.Bounds.Lo[i], p.Bounds.Hi[i] // most in the cohort
			if kind < 3 {
				lo, hi = schema.Lanes[i].Min, schema.Lanes[i].Max
			}
			if kind == 1 {
				hi = maxLane(i)
			}
			out[s][i] = stored(t, "lane", lo, hi, edges[i]...)
		}
	}
	return out
}
