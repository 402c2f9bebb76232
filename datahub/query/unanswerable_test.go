package query_test

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// What only the fleets' sizes show is found before the approval is spent on it.
func TestUnanswerable(t *testing.T) {
	dear := func(q *ledger.Query) {
		ofValue(q)
		q.Valuation.Price = "10000000000.00"
	}
	for name, c := range map[string]struct {
		query              *ledger.Query
		change             func(*ledger.Query)
		approved           []uint64 // enrolled in the fleets of parts that are approved
		enrolled, attested uint64
		want               string // "" if it can be answered
	}{
		"federated":                {aFederated(), nil, nil, 60, 50, ""},
		"exactly the minimum":      {aFederated(), nil, nil, 10, 10, ""},
		"below the minimum":        {aFederated(), nil, nil, 60, 9, "it takes at least 10 devices of the cohort, and 9 are attested"},
		"empty":                    {aFederated(), nil, nil, 0, 0, "at least 10 devices"},
		"no such query":            {aFederated(), func(q *ledger.Query) { q.Parameters = "x" }, nil, 60, 60, "parameters are"},
		"tells the count":          {aSum("1000", "1000"), nil, nil, 60, 60, "tells their count"},
		"a value that fits":        {aFederated(), dear, nil, 60, 60, ""},
		"own fleet too large":      {aFederated(), dear, nil, 1 << 32, 60, "sum of squares of (value"},
		"another fleet too large":  {aFederated(), dear, []uint64{10, 1 << 32}, 60, 60, "the largest fleet so far, of 4294967296 devices"},
		"more than there can be":   {aFederated(), nil, []uint64{1<<32 + 1}, 60, 60, "population is 4294967297"},
		"score":                    {aScore(), nil, nil, 60, 29, ""},
		"score of too few":         {aScore(), nil, nil, 60, 28, "it takes at least 29 devices of the cohort, and 28 are attested"},
		"score below the minimum":  {aScore(), func(q *ledger.Query) { q.MinimumCohort = 50 }, nil, 60, 49, "at least 50 devices"},
		"score of too many":        {aScore(), nil, nil, 1 << 24, 1<<23 + 1, "8388609 devices are attested, at most 8388608 can be scored"},
		"score of many, not heard": {aScore(), nil, nil, 1 << 24, 1 << 23, ""},
	} {
		if c.change != nil {
			c.change(c.query)
		}
		e := approved(c.query, c.approved...)
		e.Answers = e.Answers[:len(c.approved)]
		got := strings.Join(query.Unanswerable(e, c.enrolled, c.attested), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
