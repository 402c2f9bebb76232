package query_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// aSum asks for an exact sum without the count, of batteries of an age.
func aSum(lo, hi string) *ledger.Query {
	q := aFederated()
	q.Subject, q.Edges, q.Totals = "age_days", nil, []string{policy.TotalSum}
	q.Cohort, q.MinimumCohort = []statement.Range{{Lane: "age_days", Min: lo, Max: hi}}, 1
	return q
}

// A sum of what is the same for every battery is their number, times that.
func TestSumThatTellsTheCount(t *testing.T) {
	flat := func(price string, curves ...statement.Curve) func(*ledger.Query) {
		return func(q *ledger.Query) {
			q.Subject, q.Valuation = "value", &statement.Valuation{Price: price, Currency: "EUR", Curves: curves}
		}
	}
	same := statement.Curve{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "0.5"}, {At: "3650", Factor: "0.5"}}}
	falls := statement.Curve{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}, {At: "3650", Factor: "0"}}}
	for name, c := range map[string]struct {
		lo, hi  string
		change  func(*ledger.Query)
		refused bool
	}{
		"pinned":                       {"1000", "1000", nil, true},
		"at zero":                      {"0", "0", nil, false}, // the sum is 0
		"nearly":                       {"1000", "1001", nil, true},
		"3 of 300 to 598":              {"300", "598", nil, true}, // 1198 is above 2·598 and 1200 is 4·300
		"3 of 300 to 599":              {"300", "599", nil, true}, // 1199
		"3 of 300 to 600":              {"300", "600", nil, false},
		"wide":                         {"1", "3650", nil, false},
		"of many":                      {"1000", "1001", func(q *ledger.Query) { q.MinimumCohort = 667 }, false},
		"of many that are not so many": {"1000", "1001", func(q *ledger.Query) { q.MinimumCohort = 666 }, true},
		"with the count":               {"1000", "1000", func(q *ledger.Query) { q.Totals = []string{policy.TotalCount, policy.TotalSum} }, false},
		"with bands": {"1000", "1001", func(q *ledger.Query) {
			q.Totals, q.Edges = []string{policy.TotalSum, policy.TotalHistogram}, []string{"1001"}
		}, false},
		"a price alone":      {"0", "3650", flat("100.00"), true},
		"no price":           {"0", "3650", flat("0"), false},
		"a flat curve":       {"0", "3650", flat("100.00", same), true},
		"a curve":            {"0", "3650", flat("100.00", falls), false},
		"a curve at one age": {"365", "365", flat("100.00", falls), true},
	} {
		q := aSum(c.lo, c.hi)
		if c.change != nil {
			c.change(q)
		}
		_, planned := query.Plan(approved(q, 10_000))
		for _, err := range []error{query.Check(q), planned} {
			if c.refused {
				wants(t, err, "tells their count")
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A sum that is not refused leaves, in every case, more than one number that it can be of; one that is does not in some.
func TestSumThatLeavesTheCountOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Int64Range(1, 40).Draw(t, "lo")
		hi := lo + rapid.Int64Range(0, 12).Draw(t, "wider")
		q := aSum(big.NewInt(lo).String(), big.NewInt(hi).String())
		q.MinimumCohort = rapid.Uint64Range(1, 8).Draw(t, "minimum")
		n := int64(q.MinimumCohort) * 3 // three owners
		told := false
		for sum := n * lo; sum <= n*hi; sum++ {
			others := 0
			for other := int64(1); other <= 2*n*hi; other++ {
				if other != n && other*lo <= sum && sum <= other*hi {
					others++
				}
			}
			told = told || others == 0
		}
		if err := query.Check(q); (err != nil) != told {
			t.Fatalf("%d of %d to %d: told %t, %v", n, lo, hi, told, err)
		}
	})
}
