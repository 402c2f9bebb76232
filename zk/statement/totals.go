package statement

import (
	"fmt"
	"math/big"

	"github.com/assay-net/assay/zk/record"
)

// Indices of the totals, in the order that circuits, claims and disclosures use.
const (
	Population = 0 // devices that reported
	Count      = 1 // devices in the cohort
	Value      = 2 // value of the cohort in 0.01 currency units, rounded down once
	LaneSum    = 2 // LaneSum + i is the sum of lane i over the cohort, i from 1
	TotalCount = LaneSum + record.Lanes
)

// Bounds that keep every total and claim far below the field's size.
const (
	CountBits = 32
	SumBits   = 62
	ValueBits = 80
	// ExactBits bounds the exact value: 32 bits of devices, 41 of price, 56 for
	// each factor.
	ExactBits = 186
)

// Totals are a chunk's or a fleet's sums. Sums are in the lanes' stored units,
// Exact in units of 1/[ValueScale] of 0.01 currency units.
type Totals struct {
	Population, Count uint64
	Sums              [record.Lanes]uint64 // index 0 is unused
	Exact             *big.Int
}

// Sum adds up the totals of records under the parameters. It is the native
// twin of what the chunk circuit proves.
func (p *Parameters) Sum(records []record.Record) Totals {
	t := Totals{Exact: new(big.Int)}
	for _, r := range records {
		t.Population += uint64(r[0])
		if !p.Bounds.Contains(r) {
			continue
		}
		t.Count++
		for i := 1; i < record.Lanes; i++ {
			t.Sums[i] += uint64(r[i])
		}
		t.Exact.Add(t.Exact, p.ExactValue(r))
	}
	return t
}

// Add returns the sum of two totals.
func (t Totals) Add(o Totals) Totals {
	t.Population += o.Population
	t.Count += o.Count
	for i := range t.Sums {
		t.Sums[i] += o.Sums[i]
	}
	t.Exact = new(big.Int).Add(t.Exact, o.Exact)
	return t
}

// Value is the value in 0.01 currency units, rounded down.
func (t Totals) Value() *big.Int { return new(big.Int).Quo(t.Exact, valueScale()) }

// Vector lists the totals by index, as integers.
func (t Totals) Vector() [TotalCount]*big.Int {
	v := [TotalCount]*big.Int{
		Population: new(big.Int).SetUint64(t.Population),
		Count:      new(big.Int).SetUint64(t.Count),
		Value:      t.Value(),
	}
	for i := 1; i < record.Lanes; i++ {
		v[LaneSum+i] = new(big.Int).SetUint64(t.Sums[i])
	}
	return v
}

// total describes one total of a schema: its name, its decimal places, and for
// lanes stored with an offset what each counted device adds to the stored sum.
type total struct {
	name, unit string
	places     int
	offset     int64
}

func (s *Statement) totals(schema *record.Schema) [TotalCount]total {
	currency := ""
	if s.Valuation != nil {
		currency = s.Valuation.Currency
	}
	t := [TotalCount]total{
		Population: {name: "population", unit: "devices"},
		Count:      {name: "count", unit: "devices"},
		Value:      {name: "value", unit: currency, places: 2},
	}
	for i := 1; i < record.Lanes; i++ {
		l := schema.Lanes[i]
		t[LaneSum+i] = total{l.Name, l.Unit, l.Scale, int64(l.Offset)}
	}
	return t
}

func (s *Statement) totalIndex(schema *record.Schema, name string) (int, error) {
	for i, t := range s.totals(schema) {
		if t.name == name {
			if i == Value && s.Valuation == nil {
				return 0, fmt.Errorf("total %q needs a valuation", name)
			}
			return i, nil
		}
	}
	return 0, fmt.Errorf("schema %s has no total %q", schema.Name, name)
}

// Disclosed reports, by index, which totals are revealed exactly. The
// population always is: it must equal the ledger's count of attestations.
func (s *Statement) Disclosed() ([TotalCount]bool, error) {
	var d [TotalCount]bool
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return d, fmt.Errorf("statement: schema: %w", err)
	}
	d[Population] = true
	if len(s.Disclose) > TotalCount {
		return d, fmt.Errorf("statement: disclose has %d names, at most %d", len(s.Disclose), TotalCount)
	}
	seen := map[string]bool{}
	for _, name := range s.Disclose {
		i, err := s.totalIndex(schema, name)
		if err != nil {
			return d, fmt.Errorf("statement: disclose: %w", err)
		}
		if seen[name] {
			return d, fmt.Errorf("statement: disclose: %q is listed twice", name)
		}
		seen[name] = true
		d[i] = true
	}
	return d, nil
}

// DisclosedTotal is one total as a verdict shows it.
type DisclosedTotal struct {
	Name  string `json:"name"`
	Value string `json:"value"` // decimal text in Unit
	Unit  string `json:"unit"`
}

// FormatTotal prints a total in its physical unit. The count is needed for
// lanes that are stored with an offset; nil means that it was not disclosed,
// and such a sum is then shown in stored units.
func (s *Statement) FormatTotal(index int, value, count *big.Int) (DisclosedTotal, error) {
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return DisclosedTotal{}, err
	}
	t := s.totals(schema)[index]
	switch {
	case index <= LaneSum:
		return DisclosedTotal{t.name, record.FormatDecimal(value, t.places), t.unit}, nil
	case t.offset == 0:
		count = new(big.Int)
	case count == nil:
		return DisclosedTotal{"sum of " + t.name, record.FormatDecimal(value, t.places), fmt.Sprintf("%s above %d each", t.unit, -t.offset)}, nil
	}
	return DisclosedTotal{"sum of " + t.name, schema.Lanes[index-LaneSum].FormatSum(value.Uint64(), count.Uint64()), t.unit}, nil
}
