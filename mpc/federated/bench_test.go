package federated

import (
	"fmt"
	"testing"
)

// BenchmarkTotals is one owner's part of a sum and a histogram of 16 bands over
// a million batteries, the records coming from memory.
func BenchmarkTotals(b *testing.B) {
	const n = 1_000_000
	q := asked()
	q.Lanes = append(q.Lanes, Lane{"a", 0, 1 << 20}, Lane{"b", 0, 10000}, Lane{"c", 0, 2400}, Lane{"d", 0, 65535}, Lane{"e", 0, 1 << 20})
	q.Cohort.Lo, q.Cohort.Hi = make([]uint32, 8), []uint32{0, 15000, 36525, 1 << 20, 10000, 2400, 65535, 1 << 20}
	h := Figure{Kind: Histogram, Of: "state_of_health"}
	for e := range uint64(15) {
		h.Edges = append(h.Edges, 7500+e*500)
	}
	q.Valuation = nil
	lanes := make([]uint32, 8*n)
	for i := range n {
		copy(lanes[8*i:], []uint32{1, uint32(i*7919) % 15001, uint32(i) % 36526, 1, 2, 3, 4, 5})
	}
	records := func(yield func(Record, error) bool) {
		for i := range n {
			if !yield(Record{Lanes: lanes[8*i : 8*i+8]}, nil) {
				return
			}
		}
	}
	for _, figures := range [][]Figure{
		{{Kind: Sum, Of: "state_of_health"}, h},
		{{Kind: Variance, Of: "state_of_health"}, {Kind: Variance, Of: "age_days"}, h},
	} {
		q.Figures = figures
		p, err := NewPlan(q, 3, moduli)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%s+histogram16/n=%d", figures[0].Kind, n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Totals(records); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, name := range []string{"exact", "laplace", "gaussian"} {
		q := asked()
		switch name {
		case "laplace":
			q.Privacy = &budgets[0]
		case "gaussian":
			q.Privacy = &budgets[1]
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := NewPlan(q, 3, moduli); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
