package statement_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

const (
	lane1   = statement.LaneSum + 1
	lane3   = statement.LaneSum + 3
	lane6   = statement.LaneSum + 6
	largest = "10633823966279326983230456482242756607" // 2^123 − 1
)

func TestClaimsInIntegers(t *testing.T) {
	term := func(total, coefficient string) statement.Term {
		return statement.Term{Total: total, Coefficient: coefficient}
	}
	for _, c := range []struct {
		name  string
		claim statement.Claim
		a     map[int]int64
		b     string
	}{
		{"count", statement.Claim{Terms: []statement.Term{term("count", "1")}, AtLeast: "18000"}, map[int]int64{statement.Count: 1}, "18000"},
		{"value in hundredths", statement.Claim{Terms: []statement.Term{term("value", "1")}, AtLeast: "20000000.00"}, map[int]int64{statement.Value: 1}, "2000000000"},
		{"mean state of health", statement.Claim{Terms: []statement.Term{term("state_of_health", "1"), term("count", "-85")}, AtLeast: "0"},
			map[int]int64{lane1: 1, statement.Count: -8500}, "0"},
		{"mean of a lane with an offset", statement.Claim{Terms: []statement.Term{term("peak_temperature", "-1"), term("count", "45")}, AtLeast: "0"},
			map[int]int64{lane6: -1, statement.Count: 850}, "0"},
		{"sum of a lane with an offset", statement.Claim{Terms: []statement.Term{term("peak_temperature", "1")}, AtLeast: "3.5"},
			map[int]int64{lane6: 1, statement.Count: -400}, "35"},
		{"an offset made up for", statement.Claim{Terms: []statement.Term{term("count", "40"), term("peak_temperature", "1")}, AtLeast: "-1"},
			map[int]int64{lane6: 1}, "-10"},
		{"half of the count", statement.Claim{Terms: []statement.Term{term("count", "0.5")}, AtLeast: "1"}, map[int]int64{statement.Count: 1}, "2"},
		{"thirds", statement.Claim{Terms: []statement.Term{term("count", "3"), term("population", "-6")}, AtLeast: "9"},
			map[int]int64{statement.Count: 1, statement.Population: -2}, "3"},
		{"nothing in common", statement.Claim{Terms: []statement.Term{term("count", "3"), term("age_days", "5")}, AtLeast: "-7"},
			map[int]int64{statement.Count: 3, lane3: 5}, "-7"},
		{"a zero beside", statement.Claim{Terms: []statement.Term{term("count", "0"), term("age_days", "2")}, AtLeast: "0"}, map[int]int64{lane3: 1}, "0"},
		{"smallest parts", statement.Claim{Terms: []statement.Term{term("value", "0.000001")}, AtLeast: "0.000001"}, map[int]int64{statement.Value: 1}, "100"},
		{"largest coefficient", statement.Claim{Terms: []statement.Term{term("count", "1099511.627775")}, AtLeast: "0.000001"}, map[int]int64{statement.Count: 1<<40 - 1}, "1"},
		{"largest bound", statement.Claim{Terms: []statement.Term{term("count", "1")}, AtLeast: largest}, map[int]int64{statement.Count: 1}, largest},
		{"smallest bound", statement.Claim{Terms: []statement.Term{term("count", "1")}, AtLeast: "-" + largest}, map[int]int64{statement.Count: 1}, "-" + largest},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := asked()
			s.Claims = []statement.Claim{c.claim}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			got, err := s.Integers()
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range got[0].A {
				if a.Cmp(big.NewInt(c.a[i])) != 0 {
					t.Errorf("coefficient %d is %s, want %d", i, a, c.a[i])
				}
			}
			if got[0].B.String() != c.b {
				t.Errorf("bound is %s, want %s", got[0].B, c.b)
			}
		})
	}
}

// TestClaimHoldsAtBound evaluates a claim at its bound and beside it.
func TestClaimHoldsAtBound(t *testing.T) {
	s := asked()
	s.Claims = s.Claims[1:2] // the mean state of health is at least 85 %
	claims, err := s.Integers()
	if err != nil {
		t.Fatal(err)
	}
	for sum, want := range map[uint64]bool{84_999: false, 85_000: true, 85_001: true} {
		totals := statement.Totals{Count: 10, Exact: new(big.Int)}
		totals.Sums[1] = sum
		if got := claims[0].Holds(totals); got != want {
			t.Errorf("sum %d over 10 devices: %v, want %v", sum, got, want)
		}
	}
}

// TestClaimsCannotWrap puts every bound at its end at once: the difference that
// a circuit decides on stays within its bits, and those far from the field.
func TestClaimsCannotWrap(t *testing.T) {
	bits := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1)) }
	devices, coefficient := bits(statement.CountBits), bits(statement.CoefficientBits)
	total := new(big.Int).Lsh(devices, 1) // population and count
	total.Add(total, bits(statement.ValueBits))
	for i := 1; i < record.Lanes; i++ {
		lane := new(big.Int).Mul(devices, bits(record.Capacity[i]))
		if lane.BitLen() > statement.SumBits {
			t.Errorf("a sum of lane %d may need %d bits of %d", i, lane.BitLen(), statement.SumBits)
		}
		total.Add(total, bits(statement.SumBits))
	}
	difference := new(big.Int).Mul(total, coefficient)
	difference.Add(difference, bits(statement.ClaimBits-3))
	if difference.BitLen() > statement.ClaimBits-1 {
		t.Errorf("a claim's difference may need %d bits, of %d", difference.BitLen(), statement.ClaimBits)
	}
	if fr.Bits-1 <= statement.ClaimBits+1 {
		t.Error("claims are close to the field")
	}
}

// TestValueFits prices every device of the largest fleet at the most.
func TestValueFits(t *testing.T) {
	s := asked()
	s.Cohort = nil
	s.Valuation.Price = "10995116277.76"
	for i := range s.Valuation.Curves {
		s.Valuation.Curves[i].Knots = []statement.Knot{{At: "1", Factor: "10"}}
	}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	all := p.ExactValue(record.Record{1})
	all.Mul(all, new(big.Int).SetUint64(1<<32-1))
	if all.BitLen() > statement.ExactBits || all.Cmp(fr.Modulus()) >= 0 {
		t.Errorf("the exact value may need %d bits, of %d", all.BitLen(), statement.ExactBits)
	}
	if v := (statement.Totals{Exact: all}).Value(); v.BitLen() > statement.ValueBits {
		t.Errorf("the value may need %d bits, of %d", v.BitLen(), statement.ValueBits)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(12), nil)
	if got := statement.ValueScale(); got.Cmp(scale.Lsh(scale, 64)) != 0 {
		t.Errorf("the scale is %s", got)
	}
}
