package query_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// clear is the plain twin: it has every battery in physical units, by the statement's own arithmetic, and adds up there. It knows nothing of documents, plans and stored units.
type clear struct {
	inside []record.Record
	x      []*big.Rat // the subject, a value rounded down to 0.01
	exact  []*big.Rat // and as it is
	totals statement.Totals
	asked  *statement.Statement
	of     int // the subject's index among a statement's totals
}

func inTheClear(t *rapid.T, q *ledger.Query, fleets [][]record.Record) *clear {
	c := &clear{asked: &statement.Statement{Schema: q.Schema, Cohort: q.Cohort, Valuation: q.Valuation}, of: statement.Value}
	p, err := c.asked.Parameters()
	if err != nil {
		t.Skip(err)
	}
	lane, isLane := theSchema.LaneIndex(q.Subject)
	if isLane {
		c.of = statement.LaneSum + lane
	}
	c.totals.Exact = new(big.Int)
	for _, fleet := range fleets {
		c.totals = c.totals.Add(p.Sum(fleet))
		for _, r := range fleet {
			if !p.Bounds.Contains(r) {
				continue
			}
			c.inside = append(c.inside, r)
			if isLane {
				x := rational(theSchema.Lanes[lane].Format(r[lane]))
				c.x, c.exact = append(c.x, x), append(c.exact, x)
				continue
			}
			exact := p.ExactValue(r)
			hundred := new(big.Int).Mul(statement.ValueScale(), big.NewInt(100))
			c.exact = append(c.exact, new(big.Rat).SetFrac(exact, hundred))
			c.x = append(c.x, new(big.Rat).SetFrac(new(big.Int).Quo(exact, statement.ValueScale()), big.NewInt(100)))
		}
	}
	return c
}

func rational(text string) *big.Rat {
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("not a number: " + text)
	}
	return x
}

func sumOf(xs []*big.Rat) *big.Rat {
	s := new(big.Rat)
	for _, x := range xs {
		s.Add(s, x)
	}
	return s
}

func meanOf(xs []*big.Rat) *big.Rat {
	return new(big.Rat).Quo(sumOf(xs), big.NewRat(int64(len(xs)), 1))
}

func varianceOf(xs []*big.Rat) *big.Rat {
	m, s := meanOf(xs), new(big.Rat)
	for _, x := range xs {
		d := new(big.Rat).Sub(x, m)
		s.Add(s, d.Mul(d, d))
	}
	return s.Quo(s, big.NewRat(int64(len(xs)), 1))
}

// drawQuery asks for random totals of a lane or of value over three to five fleets.
func drawQuery(t *rapid.T) *ledger.Query {
	q := aFederated()
	q.Cohort, q.Edges, q.MinimumCohort = drawCohort(t), nil, 1
	for i := range rapid.IntRange(0, 2).Draw(t, "more fleets") {
		q.Parts = append(q.Parts, ledger.QueryPart{Fleet: "fleet-d" + string(rune('0'+i)), Grant: "g"})
	}
	q.Totals = rapid.SampledFrom([][]string{
		{policy.TotalCount}, {policy.TotalSum}, {policy.TotalHistogram}, {policy.TotalCount, policy.TotalSum}, {policy.TotalSum, policy.TotalHistogram},
		{policy.TotalCount, policy.TotalSum, policy.TotalSquares}, {policy.TotalCount, policy.TotalSum, policy.TotalSquares, policy.TotalHistogram},
	}).Draw(t, "totals")
	if len(q.Totals) == 1 && q.Totals[0] == policy.TotalCount {
		q.Subject = ""
		return q
	}
	edges := rapid.Uint64Range(1, 60)
	if rapid.Bool().Draw(t, "of value") {
		q.Subject, q.Valuation = "value", drawValuation(t, 1_000_000)
		if slices.Contains(q.Totals, policy.TotalHistogram) {
			for _, e := range sorted(rapid.SliceOfNDistinct(edges, 1, 6, rapid.ID[uint64]).Draw(t, "edges")) {
				q.Edges = append(q.Edges, strings.TrimSuffix(strings.TrimRight(record.FormatDecimal(new(big.Int).SetUint64(e*25), 2), "0"), "."))
			}
		}
		return q
	}
	lane := rapid.IntRange(1, record.Lanes-1).Draw(t, "subject")
	l := theSchema.Lanes[lane]
	q.Subject = l.Name
	if slices.Contains(q.Totals, policy.TotalHistogram) {
		q.Cohort = slices.DeleteFunc(q.Cohort, func(r statement.Range) bool { return r.Lane == l.Name })
		for _, e := range sorted(rapid.SliceOfNDistinct(edges, 1, 6, rapid.ID[uint64]).Draw(t, "edges")) {
			q.Edges = append(q.Edges, l.Format(l.Min+uint32(e)*(l.Max/64)))
		}
	}
	return q
}

func sorted(xs []uint64) []uint64 { slices.Sort(xs); return xs }

// answered has each owner add up its own records, adds the parts, and reads the sum.
func answered(t *rapid.T, e *ledger.QueryEntry, fleets [][]record.Record) *query.Answer {
	p, err := query.Plan(e)
	if err != nil {
		t.Fatal(err)
	}
	sum := make([]*big.Int, p.Used())
	for i := range sum {
		sum[i] = new(big.Int)
	}
	for _, fleet := range fleets {
		part, err := p.Totals(query.Records(e, chunked(fleet, 7)))
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range part {
			sum[i].Add(sum[i], x)
		}
	}
	s := session(e)
	a, err := query.Read(e, s, s.Owners(), sum)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What the owners' totals add up to is what somebody who sees all batteries works out, in physical units.
func TestAnswerIsThePlainOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuery(t)
		fleets, sizes := make([][]record.Record, len(q.Parts)), make([]uint64, len(q.Parts))
		p, err := (&statement.Statement{Schema: q.Schema, Cohort: q.Cohort, Valuation: q.Valuation}).Parameters()
		if err != nil {
			t.Skip(err) // a curve that falls below zero by rounding
		}
		for i := range fleets {
			fleets[i] = append(rapid.SliceOfN(rapid.Custom(drawRecord), 0, 25).Draw(t, "fleet"), insideOf(p))
			sizes[i] = uint64(len(fleets[i])) + rapid.Uint64Range(0, 5).Draw(t, "silent")
		}
		e := approved(q, sizes...)
		if _, err := query.Document(e); err != nil && strings.Contains(err.Error(), "outside the cohort") {
			t.Skip("an edge above every value")
		}
		if err := query.Check(q); err != nil && strings.Contains(err.Error(), "tells their count") {
			t.Skip("all have nearly the same")
		} else if err != nil {
			t.Fatal(err)
		}
		a, c := answered(t, e, fleets), inTheClear(t, q, fleets)
		for i := range a.Figures {
			c.check(t, &a.Figures[i], q)
		}
		if back, err := query.ParseAnswer(a.Encode()); err != nil || string(back.Encode()) != string(a.Encode()) {
			t.Fatalf("%v: %s", err, a.Encode())
		}
	})
}

// insideOf is a battery of the cohort, so that every owner takes part.
func insideOf(p *statement.Parameters) record.Record {
	r := record.Record(p.Bounds.Lo)
	r[record.Presence] = 1
	return r
}

func (c *clear) check(t *rapid.T, f *query.Figure, q *ledger.Query) {
	if f.Noise != "" {
		t.Fatalf("%+v: noise in an exact answer", f)
	}
	switch f.Kind {
	case query.FigureCount:
		if rational(f.Value).Cmp(big.NewRat(int64(len(c.inside)), 1)) != 0 {
			t.Fatalf("%+v, want %d", f, len(c.inside))
		}
	case query.FigureSum:
		c.checkSum(t, f, q)
	case query.FigureMean:
		near(t, f, meanOf(c.x), 6)
		c.bounded(t, f, meanOf(c.exact), meanOf(c.x))
	case query.FigureVariance:
		near(t, f, varianceOf(c.x), 6)
		c.bounded(t, f, varianceOf(c.exact), varianceOf(c.x))
	case query.FigureHistogram:
		c.checkBands(t, f)
	default:
		t.Fatalf("%+v", f)
	}
}

func (c *clear) checkSum(t *rapid.T, f *query.Figure, q *ledger.Query) {
	if c.of == statement.Value {
		if want := sumOf(c.x); rational(f.Value).Cmp(want) != 0 || f.Unit != "EUR" {
			t.Fatalf("%+v, want %s", f, want.FloatString(4))
		}
		short := new(big.Rat).Sub(sumOf(c.exact), rational(f.Value))
		if short.Sign() < 0 || short.Cmp(rational(f.Error)) >= 0 {
			t.Fatalf("%+v is %s below the exact sum", f, short.FloatString(6))
		}
		return
	}
	count := new(big.Int).SetUint64(c.totals.Count)
	if len(q.Totals) == 1 {
		count = nil // only the sum is known
	}
	want, err := c.asked.FormatTotal(c.of, c.totals.Vector()[c.of], count)
	if err != nil {
		t.Fatal(err)
	}
	unit := strings.Replace(f.Unit, "-40.0", "-40", 1)
	if f.Value != want.Value || unit != want.Unit || f.Error != "" {
		t.Fatalf("%+v, a statement shows %+v", f, want)
	}
}

// near: the figure is the number, rounded to its last place, of which there are some beyond the quantity's own.
func near(t *rapid.T, f *query.Figure, want *big.Rat, least int) {
	_, fraction, _ := strings.Cut(f.Value, ".")
	if len(fraction) < least {
		t.Fatalf("%+v has %d places", f, len(fraction))
	}
	if text := want.FloatString(len(fraction)); f.Value != text {
		t.Fatalf("%+v, want %s", f, text)
	}
}

// bounded: of a value, the exact figure is as near as the answer says to that of rounded values.
func (c *clear) bounded(t *rapid.T, f *query.Figure, exact, rounded *big.Rat) {
	off := new(big.Rat).Sub(exact, rounded)
	if c.of != statement.Value {
		if f.Error != "" || off.Sign() != 0 {
			t.Fatalf("%+v: a lane is not rounded", f)
		}
		return
	}
	if off.Abs(off).Cmp(rational(f.Error)) >= 0 {
		t.Fatalf("%+v is %s off", f, off.FloatString(12))
	}
}

// checkBands counts exact values, not rounded ones.
func (c *clear) checkBands(t *rapid.T, f *query.Figure) {
	for i, b := range f.Bands {
		n := int64(0)
		for _, x := range c.exact {
			if (i == 0 || x.Cmp(rational(b.From)) >= 0) && (b.Below == "" || x.Cmp(rational(b.Below)) < 0) {
				n++
			}
			if i == 0 && x.Cmp(rational(b.From)) < 0 {
				t.Fatalf("%+v: %s is below the first band", f, x)
			}
		}
		if rational(b.Count).Cmp(big.NewRat(n, 1)) != 0 || (b.Below == "") != (i == len(f.Bands)-1) || i > 0 && b.From != f.Bands[i-1].Below {
			t.Fatalf("%+v: band %d, want %d", f, i, n)
		}
	}
}
