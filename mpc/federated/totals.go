package federated

import (
	"errors"
	"fmt"
	"iter"
	"math/big"
)

// Record is one battery's lanes in stored units, presence first, and its value
// in the unit of the query's valuation, which must follow from this record alone:
// noise is made for what one record changes. Lanes may be reused after the iteration.
type Record struct {
	Lanes []uint32
	Value uint64
}

// ErrTooFew is what an owner's refusal to take part wraps: its part of the
// cohort is below the query's minimum, by its exact count or, with a budget, by its
// noised one. Whoever is told knows that.
var ErrTooFew = errors.New("the owner's part of the cohort is below the minimum")

// Totals is one owner's part over its records: the totals in the order of
// their coefficients, with fresh noise where the query has a budget. It is to be made
// once for a query and its records and kept, for further sessions of the same query
// too; with a budget ErrTooFew is kept in the same way, and has spent as much. Memory
// does not grow with the records, which are read once; slots without a record count
// for nothing, and values above the valuation's Max as Max.
//
// An error that the iterator yields ends it. A record outside the schema's bounds and
// more records than the query's population are errors, as nothing may be encrypted
// that the plan has not bounded; a record's numbers are in no error. An owner that has
// compared the query's lanes with the schema and its population with a public size of its
// fleet sees neither.
func (p *Plan) Totals(records iter.Seq2[Record, error]) ([]*big.Int, error) {
	t, err := p.tally(records)
	if err != nil {
		return nil, err
	}
	out, err := p.noised(t.totals())
	if err != nil {
		return nil, err
	}
	if t.size(out).Cmp(new(big.Int).SetUint64(p.query.Minimum)) < 0 {
		return nil, fmt.Errorf("totals: minimum_cohort is %d: %w", p.query.Minimum, ErrTooFew)
	}
	return out, nil
}

// noised adds one owner's noise to its part.
func (p *Plan) noised(part []*big.Int) ([]*big.Int, error) {
	out := make([]*big.Int, len(part))
	for i, x := range part {
		c := &p.totals[i]
		out[i] = x
		if c.noise == nil {
			continue
		}
		var err error
		if out[i], err = c.noise.Add(x, c.low, c.high); err != nil {
			return nil, fmt.Errorf("totals: %s: %w", c.name, err)
		}
	}
	return out, nil
}

// size is that of an owner's part of the cohort, by the numbers that it is about to
// hand over where they have noise: then the exact count must decide nothing.
func (t *tally) size(part []*big.Int) *big.Int {
	p := t.plan
	if p.query.Privacy == nil {
		return new(big.Int).SetUint64(t.count)
	}
	if p.count != 0 {
		return part[p.count]
	}
	n, h := new(big.Int), &p.histograms[0]
	for _, x := range part[h.first:][:len(h.edges)+1] {
		n.Add(n, x)
	}
	return n
}

// tally is an owner's exact part in the making.
type tally struct {
	plan          *Plan
	records       uint64 // present ones
	count         uint64
	sums, squares []wide // by column
	bands         [][]uint64
}

func (p *Plan) tally(records iter.Seq2[Record, error]) (*tally, error) {
	t := &tally{plan: p, sums: make([]wide, len(p.columns)), squares: make([]wide, len(p.columns))}
	for i := range p.histograms {
		t.bands = append(t.bands, make([]uint64, len(p.histograms[i].edges)+1))
	}
	n := 0
	for r, err := range records {
		if err == nil {
			err = t.add(r)
		}
		if err != nil {
			return nil, fmt.Errorf("totals: record %d: %w", n, err)
		}
		n++
	}
	return t, nil
}

func (t *tally) add(r Record) error {
	inside, err := t.plan.query.inCohort(r)
	if err != nil {
		return err
	}
	if r.Lanes[0] == 1 {
		if t.records++; t.records > t.plan.query.Population {
			return fmt.Errorf("there are more records than the query's population, %d", t.plan.query.Population)
		}
	}
	if !inside {
		return nil
	}
	t.count++
	for i := range t.plan.columns {
		c := &t.plan.columns[i]
		x := c.of(r) - c.centre
		t.sums[i].add(x)
		if c.squares != 0 {
			t.squares[i].addSquare(x)
		}
	}
	for i := range t.plan.histograms {
		h := &t.plan.histograms[i]
		t.bands[i][h.band(h.of(r))]++
	}
	return nil
}

// inCohort says whether a record counts, and refuses one that is not as the
// query describes it.
func (q *Query) inCohort(r Record) (bool, error) {
	if len(r.Lanes) != len(q.Lanes) {
		return false, fmt.Errorf("%d lanes, want %d", len(r.Lanes), len(q.Lanes))
	}
	switch r.Lanes[0] {
	case 0:
		return false, nil
	case 1:
	default:
		return false, errors.New("presence is neither 0 nor 1")
	}
	inside := true
	for i := 1; i < len(r.Lanes); i++ {
		x, l := r.Lanes[i], &q.Lanes[i]
		if x < l.Min || x > l.Max {
			return false, fmt.Errorf("lane %s is outside the schema's bounds [%d, %d]", l.Name, l.Min, l.Max)
		}
		inside = inside && x >= q.Cohort.Lo[i] && x <= q.Cohort.Hi[i]
	}
	return inside, nil
}

// of is the quantity of a record in the cohort. Values are cut off and not refused:
// whoever asks chooses the bound, and could find the greatest value by refusals.
func (s *quantity) of(r Record) int64 {
	if s.lane == 0 {
		return int64(min(r.Value, uint64(s.hi)))
	}
	return int64(r.Lanes[s.lane])
}

func (t *tally) totals() []*big.Int {
	p := t.plan
	out := make([]*big.Int, len(p.totals))
	out[0] = big.NewInt(1)
	if p.count != 0 {
		out[p.count] = new(big.Int).SetUint64(t.count)
	}
	for i, c := range p.columns {
		out[c.sum] = t.sums[i].big()
		if c.squares != 0 {
			out[c.squares] = t.squares[i].big()
		}
	}
	for i, h := range p.histograms {
		for j, n := range t.bands[i] {
			out[h.first+j] = new(big.Int).SetUint64(n)
		}
	}
	return out
}
