package policy

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func health(knots ...Knot) CurveShape {
	return CurveShape{Lane: "state_of_health", Index: 1, Min: 0, Max: 15000, Knots: knots}
}

func TestWarnings(t *testing.T) {
	whole := Cohort{Lo: []uint32{0, 0}, Hi: []uint32{1, 15000}, All: true}
	age := CurveShape{Lane: "age_days", Index: 2, Min: 0, Max: 36525, Knots: []Knot{{0, 1_000_000}, {3650, 200_000}}}
	straight := health(Knot{7000, 400_000}, Knot{10000, 1_000_000})
	for name, c := range map[string]struct {
		curves []CurveShape
		cohort Cohort
		want   []string
	}{
		"no model":                 {nil, whole, nil},
		"a straight line":          {[]CurveShape{straight}, whole, nil},
		"a constant":               {[]CurveShape{health(Knot{7000, 0})}, whole, nil},
		"ten to one":               {[]CurveShape{health(Knot{0, 100_000}, Knot{15000, 1_000_000})}, whole, nil},
		"more than ten to one":     {[]CurveShape{health(Knot{0, 99_999}, Knot{15000, 1_000_000})}, whole, []string{"more than 10 times"}},
		"two together":             {[]CurveShape{straight, age}, whole, []string{"more than 10 times"}},
		"down to nothing":          {[]CurveShape{health(Knot{0, 0}, Knot{15000, 1})}, whole, []string{"more than 10 times"}},
		"outside the cohort":       {[]CurveShape{health(Knot{0, 0}, Knot{7000, 400_000}, Knot{10000, 1_000_000})}, box(0, 1, 7000, 15000), nil},
		"a step":                   {[]CurveShape{health(Knot{8000, 500_000}, Knot{8001, 600_000})}, whole, []string{"from 0.5 to 0.6 within less than 1 %", "after knot 1"}},
		"a step below the cohort":  {[]CurveShape{health(Knot{8000, 500_000}, Knot{8001, 600_000})}, box(0, 1, 8001, 15000), nil},
		"a step above the cohort":  {[]CurveShape{health(Knot{8000, 500_000}, Knot{8001, 600_000})}, box(0, 1, 0, 8000), nil},
		"a bump":                   {[]CurveShape{health(Knot{8000, 500_000}, Knot{8100, 600_000}, Knot{8200, 500_000})}, whole, []string{"after knot 1", "after knot 2"}},
		"a wide piece":             {[]CurveShape{health(Knot{8000, 500_000}, Knot{8150, 600_000})}, whole, nil},
		"a flat narrow piece":      {[]CurveShape{health(Knot{8000, 500_000}, Knot{8001, 500_000})}, whole, nil},
		"a cohort without bounds":  {[]CurveShape{straight}, Cohort{}, nil},
		"no knots":                 {[]CurveShape{health()}, whole, []string{"has 0 knots"}},
		"too many knots":           {[]CurveShape{health(make([]Knot, 65)...)}, whole, []string{"has 65 knots"}},
		"knots out of order":       {[]CurveShape{health(Knot{5, 0}, Knot{5, 1})}, whole, []string{"out of order"}},
		"a factor out of bounds":   {[]CurveShape{health(Knot{5, maxFactor + 1})}, whole, []string{"a factor above 10"}},
		"a lane without a range":   {[]CurveShape{{Min: 5, Max: 4, Knots: []Knot{{0, 0}}}}, whole, []string{"has no range"}},
		"three curves":             {[]CurveShape{straight, straight, straight}, whole, []string{"3 curves, at most 2"}},
		"an index that is no lane": {[]CurveShape{{Index: -1, Max: 9, Knots: []Knot{{0, 1}}}}, whole, nil},
	} {
		expectReasons(t, name, Warnings(c.curves, c.cohort, 100_000), c.want)
	}
}

// A high price shows the last digits of factors, however flat the curve.
func TestWarningsLookAtThePrice(t *testing.T) {
	flat := []CurveShape{health(Knot{9800, 1_000_000}, Knot{9950, 1_000_001})}
	whole := Cohort{Lo: []uint32{0, 0}, Hi: []uint32{1, 15000}, All: true}
	for price, want := range map[uint64][]string{0: nil, 999_999: nil, 1_000_000: {"price of 10000.00", "last decimal place"}, 1 << 40: {"10995116277.76"}} {
		expectReasons(t, formatPrice(price), Warnings(flat, whole, price), want)
	}
	expectReasons(t, "without curves", Warnings(nil, whole, 1<<40), nil)
}

// The factor is what the line through the knots says, to the last place.
func TestFactorFollowsTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := CurveShape{Max: 1<<31 - 1}
		at := rapid.Uint32Range(0, 1<<30).Draw(t, "first")
		for range rapid.IntRange(1, 8).Draw(t, "knots") {
			c.Knots = append(c.Knots, Knot{at, rapid.Uint64Range(0, maxFactor).Draw(t, "factor")})
			at += rapid.Uint32Range(1, 1<<27).Draw(t, "step")
		}
		x := rapid.Uint32Range(0, at).Draw(t, "x")
		want := new(big.Rat)
		switch last := len(c.Knots) - 1; {
		case x <= c.Knots[0].At:
			want.SetUint64(c.Knots[0].Factor)
		case x >= c.Knots[last].At:
			want.SetUint64(c.Knots[last].Factor)
		default:
			i := 0
			for c.Knots[i+1].At < x {
				i++
			}
			a, b := c.Knots[i], c.Knots[i+1]
			want.SetFrac64(int64(x-a.At), int64(b.At-a.At))
			want.Mul(want, big.NewRat(int64(b.Factor)-int64(a.Factor), 1)).Add(want, big.NewRat(int64(a.Factor), 1))
		}
		difference := want.Sub(want, new(big.Rat).SetUint64(c.at(x)))
		if difference.Abs(difference).Cmp(big.NewRat(1, 1)) >= 0 {
			t.Fatalf("factor %d at %d is off by %v", c.at(x), x, difference)
		}
		low, high := c.factors(0, c.Max)
		if f := c.at(x); f < low || f > high {
			t.Fatalf("factor %d lies outside %d to %d", f, low, high)
		}
	})
}

func TestModelNamesCurves(t *testing.T) {
	a, b := health(Knot{7000, 1}), CurveShape{Lane: "age_days", Index: 3, Knots: []Knot{{0, 2}, {10, 1}}}
	name := Model("battery/v1", []CurveShape{a, b})
	if name != Model("battery/v1", []CurveShape{b, a}) {
		t.Error("the order of curves makes another model")
	}
	if len(name) != 64 || strings.ToLower(name) != name || checkDigest("models", name) != nil {
		t.Errorf("name %q", name)
	}
	other := b
	other.Knots = []Knot{{0, 2}, {10, 2}}
	seen := map[string]bool{name: true}
	for what, m := range map[string]string{
		"another schema":   Model("charger/v1", []CurveShape{a, b}),
		"one curve less":   Model("battery/v1", []CurveShape{a}),
		"no curve":         Model("battery/v1", nil),
		"another factor":   Model("battery/v1", []CurveShape{a, other}),
		"another lane":     Model("battery/v1", []CurveShape{a, {Lane: "fault_count", Knots: b.Knots}}),
		"knots moved over": Model("battery/v1", []CurveShape{{Lane: a.Lane, Knots: append(a.Knots, b.Knots[0])}, {Lane: b.Lane, Knots: b.Knots[1:]}}),
	} {
		if seen[m] {
			t.Errorf("%s has the same name", what)
		}
		seen[m] = true
	}
}
