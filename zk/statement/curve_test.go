package statement

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/zk/record"
)

// factors evaluates a curve over a lane of battery/v1 with a cohort, in 10^-6
// rounded down.
func factors(t *testing.T, cohort []Range, c Curve, at ...string) []string {
	t.Helper()
	s := Statement{Schema: "battery/v1", Cohort: cohort, Valuation: &Valuation{Price: "1.00", Currency: "EUR", Curves: []Curve{c}}}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	schema, _ := record.Lookup(s.Schema)
	lane := schema.Lanes[p.Lanes[0]]
	var out []string
	for _, text := range at {
		v, err := lane.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		f := p.segmentOf(0, v).factorAt(v)
		out = append(out, record.FormatDecimal(new(big.Int).Rsh(f, SlopeBits), FactorPlaces))
	}
	return out
}

func TestCurve(t *testing.T) {
	for _, c := range []struct {
		name   string
		cohort []Range
		curve  Curve
		at     []string
		want   []string
	}{
		{"flat beyond the knots", nil, Curve{"age_days", []Knot{{"100", "1"}, {"200", "0.5"}}},
			[]string{"0", "99", "100", "150", "199", "200", "201", "36525"},
			[]string{"1.000000", "1.000000", "1.000000", "0.750000", "0.505000", "0.500000", "0.500000", "0.500000"}},
		{"one knot", nil, Curve{"age_days", []Knot{{"100", "0.7"}}}, []string{"0", "100", "36525"}, []string{"0.700000", "0.700000", "0.700000"}},
		{"a step", nil, Curve{"state_of_health", []Knot{{"69.99", "0"}, {"70", "0.5"}}},
			[]string{"0", "69.98", "69.99", "70", "70.01", "150"}, []string{"0.000000", "0.000000", "0.000000", "0.500000", "0.500000", "0.500000"}},
		{"a step down", nil, Curve{"fault_count", []Knot{{"3", "1"}, {"4", "0"}}}, []string{"0", "3", "4", "65535"}, []string{"1.000000", "1.000000", "0.000000", "0.000000"}},
		{"knots at the schema's bounds", nil, Curve{"fault_count", []Knot{{"0", "0"}, {"65535", "10"}}}, []string{"0", "65535"}, []string{"0.000000", "10.000000"}},
		{"rising by thirds", nil, Curve{"fault_count", []Knot{{"0", "0"}, {"3", "0.000001"}}}, []string{"1", "2", "3"}, []string{"0.000000", "0.000000", "0.000001"}},
		{"cut by the cohort", []Range{{Lane: "age_days", Min: "150", Max: "160"}}, Curve{"age_days", []Knot{{"100", "1"}, {"200", "0.5"}}},
			[]string{"150", "155", "160"}, []string{"0.750000", "0.725000", "0.700000"}},
		{"cohort of one value", []Range{{Lane: "age_days", Min: "150", Max: "150"}}, Curve{"age_days", []Knot{{"100", "1"}, {"200", "0.5"}}}, []string{"150"}, []string{"0.750000"}},
		{"a lane with an offset", nil, Curve{"peak_temperature", []Knot{{"-20", "1"}, {"60", "0.2"}}}, []string{"-40", "-20", "0", "20", "60"},
			[]string{"1.000000", "1.000000", "0.800000", "0.600000", "0.200000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, factors(t, c.cohort, c.curve, c.at...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCurveRefusesBelowZero: a slope rounded down, over many lane units, can
// take a factor below zero before it reaches its last knot.
func TestCurveRefusesBelowZero(t *testing.T) {
	at := func(last string) error {
		s := Statement{Schema: "charger/v1", Valuation: &Valuation{Price: "1.00", Currency: "EUR", Curves: []Curve{
			{"energy_Wh", []Knot{{"0", "0.000001"}, {"999999999", last}}},
		}}}
		_, err := s.Parameters()
		return err
	}
	err := at("0")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"valuation", "energy_Wh", "falls below zero"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a word about %q", err, want)
		}
	}
	if err := at("0.000001"); err != nil {
		t.Error(err)
	}
}

// TestCurveRounding draws curves on the widest lane and checks what is promised
// of them: every lane value lies in one segment, no factor is above the line
// through the knots or more than 10^-6 below it, and none is below zero.
func TestCurveRounding(t *testing.T) {
	schema, err := record.Lookup("charger/v1")
	if err != nil {
		t.Fatal(err)
	}
	lane := schema.Lanes[1]
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfNDistinct(rapid.Uint32Range(0, lane.Max), 1, MaxKnots, rapid.ID[uint32]).Draw(t, "knots")
		slices.Sort(at)
		c := Curve{Lane: lane.Name}
		var micros []int64
		for _, v := range at {
			f := rapid.Int64Range(0, maxFactor*1_000_000).Draw(t, "factor")
			micros = append(micros, f)
			c.Knots = append(c.Knots, Knot{lane.Format(v), record.FormatDecimal(big.NewInt(f), FactorPlaces)})
		}
		lo := rapid.Uint32Range(0, lane.Max).Draw(t, "lo")
		hi := rapid.Uint32Range(lo, lane.Max).Draw(t, "hi")
		ks, err := c.knots(lane)
		if err != nil {
			t.Fatal(err)
		}
		segs, err := segments(ks, lo, hi)
		if err != nil {
			t.Skip(err)
		}
		checkCover(t, segs, lo, hi)
		for _, v := range append(at, lo, hi, rapid.Uint32Range(lo, hi).Draw(t, "value")) {
			if v < lo || v > hi {
				continue
			}
			i := slices.IndexFunc(segs, func(s Segment) bool { return v <= s.End })
			got := new(big.Rat).SetFrac(segs[i].factorAt(v), new(big.Int).Lsh(pow10(FactorPlaces), SlopeBits))
			line := lineAt(at, micros, v)
			short := new(big.Rat).Sub(line, got)
			if short.Sign() < 0 || short.Cmp(big.NewRat(1, 1_000_000)) > 0 || got.Sign() < 0 {
				t.Fatalf("at %d the factor is %s, the line %s", v, got.FloatString(15), line.FloatString(15))
			}
			if slices.Contains(at, v) && short.Sign() != 0 {
				t.Fatalf("at the knot %d the factor is %s, not %s", v, got.FloatString(15), line.FloatString(15))
			}
		}
	})
}

func checkCover(t *rapid.T, segs []Segment, lo, hi uint32) {
	if len(segs) == 0 || len(segs) > MaxSegments || segs[0].Start != lo || segs[len(segs)-1].End != hi {
		t.Fatalf("segments %v do not cover %d to %d", segs, lo, hi)
	}
	for i := range segs {
		if segs[i].Start > segs[i].End || (i > 0 && segs[i].Start != segs[i-1].End+1) {
			t.Fatalf("segments %v leave out a value or repeat one", segs)
		}
	}
}

// lineAt is the curve without any rounding.
func lineAt(at []uint32, micros []int64, v uint32) *big.Rat {
	last := len(at) - 1
	if v <= at[0] {
		return big.NewRat(micros[0], 1_000_000)
	}
	if v >= at[last] {
		return big.NewRat(micros[last], 1_000_000)
	}
	i := slices.IndexFunc(at, func(k uint32) bool { return k > v }) - 1
	out := big.NewRat(micros[i+1]-micros[i], int64(at[i+1])-int64(at[i]))
	out.Mul(out, big.NewRat(int64(v)-int64(at[i]), 1))
	out.Add(out, big.NewRat(micros[i], 1))
	return out.Mul(out, big.NewRat(1, 1_000_000))
}

// TestFlatCurves gives a statement with fewer curves factors of one on lanes
// that no curve uses.
func TestFlatCurves(t *testing.T) {
	for _, c := range []struct {
		lanes []string
		want  [MaxCurves]int
	}{
		{nil, [2]int{1, 2}}, {[]string{"state_of_health"}, [2]int{1, 2}}, {[]string{"equivalent_full_cycles"}, [2]int{2, 1}},
		{[]string{"fault_count"}, [2]int{7, 1}}, {[]string{"fault_count", "age_days"}, [2]int{7, 3}},
	} {
		s := Statement{Schema: "battery/v1", Valuation: &Valuation{Price: "2.50", Currency: "EUR"}}
		for _, lane := range c.lanes {
			s.Valuation.Curves = append(s.Valuation.Curves, Curve{lane, []Knot{{"1", "1"}}})
		}
		p, err := s.Parameters()
		if err != nil {
			t.Fatal(err)
		}
		if p.Lanes != c.want {
			t.Errorf("%v: lanes %v, want %v", c.lanes, p.Lanes, c.want)
		}
		v := p.ExactValue(record.Record{1, 5000, 10, 10, 10, 10, 10, 10})
		if v.Cmp(new(big.Int).Mul(big.NewInt(250), ValueScale())) != 0 {
			t.Errorf("%v: value is %s", c.lanes, v)
		}
	}
	s := Statement{Schema: "battery/v1"}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	if v := p.ExactValue(record.Record{1}); v.Sign() != 0 {
		t.Errorf("without a valuation a device is worth %s", v)
	}
}

// TestVectorIsPinned: the parameters' numbers, each in its place.
func TestVectorIsPinned(t *testing.T) {
	s := Statement{Schema: "battery/v1", Cohort: []Range{{Lane: "age_days", Min: "5", Max: "400"}},
		Valuation: &Valuation{Price: "12.34", Currency: "EUR", Curves: []Curve{{"age_days", []Knot{{"10", "1"}, {"20", "0.5"}}}}}}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	v := p.Vector()
	if len(v) != VectorSize {
		t.Fatalf("%d numbers, want %d", len(v), VectorSize)
	}
	get := func(i int) string { return v[i].BigInt(new(big.Int)).String() }
	one := new(big.Int).Lsh(pow10(FactorPlaces), SlopeBits)
	slope := new(big.Int).Sub(fr.Modulus(), new(big.Int).Lsh(big.NewInt(50_000), SlopeBits))
	for at, want := range map[int]string{
		AtBase + 0: "0", AtBase + 2: "0", AtBase + 7: "0", AtBase + 9: "0", AtBase + 8: "1000000", // the curves' lanes are 3 and 1
		AtBounds + 2: "5", AtBounds + 9: "400", AtBounds + 7: "15000",
		AtSelect + 2: "1", AtSelect + 0: "0", AtSelect + 7: "1", AtSelect + 9: "0",
		AtSegments + 0: "5", AtSegments + 1: "10", AtSegments + 2: "20", AtSegments + 3: "4", AtSegments + 8: "9",
		AtSegments + MaxSegments + 0: "9", AtSegments + MaxSegments + 1: "19", AtSegments + MaxSegments + 2: "400", AtSegments + MaxSegments + 3: "3", AtSegments + MaxSegments + 8: "8",
		AtSegments + 2*MaxSegments: one.String(), AtSegments + 3*MaxSegments + 1: slope.String(), AtSegments + 3*MaxSegments: "0",
		AtSegments + 4*MaxSegments: "0", AtSegments + 5*MaxSegments: "15000", AtSegments + 6*MaxSegments: one.String(),
		AtPrice: "1234",
	} {
		if get(at) != want {
			t.Errorf("number %d is %s, want %s", at, get(at), want)
		}
	}
}
