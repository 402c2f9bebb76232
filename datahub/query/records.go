package query

import (
	"fmt"
	"iter"
	"math/bits"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// Records turns an owner's records, chunk by chunk, into those that [federated.Plan.Totals] adds up, with their values in 0.01 of the currency where the query has a valuation. Lanes
// point into the chunk that they are from. An error of the chunks ends it and is passed on.
func Records(e *ledger.QueryEntry, chunks iter.Seq2[[]record.Record, error]) iter.Seq2[federated.Record, error] {
	return func(yield func(federated.Record, error) bool) {
		v, err := newValuer(&e.Record.Query)
		if err != nil {
			yield(federated.Record{}, fmt.Errorf("query %s: %w", e.ID, err))
			return
		}
		for chunk, err := range chunks {
			if err != nil {
				yield(federated.Record{}, err)
				return
			}
			for i := range chunk {
				if !yield(federated.Record{Lanes: chunk[i][:], Value: v.value(&chunk[i])}, nil) {
					return
				}
			}
		}
	}
}

// ScoreRecords are the lanes, in the order of [Lanes], of those of an owner's records that are in a score's cohort. The slices point into the chunks.
func ScoreRecords(e *ledger.QueryEntry, chunks iter.Seq2[[]record.Record, error]) score.Records {
	return func(yield func([]uint32, error) bool) {
		p, err := parameters(&e.Record.Query)
		if err != nil {
			yield(nil, fmt.Errorf("query %s: %w", e.ID, err))
			return
		}
		for chunk, err := range chunks {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range chunk {
				if p.Bounds.Contains(chunk[i]) && !yield(chunk[i][record.Presence+1:], nil) {
					return
				}
			}
		}
	}
}

// valuer values single batteries as a statement does, in machine words.
type valuer struct {
	bounds statement.Bounds
	price  uint64
	curves [statement.MaxCurves]curve
	// worthless is of a query without a valuation.
	worthless bool
}

type curve struct {
	lane     int
	segments []segment
}

// segment has factors in units of 10^-6 × 2^-32. They are below 2^56, and slopes too.
type segment struct {
	start, end  uint32
	base, slope int64
}

func newValuer(q *ledger.Query) (*valuer, error) {
	p, err := parameters(q)
	if err != nil {
		return nil, err
	}
	v := &valuer{bounds: p.Bounds, price: p.Price.Uint64(), worthless: q.Valuation == nil}
	for i := range v.curves {
		v.curves[i].lane = p.Lanes[i]
		for _, s := range p.Segments[i] {
			v.curves[i].segments = append(v.curves[i].segments, segment{s.Start, s.End, s.Base.Int64(), s.Slope.Int64()})
		}
	}
	return v, nil
}

// factorUnits is how many 2^-64 of a hundredth make one unit of price × factor × factor: 10^12.
const factorUnits = 1_000_000_000_000

// value is Parameters.ExactValue of package statement over ValueScale, rounded down: price × factor × factor / (10^12 × 2^64). The product is below 2^40 × 2^56 × 2^56, so its
// word from 2^128 on is below 2^24, and the quotient below 2^47.
func (v *valuer) value(r *record.Record) uint64 {
	if v.worthless || !v.bounds.Contains(*r) {
		return 0
	}
	high, low := bits.Mul64(v.curves[0].factor(r), v.curves[1].factor(r))
	carried, _ := bits.Mul64(low, v.price)
	top, middle := bits.Mul64(high, v.price)
	middle, carry := bits.Add64(middle, carried, 0)
	value, _ := bits.Div64(top+carry, middle, factorUnits)
	return value
}

// factor is of a record inside the bounds, which the segments cover.
func (c *curve) factor(r *record.Record) uint64 {
	at := r[c.lane]
	i := 0
	for at > c.segments[i].end {
		i++
	}
	s := &c.segments[i]
	return uint64(s.base + s.slope*(int64(at)-int64(s.start)))
}
