package federated

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// twin answers a figure from all records in the clear, by its definition.
func twin(q *Query, f Figure, records []Record) (value *big.Rat, bands []int64) {
	var xs []*big.Rat
	if f.Kind == Histogram {
		bands = make([]int64, len(f.Edges)+1)
	}
	for _, r := range records {
		if !inBox(q, r) {
			continue
		}
		x := quantityOf(q, f.Of, r)
		xs = append(xs, new(big.Rat).SetInt64(int64(x)))
		if f.Kind == Histogram {
			j := 0
			for _, e := range f.Edges {
				if x >= e {
					j++
				}
			}
			bands[j]++
		}
	}
	n := big.NewRat(int64(len(xs)), 1)
	switch f.Kind {
	case Count:
		return n, nil
	case Sum:
		return sumOf(xs), nil
	case Histogram:
		return nil, bands
	}
	mean := sumOf(xs)
	mean.Quo(mean, n)
	if f.Kind == Mean {
		return mean, nil
	}
	for i, x := range xs {
		d := new(big.Rat).Sub(x, mean)
		xs[i] = d.Mul(d, d)
	}
	v := sumOf(xs)
	return v.Quo(v, n), nil
}

func sumOf(xs []*big.Rat) *big.Rat {
	s := new(big.Rat)
	for _, x := range xs {
		s.Add(s, x)
	}
	return s
}

func inBox(q *Query, r Record) bool {
	for i := 1; i < len(r.Lanes); i++ {
		if r.Lanes[i] < q.Cohort.Lo[i] || r.Lanes[i] > q.Cohort.Hi[i] {
			return false
		}
	}
	return r.Lanes[0] == 1
}

func quantityOf(q *Query, name string, r Record) uint64 {
	for i, l := range q.Lanes {
		if l.Name == name {
			return uint64(r.Lanes[i])
		}
	}
	return r.Value
}

// TestTwin: for random queries and fleets, what is read from added residues is
// what the records say, exactly.
func TestTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkTwin(t, drawQuery(t)) })
}

// TestTwinOfTwoCiphertexts is [TestTwin] with a total that needs both moduli.
func TestTwinOfTwoCiphertexts(t *testing.T) {
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuery(t)
		q.Population = MaxPopulation
		q.Lanes = append(q.Lanes, Lane{"wide", 0, 1<<32 - 1})
		q.Cohort.Lo, q.Cohort.Hi = append(q.Cohort.Lo, 7), append(q.Cohort.Hi, 1<<32-1)
		q.Figures = append(q.Figures, Figure{Kind: Variance, Of: "wide"})
		if p := checkTwin(t, q); p != nil {
			if planned++; p.Ciphertexts() != 2 {
				t.Fatalf("%d ciphertexts", p.Ciphertexts())
			}
		}
	})
	if planned == 0 {
		t.Error("no query was planned")
	}
}

// checkTwin returns nil for a query that is too large; TestOverflow… say when.
func checkTwin(t *rapid.T, q *Query) *Plan {
	owners := rapid.IntRange(MinOwners, MaxOwners).Draw(t, "owners")
	present := rapid.IntRange(MinOwners, owners).Draw(t, "present")
	p, err := NewPlan(q, owners, moduli)
	if err != nil {
		if q.Check() != nil {
			t.Fatal(err)
		}
		return nil
	}
	var all []Record
	var parts [][]*big.Int
	for range present {
		records := drawFleet(t, q)
		part, err := p.Totals(fleet(records, nil))
		if err != nil {
			t.Fatal(err)
		}
		all, parts = append(all, records...), append(parts, part)
	}
	r, err := p.Read(add(p, moduli, parts), present)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range q.Figures {
		compare(t, q, f, r.Answers[i], all)
	}
	return p
}

func compare(t *rapid.T, q *Query, f Figure, a Answer, all []Record) {
	value, bands := twin(q, f, all)
	if d := cmp.Diff(f, a.Figure); d != "" {
		t.Fatal(d)
	}
	switch {
	case a.Deviation != 0:
		t.Fatalf("%v: deviation %g of an exact answer", f, a.Deviation)
	case value != nil && (a.Value == nil || value.Cmp(a.Value) != 0):
		t.Fatalf("%v: %v, want %v", f, a.Value, value)
	case len(bands) != len(a.Bands):
		t.Fatalf("%v: %d bands, want %d", f, len(a.Bands), len(bands))
	}
	for j, n := range bands {
		if a.Bands[j].Cmp(big.NewInt(n)) != 0 {
			t.Fatalf("%v: band %d: %v, want %d", f, j, a.Bands[j], n)
		}
	}
}

// TestPartsStayInBounds: no part leaves the plan's bound, and 16 of the worst do
// not wrap.
func TestPartsStayInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuery(t)
		p, err := NewPlan(q, MaxOwners, moduli)
		if err != nil {
			return
		}
		part, err := p.Totals(fleet(drawFleet(t, q), nil))
		if err != nil {
			t.Fatal(err)
		}
		for j, x := range part {
			if low, high := p.totals[j].bounds(); x.Cmp(low) < 0 || x.Cmp(high) > 0 {
				t.Fatalf("%s is %v, outside [%v, %v]", p.totals[j].name, x, low, high)
			}
			if x.CmpAbs(p.Bound()) > 0 {
				t.Fatalf("%s is %v, above %v", p.totals[j].name, x, p.Bound())
			}
		}
		sixteen := new(big.Int).Mul(p.Bound(), big.NewInt(MaxOwners))
		if sixteen.Cmp(half(moduli[:p.Ciphertexts()])) > 0 {
			t.Fatalf("16 × %v wraps in %d moduli", p.Bound(), p.Ciphertexts())
		}
	})
}

// TestWide: 128-bit sums are those of big integers at the ends of their range.
func TestWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOf(rapid.Int64Range(-MaxValue, MaxValue)).Draw(t, "xs")
		var sum, squares wide
		wantSum, wantSquares := new(big.Int), new(big.Int)
		for _, x := range xs {
			sum.add(x)
			squares.addSquare(x)
			wantSum.Add(wantSum, big.NewInt(x))
			wantSquares.Add(wantSquares, mul(big.NewInt(x), big.NewInt(x)))
		}
		if sum.big().Cmp(wantSum) != 0 || squares.big().Cmp(wantSquares) != 0 {
			t.Fatalf("%v, %v; want %v, %v", sum.big(), squares.big(), wantSum, wantSquares)
		}
	})
}
