package query_test

import (
	"errors"
	"iter"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

var theSchema, _ = record.Lookup("battery/v1")

// drawRecord is inside the schema's bounds, often at an end of them, and sometimes of an empty slot.
func drawRecord(t *rapid.T) record.Record {
	if rapid.IntRange(0, 9).Draw(t, "present") == 0 {
		return record.Record{}
	}
	r := record.Record{1}
	for i := 1; i < record.Lanes; i++ {
		r[i] = rapid.Uint32Range(theSchema.Lanes[i].Min, theSchema.Lanes[i].Max).Draw(t, "lane")
	}
	return r
}

func drawFactor(t *rapid.T, most int) string {
	f := rapid.IntRange(0, most*1_000_000).Draw(t, "factor")
	return record.FormatDecimal(big.NewInt(int64(f)), 6)
}

func drawValuation(t *rapid.T, price uint64) *statement.Valuation {
	v := &statement.Valuation{Price: record.FormatDecimal(new(big.Int).SetUint64(rapid.Uint64Range(0, price).Draw(t, "price")), 2), Currency: "EUR"}
	lanes := rapid.SliceOfNDistinct(rapid.IntRange(1, record.Lanes-1), 0, 2, rapid.ID[int]).Draw(t, "lanes of curves")
	for _, i := range lanes {
		l := theSchema.Lanes[i]
		c := statement.Curve{Lane: l.Name}
		at := l.Min
		for range rapid.IntRange(1, 8).Draw(t, "knots") {
			at = rapid.Uint32Range(at, min(l.Max, at+(l.Max-l.Min)/6)).Draw(t, "at")
			if at >= l.Max {
				break
			}
			c.Knots = append(c.Knots, statement.Knot{At: l.Format(at), Factor: drawFactor(t, 10)})
			at++
		}
		if len(c.Knots) == 0 {
			c.Knots = []statement.Knot{{At: l.Format(l.Min), Factor: drawFactor(t, 10)}}
		}
		v.Curves = append(v.Curves, c)
	}
	return v
}

func drawCohort(t *rapid.T) (out []statement.Range) {
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(1, record.Lanes-1), 0, 2, rapid.ID[int]).Draw(t, "lanes of the cohort") {
		l := theSchema.Lanes[i]
		lo := rapid.Uint32Range(l.Min, l.Max/2).Draw(t, "lo")
		hi := rapid.Uint32Range(max(lo+1, l.Max-l.Max/4), l.Max).Draw(t, "hi")
		r := statement.Range{Lane: l.Name, Min: l.Format(lo), Max: l.Format(hi)}
		if rapid.Bool().Draw(t, "no max") {
			r.Max = ""
		}
		out = append(out, r)
	}
	return out
}

// values are those of records as Records has them.
func values(t require, e *ledger.QueryEntry, records []record.Record, size int) []uint64 {
	var out []uint64
	for r, err := range query.Records(e, chunked(records, size)) {
		if err != nil {
			t.Fatalf("%v", err)
		}
		out = append(out, r.Value)
	}
	return out
}

type require interface {
	Fatalf(format string, args ...any)
}

// Every battery's value is the statement's, rounded down to 0.01, and never above the document's bound, whatever price and curves.
func TestValuesAreTheStatements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := aFederated()
		ofValue(q)
		q.Cohort, q.Valuation = drawCohort(t), drawValuation(t, 1<<40)
		q.Totals, q.Edges = q.Totals[:2], nil
		p, err := (&statement.Statement{Schema: q.Schema, Cohort: q.Cohort, Valuation: q.Valuation}).Parameters()
		if err != nil {
			t.Skip(err) // a curve that falls below zero by rounding
		}
		e := approved(q)
		d, err := query.Document(e)
		if err != nil {
			t.Fatal(err)
		}
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 30).Draw(t, "records")
		for i, got := range values(t, e, records, rapid.IntRange(1, 10).Draw(t, "size")) {
			want := new(big.Int).Quo(p.ExactValue(records[i]), statement.ValueScale())
			if !want.IsUint64() || want.Uint64() != got || got > d.Valuation.Max {
				t.Fatalf("%v is worth %d, want %d of at most %d", records[i], got, want, d.Valuation.Max)
			}
		}
	})
}

// The bound is met by a battery at the best of both curves, at the largest price and factors there can be, too.
func TestGreatestValueIsReached(t *testing.T) {
	q := aFederated()
	ofValue(q)
	q.Cohort, q.Totals, q.Edges = nil, q.Totals[:2], nil
	for _, price := range []string{"0.00", "0.01", "1250.00", "10995116277.76"} {
		q.Valuation.Price = price
		q.Valuation.Curves[0].Knots = []statement.Knot{{At: "50.00", Factor: "0"}, {At: "90.00", Factor: "10"}, {At: "100.00", Factor: "9.5"}}
		q.Valuation.Curves[1].Knots = []statement.Knot{{At: "100", Factor: "1"}, {At: "900", Factor: "10"}, {At: "901", Factor: "0"}}
		e := approved(q)
		d, err := query.Document(e)
		if err != nil {
			t.Fatal(err)
		}
		got := values(t, e, []record.Record{{1, 9_000, 0, 900}}, 1)[0]
		if want := max(1, got); d.Valuation.Max != want || want > federated.MaxValue {
			t.Errorf("price %s: the bound is %d, the best battery is worth %d", price, d.Valuation.Max, got)
		}
	}
}

func TestRecordsPassErrorsOn(t *testing.T) {
	broken := errors.New("disk")
	chunks := func(yield func([]record.Record, error) bool) {
		_ = yield([]record.Record{{1}, {}}, nil) && yield(nil, broken)
	}
	e := approved(aFederated())
	n := 0
	for _, err := range query.Records(e, chunks) {
		if n++; n > 2 && !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	if n != 3 {
		t.Errorf("%d steps", n)
	}
	e.Record.Query.Cohort = []statement.Range{{Lane: "colour"}}
	for _, err := range query.Records(e, chunks) {
		wants(t, err, "colour")
	}
	for _, err := range query.ScoreRecords(e, chunks) {
		wants(t, err, "colour")
	}
	e.Record.Query.Cohort = nil
	n = 0
	for _, err := range query.ScoreRecords(e, chunks) {
		if n++; n > 1 && !errors.Is(err, broken) { // the empty slot is in no cohort
			t.Error(err)
		}
	}
	if n != 2 {
		t.Errorf("%d steps of a score", n)
	}
}

// Who stops early is not called again.
func TestRecordsStop(t *testing.T) {
	e := approved(aFederated())
	records := make([]record.Record, 10)
	for i := range records {
		records[i] = record.Record{1, 9_000}
	}
	for range query.Records(e, chunked(records, 3)) {
		break
	}
	for range query.ScoreRecords(e, chunked(records, 3)) {
		break
	}
}

func TestScoreRecordsAreTheCohort(t *testing.T) {
	q := aScore()
	q.Cohort = []statement.Range{{Lane: "age_days", Max: "100"}}
	records := []record.Record{{1, 9_000, 1, 100, 2, 3, 4, 5}, {1, 9_000, 1, 101, 2, 3, 4, 5}, {}, {1, 0, 0, 0, 0, 0, 0, 0}}
	var got []string
	for lanes, err := range query.ScoreRecords(approved(q), chunked(records, 3)) {
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, v := range lanes {
			text += strconv.Itoa(int(v)) + " "
		}
		got = append(got, text)
	}
	if len(got) != 2 || got[0] != "9000 1 100 2 3 4 5 " || got[1] != "0 0 0 0 0 0 0 " {
		t.Errorf("%q", got)
	}
}

// A fleet of any size takes the same memory.
func TestRecordsAllocateNothingEach(t *testing.T) {
	q := aFederated()
	ofValue(q)
	records := make([]record.Record, 10_000)
	for i := range records {
		records[i] = record.Record{1, uint32(7_000 + i%3_000), 0, uint32(i % 4_000)}
	}
	perPass := func(records []record.Record) float64 {
		return testing.AllocsPerRun(3, func() { drain(query.Records(approved(q), chunked(records, 1_000))) })
	}
	if few, many := perPass(records[:1_000]), perPass(records); many-few > 50 {
		t.Errorf("%.0f allocations for 1000 records, %.0f for 10000", few, many)
	}
}

func drain(records iter.Seq2[federated.Record, error]) (sum uint64) {
	for r := range records {
		sum += r.Value
	}
	return sum
}

func BenchmarkRecords(b *testing.B) {
	q := aFederated()
	ofValue(q)
	e := approved(q)
	records := make([]record.Record, 10_000)
	for i := range records {
		records[i] = record.Record{1, uint32(7_000 + i%3_000), 0, uint32(i % 4_000)}
	}
	for b.Loop() {
		drain(query.Records(e, chunked(records, 1_000)))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
