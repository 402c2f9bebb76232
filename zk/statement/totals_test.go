package statement_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

func TestSum(t *testing.T) {
	p, err := asked().Parameters()
	if err != nil {
		t.Fatal(err)
	}
	in := record.Record{1, 8000, 10, 0, 5, 6, 500, 2}
	outside := map[string]record.Record{
		"absent":                     {},
		"below":                      {1, 6999, 10, 0, 5, 6, 500, 2},
		"above":                      {1, 8000, 10, 0, 5, 6, 500, 3},
		"beyond the schema's bounds": {1, 15_001, 10, 0, 5, 6, 500, 2},
		"presence 0 with lanes":      {0, 8000, 10, 0, 5, 6, 500, 2},
		"presence of 2":              {2, 8000, 10, 0, 5, 6, 500, 2},
	}
	records, population := []record.Record{in, in}, uint64(2)
	for name, r := range outside {
		if p.Bounds.Contains(r) || p.ExactValue(r).Sign() != 0 {
			t.Errorf("%s: in the cohort, worth %s", name, p.ExactValue(r))
		}
		if r[0] == 1 {
			records, population = append(records, r), population+1
		}
	}
	got := p.Sum(append(records, record.Record{}))
	want := statement.Totals{Population: population, Count: 2, Sums: [record.Lanes]uint64{0, 16_000, 20, 0, 10, 12, 1000, 4}}
	want.Exact = new(big.Int).Mul(statement.ValueScale(), big.NewInt(2*125_000*6/10))
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
		t.Error(diff)
	}
	if v := got.Add(got).Value(); v.Int64() != 4*75_000 {
		t.Errorf("twice the value is %s", v)
	}
}

// TestValueIsRoundedDownOnce adds up halves of the last unit.
func TestValueIsRoundedDownOnce(t *testing.T) {
	s := asked()
	s.Cohort, s.Claims = nil, nil
	s.Valuation = &statement.Valuation{Price: "0.01", Currency: "EUR", Curves: []statement.Curve{{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "0.5"}}}}}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []int64{0, 0, 1, 1, 2, 2} {
		records := make([]record.Record, n)
		for i := range records {
			records[i][0] = 1
		}
		if v := p.Sum(records).Value(); v.Int64() != want {
			t.Errorf("%d devices at half a hundredth are worth %s, want %d", n, v, want)
		}
	}
}

func TestDisclosed(t *testing.T) {
	got, err := asked().Disclosed()
	if err != nil {
		t.Fatal(err)
	}
	want := [statement.TotalCount]bool{statement.Population: true, statement.Value: true, lane3: true}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	s := asked()
	s.Disclose = []string{"population"}
	if got, err := s.Disclosed(); err != nil || got != [statement.TotalCount]bool{true} {
		t.Errorf("the population by name: %v, %v", got, err)
	}
}

func TestFormatTotal(t *testing.T) {
	for _, c := range []struct {
		index        int
		value, count int64
		want         statement.DisclosedTotal
	}{
		{statement.Population, 12, 10, statement.DisclosedTotal{Name: "population", Value: "12", Unit: "devices"}},
		{statement.Count, 10, 10, statement.DisclosedTotal{Name: "count", Value: "10", Unit: "devices"}},
		{statement.Value, 123_405, 10, statement.DisclosedTotal{Name: "value", Value: "1234.05", Unit: "EUR"}},
		{lane1, 85_007, 10, statement.DisclosedTotal{Name: "sum of state_of_health", Value: "850.07", Unit: "%"}},
		{lane3, 7, 10, statement.DisclosedTotal{Name: "sum of age_days", Value: "7", Unit: "days"}},
		{lane6, 6505, 10, statement.DisclosedTotal{Name: "sum of peak_temperature", Value: "250.5", Unit: "°C"}},
		{lane6, 3505, 10, statement.DisclosedTotal{Name: "sum of peak_temperature", Value: "-49.5", Unit: "°C"}},
		{lane6, 6505, -1, statement.DisclosedTotal{Name: "sum of peak_temperature", Value: "650.5", Unit: "°C above -40 each"}},
	} {
		count := big.NewInt(c.count)
		if c.count < 0 {
			count = nil
		}
		value := big.NewInt(c.value)
		got, err := asked().FormatTotal(c.index, value, count)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
		if value.Int64() != c.value {
			t.Error("the total was changed")
		}
		if schema, _ := record.Lookup("battery/v1"); c.index > statement.LaneSum && count != nil {
			if want := schema.Lanes[c.index-statement.LaneSum].FormatSum(uint64(c.value), uint64(c.count)); want != got.Value {
				t.Errorf("the schema prints %s as %s", got.Value, want)
			}
		}
	}
}

// TestTextSaysWhatIsMeant reads the parts of a text that depend on what is left
// out.
func TestTextSaysWhatIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *statement.Statement)
		want   string
	}{
		"everybody":            {func(s *statement.Statement) { s.Cohort = nil }, "Cohort      every device that reported\n"},
		"one side":             {func(s *statement.Statement) { s.Cohort = s.Cohort[1:2] }, "Cohort      fault_count at most 2 faults\n"},
		"nothing disclosed":    {func(s *statement.Statement) { s.Disclose = nil }, "Disclosed   the population only\n"},
		"value without curves": {func(s *statement.Statement) { s.Valuation.Curves = nil }, "Value       1250.00 EUR for each device\n"},
		"unknown schema":       {func(s *statement.Statement) { s.Schema = "x" }, "unknown schema \"x\"\n"},
		"signs turned": {func(s *statement.Statement) {
			s.Claims = []statement.Claim{{Terms: []statement.Term{{Total: "count", Coefficient: "-1"}, {Total: "value", Coefficient: "-0.5"}}, AtLeast: "-7"}}
		}, "Claim 1     −count − 0.5·value ≥ −7\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := asked()
			c.change(s)
			if text := s.Text(); !strings.Contains(text, c.want) {
				t.Errorf("want %q in\n%s", c.want, text)
			}
		})
	}
	s := asked()
	s.Valuation, s.Claims, s.Disclose = nil, nil, nil
	if text := s.Text(); strings.Contains(text, "Value ") || strings.Contains(text, "Claim") {
		t.Errorf("a text about values or claims without any:\n%s", text)
	}
}

// TestRangeWithoutBounds: such a range says nothing, so it is refused or read as
// nothing, but never printed as a bound that is not there.
func TestRangeWithoutBounds(t *testing.T) {
	s := asked()
	s.Cohort = []statement.Range{{Lane: "age_days"}}
	if s.Check() != nil {
		return
	}
	if text := s.Text(); strings.Contains(text, "age_days at most  days") {
		t.Errorf("accepted, and printed as\n%s", text)
	}
}
