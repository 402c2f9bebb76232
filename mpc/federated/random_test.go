package federated

import (
	"errors"
	"iter"
	"math/big"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// Primes below 2^55 and 2^54.
var moduli = []uint64{36028797018963913, 18014398509481951}

var model = strings.Repeat("5a", 32)

// fleet iterates over records; an error comes at its end.
func fleet(records []Record, end error) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range records {
			// Lanes are reused after the iteration, as a reader of a file would.
			lanes := slices.Clone(r.Lanes)
			if !yield(Record{lanes, r.Value}, nil) {
				return
			}
			clear(lanes)
		}
		if end != nil {
			yield(Record{}, end)
		}
	}
}

var errEnd = errors.New("the disk is gone")

// drawQuery makes a query that passes Check.
func drawQuery(t *rapid.T) *Query {
	q := &Query{Version: Version, Schema: "battery/v1", Epoch: rapid.Uint64().Draw(t, "epoch"), Lanes: []Lane{Presence}}
	q.Population = rapid.OneOf(rapid.Uint64Range(1, 100), rapid.Uint64Range(1, MaxPopulation)).Draw(t, "population")
	q.Minimum = rapid.Uint64Range(1, min(3, q.Population)).Draw(t, "minimum")
	q.Cohort = Cohort{Lo: []uint32{0}, Hi: []uint32{0}}
	most := rapid.SampledFrom([]uint32{1, 40, 1000, 1<<32 - 1}).Draw(t, "most")
	for _, name := range []string{"health", "cycles", "age"}[:rapid.IntRange(1, 3).Draw(t, "lanes")] {
		b := rapid.SliceOfN(rapid.Uint32Range(0, most), 4, 4).Draw(t, name)
		slices.Sort(b)
		q.Lanes = append(q.Lanes, Lane{name, b[0], b[3]})
		q.Cohort.Lo, q.Cohort.Hi = append(q.Cohort.Lo, b[1]), append(q.Cohort.Hi, b[2])
	}
	if rapid.Bool().Draw(t, "valued") {
		q.Valuation = &Valuation{model, rapid.Uint64Range(1, 1<<rapid.IntRange(0, 46).Draw(t, "value bits")).Draw(t, "max")}
		q.Figures = append(q.Figures, Figure{Kind: Mean, Of: Value})
	}
	for range rapid.IntRange(0, 6).Draw(t, "figures") {
		drawFigure(t, q)
	}
	if len(q.Figures) == 0 {
		q.Figures = []Figure{{Kind: Count}}
	}
	return q
}

func drawFigure(t *rapid.T, q *Query) {
	f := Figure{Kind: rapid.SampledFrom([]Kind{Count, Sum, Mean, Variance, Histogram}).Draw(t, "kind")}
	if f.Kind != Count {
		names := []string{}
		for _, l := range q.Lanes[1:] {
			names = append(names, l.Name)
		}
		if q.Valuation != nil {
			names = append(names, Value)
		}
		f.Of = rapid.SampledFrom(names).Draw(t, "of")
	}
	if f.Kind == Histogram {
		s, err := q.quantity(f.Of)
		if err != nil {
			t.Fatal(err)
		}
		if s.lo == s.hi {
			return
		}
		f.Edges = rapid.SliceOfNDistinct(rapid.Uint64Range(uint64(s.lo)+1, uint64(s.hi)), 1, 20, rapid.ID[uint64]).Draw(t, "edges")
		slices.Sort(f.Edges)
	}
	q.Figures = append(q.Figures, f)
	if q.checkFigures() != nil { // the same figure again
		q.Figures = q.Figures[:len(q.Figures)-1]
	}
}

// drawRecord is a record within the schema, biased towards the bounds and
// towards the cohort, or a slot without one.
func drawRecord(t *rapid.T, q *Query) Record {
	r := Record{Lanes: make([]uint32, len(q.Lanes))}
	if rapid.IntRange(0, 9).Draw(t, "absent") == 9 {
		return r
	}
	r.Lanes[0] = 1
	inside := rapid.IntRange(0, 3).Draw(t, "inside") > 0
	for i := 1; i < len(q.Lanes); i++ {
		lo, hi := q.Lanes[i].Min, q.Lanes[i].Max
		if inside {
			lo, hi = q.Cohort.Lo[i], q.Cohort.Hi[i]
		}
		r.Lanes[i] = rapid.OneOf(rapid.Just(lo), rapid.Just(hi), rapid.Uint32Range(lo, hi)).Draw(t, "x")
	}
	if q.Valuation != nil {
		r.Value = rapid.OneOf(rapid.Just(q.Valuation.Max), rapid.Uint64Range(0, q.Valuation.Max)).Draw(t, "value")
	}
	return r
}

// drawFleet is one owner's records: at least the minimum in the cohort, at most
// the population.
func drawFleet(t *rapid.T, q *Query) []Record {
	var out []Record
	present := uint64(0)
	for range rapid.IntRange(0, 12).Draw(t, "records") {
		r := drawRecord(t, q)
		if present += uint64(r.Lanes[0]); present+q.Minimum > q.Population {
			break
		}
		out = append(out, r)
	}
	for range q.Minimum {
		r := Record{Lanes: slices.Clone(q.Cohort.Hi)}
		r.Lanes[0] = 1
		out = append(out, r)
	}
	return out
}

// add is what encryption, addition and opening do to parts: residues modulo the
// plan's moduli are added, and the centred residue of their product comes out.
func add(p *Plan, moduli []uint64, parts [][]*big.Int) []*big.Int {
	out := make([]*big.Int, p.Used())
	for j := range out {
		x, product := new(big.Int), big.NewInt(1)
		for _, m := range moduli[:p.Ciphertexts()] {
			t := new(big.Int).SetUint64(m)
			sum := new(big.Int)
			for _, part := range parts {
				residue := new(big.Int).Mod(part[j], t)
				sum.Add(sum, residue).Mod(sum, t)
			}
			// Garner: x + product·((sum − x)/product mod t)
			sum.Sub(sum, x).Mul(sum, new(big.Int).ModInverse(product, t)).Mod(sum, t)
			x.Add(x, sum.Mul(sum, product))
			product.Mul(product, t)
		}
		if half := new(big.Int).Rsh(product, 1); x.Cmp(half) > 0 {
			x.Sub(x, product)
		}
		out[j] = x
	}
	return out
}
